import { describe, expect, it } from 'vitest';
import { createFormat } from './format.ts';

const { duration, bytes, rate, count } = createFormat('en');
const plain = (text: string) => text.replace(/\u00a0/g, ' ');

describe('createFormat()', () => {
  it.each([
    [400, '0.4 s'],
    [6_400, '6 s'],
    [59_600, '1 min'],
    [200_000, '3 min 20 s'],
    [11_520_000, '3 h 12 min'],
    [3_600_000, '1 h'],
    [38, '38 ms'],
    [-5, '0 ms'],
  ])('writes %i ms as %s', (ms, text) => expect(plain(duration(ms))).toBe(text));

  it('writes tenths below ten seconds when asked', () => {
    expect(plain(duration(4_230, true))).toBe('4.2 s');
    expect(plain(duration(9_960, true))).toBe('10 s');
  });

  it('writes sizes, rates and counts', () => {
    expect(plain(bytes(9_800_000_000))).toBe('9.8 GB');
    expect(plain(bytes(274_000_000))).toBe('274 MB');
    expect([rate(38.2), rate(4.25)]).toEqual(['38', '4.3']);
    expect(count(3_214)).toBe('3,214');
  });

  it('follows the language, and survives one that is none', () => {
    expect(createFormat('de').count(3_214)).toBe('3.214');
    expect(() => createFormat('not a language').count(1)).not.toThrow();
  });
});
