import { expect, test } from 'vitest';
import { Meter } from './meter.ts';

const expected = { input: 10, maxInput: 100, maxOutput: 50 };
const usage = (source: 'upstream' | 'estimated') =>
  ({ type: 'usage', inputTokens: 40, outputTokens: 1, source }) as const;

test('an estimate of whoever read the answer takes the place of nothing that was counted here', () => {
  const meter = new Meter(expected);
  for (let at = 0; at < 5; at++) meter.see({ type: 'text-delta', text: 'word ' });
  meter.see(usage('estimated'));
  expect(meter.used).toMatchObject({ inputTokens: 10, outputTokens: 7, isCounted: false });
});

test('what the model server counted is believed, within what was written and what was allowed', () => {
  const meter = new Meter(expected);
  for (let at = 0; at < 5; at++) meter.see({ type: 'text-delta', text: 'word ' });
  meter.see(usage('upstream'));
  expect(meter.used).toMatchObject({ inputTokens: 40, outputTokens: 5, isCounted: true });
});
