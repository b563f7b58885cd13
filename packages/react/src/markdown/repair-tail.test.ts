import { describe, expect, it } from 'vitest';
import { repairTail } from './repair-tail.ts';

/** A table with one row, whose second column stands at the given side. */
const table = (side: string) => `| a | b |\n|---|${side}|\n| 0 | 0 |\n`;

describe('repairTail()', () => {
  it.each([
    ['a lone bullet', 'Text\n-', 'Text\n'],
    ['a number that may become a list', 'Text\n\n1.', 'Text\n\n'],
    ['hashes', '##', ''],
    ['a fence being typed', 'Text\n``', 'Text\n'],
    ['a fence with half a language', '```ty', ''],
    ['dashes that may be an underline', 'Title\n--', 'Title\n'],
    ['the head of a table', 'Text\n\n| a | b |', 'Text\n\n'],
    ['a table without its whole line of dashes', '| a | b |\n|---|-', ''],
    ['a box being typed', '- one\n- [', '- one\n'],
    ['a box without its task', '- [x] one\n- [ ] ', '- [x] one\n'],
    ['a table without a row', 'Text\n\n| a | b |\n|---|---|\n', 'Text\n\n'],
    ['a table with half a row', '| a | b |\n|---|---|\n| 1 | 2', ''],
    ['a number at the end of its cell', `${table('--:')}| 1 | 2,0`, `${table('--:')}| 1 |`],
    ['centred words', `${table(':-:')}| 1 | 2`, `${table(':-:')}| 1 |`],
    ['opening stars', 'So **', 'So '],
    ['a lone star', 'So *', 'So '],
    ['a half typed label', 'See [the do', 'See '],
    ['a label without an address', 'See [the docs]', 'See '],
    ['a half typed image', 'See ![plot](https://exa', 'See '],
    ['half a character reference', 'a &am', 'a '],
    ['a backslash', 'a \\', 'a '],
  ])('holds back %s', (_, source, shown) => {
    expect(repairTail(source)).toBe(shown);
  });

  it.each([
    ['bold', 'So **bo', 'So **bo**'],
    ['bold before its last star', 'So **bold*', 'So **bold**'],
    ['bold with a space at the end', 'So **bold ', 'So **bold** '],
    ['soft inside bold', 'So **bold *and so', 'So **bold *and so***'],
    ['struck text', 'So ~~old', 'So ~~old~~'],
    ['code', 'Run `npm i', 'Run `npm i`'],
    ['code with two ticks', 'Run ``a ` b', 'Run ``a ` b``'],
    ['bold in a list item', '- one\n- **two', '- one\n- **two**'],
    ['bold in a cell', `${table('---')}| **x`, `${table('---')}| **x**`],
    ['a link with half an address', 'See [the docs](https://exa', 'See [the docs]()'],
  ])('closes %s', (_, source, shown) => {
    expect(repairTail(source)).toBe(shown);
  });

  it.each([
    ['snake_case_name', 'call snake_case_na'],
    ['a product', '2 * 3 = 6 and 4 *'.slice(0, -2)],
    ['whole marks', 'So **bold** and `code` and [a](https://b.example) end'],
    ['a table with a row', '| a | b |\n|---|---|\n| 1 | 2 |\n'],
    ['a table with rows', `${table('---')}| 1 | 2`],
    ['a first row that is waited for too long', `| a |\n|---|\n| ${'x '.repeat(200)}x`],
    ['a cell whose end is waited for too long', `${table('--:')}| 1 | ${'x'.repeat(20)}`],
    ['a link in a list item', '- [x](https://b.example) and'],
    ['a long bracket', `f[${'x'.repeat(200)}`],
  ])('leaves %s alone', (_, source) => {
    expect(repairTail(source)).toBe(source);
  });
});

describe('repairTail() of a text that was cut off', () => {
  it.each([
    ['a lone bullet', 'Text\n-', 'Text\n'],
    ['the number of an item', 'Text\n2.', 'Text\n'],
    ['a fence with half a language', 'Text\n```ty', 'Text\n'],
    ['opening stars', 'So **', 'So '],
    ['a half typed image', 'See ![plot](https://exa', 'See '],
    ['half the name of a note', 'It is so[^no', 'It is so'],
    ['a backslash', 'a \\', 'a '],
    ['the beginning of a table', 'Text\n\n|', 'Text\n\n'],
  ])('holds back %s', (_, source, shown) => {
    expect(repairTail(source, true)).toBe(shown);
  });

  it.each([
    ['soft', 'It *works', 'It *works*'],
    ['bold in a cell', '| a |\n|---|\n| **x', '| a |\n|---|\n| **x**'],
    ['a link with half an address', 'See [the docs](https://exa', 'See [the docs]()'],
    ['a half typed label', 'See [the **do', 'See the **do**'],
    ['a label of the end', 'A [b](https://c.example) and [', 'A [b](https://c.example) and '],
  ])('closes %s', (_, source, shown) => {
    expect(repairTail(source, true)).toBe(shown);
  });

  it.each([
    ['an answer in digits', 'It is\n\n42'],
    ['a mark of a source', 'It is so [1]'],
    ['an index', 'f[x'],
    ['a company', 'ask AT&T'],
    ['a number at the end of its cell', '| a | b |\n|---|--:|\n| 1 | 2,0'],
    ['rows in indented code', '    | a | b'],
  ])('leaves %s alone', (_, source) => {
    expect(repairTail(source, true)).toBe(source);
  });

  it.each([
    ['| Name | Si', '| Name | Si\n|---|---|'],
    ['| Name | **Si', '| Name | **Si**\n|---|---|'],
    ['Text\n\n| a | b |\n', 'Text\n\n| a | b |\n|---|---|'],
    ['| a | b |\n|:-:|--', '| a | b |\n|:-:|---|'],
    ['| a | b |\n|---|--:|', '| a | b |\n|---|--:|'],
    ['> | a \\| b | c', '> | a \\| b | c\n> |---|---|'],
  ])('makes a table of the head %j', (source, shown) => {
    expect(repairTail(source, true)).toBe(shown);
  });
});
