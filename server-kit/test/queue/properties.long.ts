import { test } from 'vitest';
import { checkLines } from './line-properties.ts';

test('100,000 random lives of a line: it serves in the very order that it tells, and loses nobody', () => {
  checkLines(100_000);
});
