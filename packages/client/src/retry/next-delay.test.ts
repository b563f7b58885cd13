import { expect, test } from 'vitest';
import { nextDelayMs } from './next-delay.ts';

const options = {
  maxAttempts: 10,
  baseMs: 250,
  capMs: 8_000,
  maxRetryAfterMs: 60_000,
  reconnectMs: 0,
};
const worst = 0.999_999;

test.each([
  [1, 500],
  [2, 1_000],
  [3, 2_000],
  [4, 4_000],
  [5, 8_000],
  [6, 8_000],
  [9, 8_000],
])('nextDelayMs() after %i attempts waits a random part of %i ms', (made, most) => {
  expect(nextDelayMs(made, { retryable: true }, options, 0)).toBe(0);
  expect(nextDelayMs(made, { retryable: true }, options, 0.5)).toBe(most / 2);
  expect(nextDelayMs(made, { retryable: true }, options, worst)).toBeCloseTo(most, 1);
});

test.each([
  { made: 1, failure: { retryable: false }, delay: undefined, why: 'will not go away' },
  {
    made: 1,
    failure: { retryable: false, retryAfterMs: 1 },
    delay: undefined,
    why: 'will not go away either',
  },
  { made: 9, failure: { retryable: true }, delay: 8_000, why: 'one attempt is left' },
  { made: 10, failure: { retryable: true }, delay: undefined, why: 'none is left' },
  {
    made: 10,
    failure: { retryable: true, retryAfterMs: 1 },
    delay: undefined,
    why: 'none is left for the server either',
  },
  {
    made: 1,
    failure: { retryable: true, retryAfterMs: 20_000 },
    delay: 20_000,
    why: 'the server wins over the cap',
  },
  { made: 1, failure: { retryable: true, retryAfterMs: 60_000 }, delay: 60_000, why: 'just obeyed' },
  { made: 1, failure: { retryable: true, retryAfterMs: 60_001 }, delay: undefined, why: 'too long to wait' },
])('nextDelayMs() is $delay: $why', ({ made, failure, delay }) => {
  const got = nextDelayMs(made, failure, options, failure.retryAfterMs === undefined ? worst : 0);
  if (delay === undefined) expect(got).toBeUndefined();
  else expect(got).toBeCloseTo(delay, 1);
});

test('nextDelayMs() takes a server that says at once for one that says nothing: not everybody comes back together', () => {
  expect(nextDelayMs(1, { retryable: true, retryAfterMs: 0 }, options, worst)).toBeCloseTo(500, 1);
});

test('nextDelayMs() never retries with maxAttempts 1', () => {
  expect(nextDelayMs(1, { retryable: true }, { ...options, maxAttempts: 1 }, 0)).toBeUndefined();
});
