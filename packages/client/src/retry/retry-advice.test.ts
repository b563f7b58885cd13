import { expect, test } from 'vitest';
import { readRetryAdvice } from './retry-advice.ts';

const served = 'Wed, 21 Oct 2026 07:28:00 GMT';
const servedSeconds = Date.parse(served) / 1000;

test.each<[string, number, Record<string, string>, number | undefined]>([
  ['retry-after-ms', 503, { 'retry-after-ms': '1500' }, 1_500],
  ['retry-after-ms over Retry-After', 503, { 'retry-after-ms': '1500', 'retry-after': '9' }, 1_500],
  ['a broken retry-after-ms gives way', 503, { 'retry-after-ms': 'soon', 'retry-after': '9' }, 9_000],
  ['Retry-After in seconds', 500, { 'retry-after': '2' }, 2_000],
  ['Retry-After as a date', 503, { 'retry-after': 'Wed, 21 Oct 2026 07:28:30 GMT' }, 30_000],
  ['Retry-After over RateLimit', 429, { 'retry-after': '2', ratelimit: '"a";r=0;t=9' }, 2_000],
  ['RateLimit of a used up policy', 429, { ratelimit: '"user";r=0;t=30' }, 30_000],
  ['the longest of several', 429, { ratelimit: '"user";r=0;t=30, "day";r=0;t=50, "all";r=5;t=90' }, 50_000],
  ['RateLimit without what is left', 429, { ratelimit: '"user";t=7' }, 7_000],
  ['RateLimit with something left', 429, { ratelimit: '"user";r=3;t=30' }, undefined],
  ['RateLimit of the older draft', 429, { ratelimit: 'limit=100, remaining=0, reset=50' }, 50_000],
  ['RateLimit-Reset', 429, { 'ratelimit-reset': '12' }, 12_000],
  ['X-RateLimit-Reset as a span', 503, { 'x-ratelimit-reset': '12' }, 12_000],
  ['X-RateLimit-Reset as a time', 429, { 'x-ratelimit-reset': String(servedSeconds + 20) }, 20_000],
  ['X-RateLimit-Reset in the past', 429, { 'x-ratelimit-reset': String(servedSeconds - 20) }, 0],
  ['RateLimit on another status', 500, { 'ratelimit-reset': '12' }, undefined],
  ['nonsense', 429, { 'ratelimit-reset': '-1', ratelimit: '"a";r=0;t=NaN', 'retry-after': '-5' }, undefined],
])('readRetryAdvice() reads %s', (_, status, headers, retryAfterMs) => {
  const header = (name: string) => ({ date: served, ...headers })[name.toLowerCase()];
  expect(readRetryAdvice(status, header)).toEqual(retryAfterMs === undefined ? {} : { retryAfterMs });
});

test.each([
  ['true', { shouldRetry: true }],
  [' False ', { shouldRetry: false }],
  ['maybe', {}],
])('readRetryAdvice() reads x-should-retry: %s', (value, expected) => {
  expect(readRetryAdvice(500, (name) => (name === 'x-should-retry' ? value : undefined))).toEqual(expected);
});
