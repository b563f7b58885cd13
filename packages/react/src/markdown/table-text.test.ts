import { describe, expect, it } from 'vitest';
import { tableAsCsv, tableAsMarkdown } from './table-text.ts';

describe('tableAsMarkdown()', () => {
  it('escapes bars and keeps cells on one line', () => {
    expect(
      tableAsMarkdown([
        ['a', 'b|c'],
        ['1\n2', '\\'],
      ]),
    ).toBe('| a | b\\|c |\n| --- | --- |\n| 1 2 | \\\\ |');
  });
});

describe('tableAsCsv()', () => {
  it('quotes what RFC 4180 wants quoted', () => {
    expect(
      tableAsCsv([
        ['a', 'b,c'],
        ['say "x"', '1\n2'],
      ]),
    ).toBe('a,"b,c"\r\n"say ""x""","1\n2"');
  });

  it('lets no cell be a formula, and numbers be numbers', () => {
    expect(tableAsCsv([['=HYPERLINK("http://evil.example")', '@x', '+cmd|x', '-5', '+4 %', '-1+2']])).toBe(
      `"'=HYPERLINK(""http://evil.example"")",'@x,'+cmd|x,-5,+4 %,'-1+2`,
    );
  });
});
