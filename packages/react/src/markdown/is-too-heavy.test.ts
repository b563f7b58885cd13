import { describe, expect, it } from 'vitest';
import { isTooHeavy } from './is-too-heavy.ts';

describe('isTooHeavy()', () => {
  it.each([
    ['quotes', '> '.repeat(8_192)],
    ['quotes without spaces', '>'.repeat(200)],
    ['list markers on one line', '- '.repeat(100)],
    ['numbers on one line', '1. '.repeat(100)],
    ['lists by indentation', Array.from({ length: 80 }, (_, level) => `${'  '.repeat(level)}- x`).join('\n')],
    ['brackets', '['.repeat(5_000)],
    ['images', '!['.repeat(100)],
    ['emphasis', '*a **b '.repeat(100)],
    ['a very long block', 'word '.repeat(5_000)],
    ['a block of very many lines', '- a\n'.repeat(1_001)],
    [
      'a table of a few characters and many cells',
      `${'|a'.repeat(500)}|\n${'|-'.repeat(500)}|\n${'|\n'.repeat(100)}`,
    ],
  ])('refuses %s', (_, source) => {
    expect(isTooHeavy(source)).toBe(true);
  });

  it.each([
    ['prose', 'Some *words* with **weight**, [a link](https://example.com) and (brackets).\n'.repeat(200)],
    ['a list of ten levels', Array.from({ length: 10 }, (_, level) => `${'  '.repeat(level)}- x`).join('\n')],
    ['a rule', '-'.repeat(300)],
    ['a long table', `| a | b | c |\n|---|---|---|\n${'| 1 | 2 | 3 |\n'.repeat(500)}`],
    ['a list of products', '- a * b * c\n'.repeat(200)],
  ])('lets %s pass', (_, source) => {
    expect(isTooHeavy(source)).toBe(false);
  });
});
