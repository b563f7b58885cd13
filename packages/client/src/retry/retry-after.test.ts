import { expect, test } from 'vitest';
import { parseRetryAfter } from './retry-after.ts';

const served = 'Wed, 21 Oct 2026 07:28:00 GMT';

test.each([
  ['0', 0],
  ['3', 3_000],
  [' 120 ', 120_000],
  ['1.5', 1_500],
  ['Wed, 21 Oct 2026 07:28:30 GMT', 30_000],
  ['Wednesday, 21-Oct-26 07:28:30 GMT', 30_000],
  ['Wed Oct 21 07:28:30 2026 GMT', 30_000],
  ['Wed, 21 Oct 2026 07:27:00 GMT', 0],
  ['', undefined],
  [undefined, undefined],
  ['-1', undefined],
  ['soon', undefined],
  ['3 seconds', undefined],
  ['2026-10-21T07:28:30Z', undefined],
])('parseRetryAfter(%j) is %j', (value, ms) => {
  expect(parseRetryAfter(value, served)).toBe(ms);
});

test('parseRetryAfter() compares a date with the own clock when the answer has no Date', () => {
  const inAMinute = new Date(Date.now() + 60_000).toUTCString();
  const ms = parseRetryAfter(inAMinute, undefined) ?? 0;
  expect(ms).toBeGreaterThan(50_000);
  expect(ms).toBeLessThanOrEqual(60_000);
  expect(parseRetryAfter(inAMinute, 'not a date')).toBeGreaterThan(50_000);
});
