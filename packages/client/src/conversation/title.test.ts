import { expect, it } from 'vitest';
import { titleOf } from './title.ts';

it.each([
  ['Hello', 'Hello'],
  ['  two\n\n lines\t', 'two lines'],
  ['x'.repeat(60), 'x'.repeat(60)],
  ['x'.repeat(61), `${'x'.repeat(60)}…`],
  [`${'a'.repeat(59)} b`, `${'a'.repeat(59)}…`],
  [`${'a'.repeat(60)} b`, `${'a'.repeat(60)}…`],
  [`${'word '.repeat(12)}tail`, `${'word '.repeat(11)}word…`],
  // Counted in characters: no pair is cut in half.
  ['\u{1f600}'.repeat(61), `${'\u{1f600}'.repeat(60)}…`],
])('titleOf(%j)', (text, title) => {
  expect(titleOf(text)).toBe(title);
});

it('titleOf() does not read a whole file for a title', () => {
  expect(titleOf(`start ${' '.repeat(50_000_000)}end`)).toBe('start');
});
