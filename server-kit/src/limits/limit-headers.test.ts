import { expect, test } from 'vitest';
import { addLimitHeaders, addOpenAiLimitHeaders } from './limit-headers.ts';
import { type LimitRule, ruleOf } from './limit-rules.ts';
import type { LimitStatus } from './limit-status.ts';

const status = (rule: LimitRule, left: number, resetMs: number): LimitStatus => ({
  rule: ruleOf(rule, 'UTC'),
  fits: left > 0,
  left,
  windowMs: rule.unit === 'inFlight' ? 0 : 60_000,
  resetMs,
  retryAfterMs: 0,
});
const statuses = [
  status({ per: 'user', unit: 'requests', window: 'minute', limit: 60 }, 59, 900),
  status({ per: 'user', unit: 'requests', window: 'day', limit: 100 }, 5, 3_723_000),
  status({ per: 'user', unit: 'totalTokens', window: 'day', limit: 1000 }, -20, 61_000),
  status({ per: 'user', unit: 'inFlight', limit: 8 }, 0, 0),
];

test('addLimitHeaders() writes one item per limit, and the same again when it is called again', () => {
  const headers = new Headers();
  for (let round = 0; round < 2; round++) addLimitHeaders(headers, statuses);
  expect(headers.get('ratelimit-policy')).toBe(
    '"user-requests-minute";q=60;w=60, "user-requests-day";q=100;w=60, "user-total-tokens-day";q=1000;w=60;qu="tokens", "user-in-flight";q=8;qu="concurrent-requests"',
  );
  expect(headers.get('ratelimit')).toBe(
    '"user-requests-minute";r=59;t=1, "user-requests-day";r=5;t=3723, "user-total-tokens-day";r=0;t=61, "user-in-flight";r=0',
  );
});

test('addOpenAiLimitHeaders() writes the limits with the least left, as OpenAI spells them', () => {
  const headers = new Headers();
  addOpenAiLimitHeaders(headers, statuses);
  expect(Object.fromEntries(headers)).toEqual({
    'x-ratelimit-limit-requests': '100',
    'x-ratelimit-remaining-requests': '5',
    'x-ratelimit-reset-requests': '1h2m3s',
    'x-ratelimit-limit-tokens': '1000',
    'x-ratelimit-remaining-tokens': '0',
    'x-ratelimit-reset-tokens': '1m1s',
  });
});
