import { expect, test } from 'vitest';
import { RequestMetrics } from './request-metrics.ts';

test('model servers that come and go under new names do not grow the labels without end', () => {
  const metrics = new RequestMetrics();
  for (let at = 0; at < 1000; at++) metrics.loaded(`pod-${at}`, 'llama3.2:1b', 10);
  const loads = metrics.families.find(({ name }) => name === 'ziggie_llm_model_loads_total');
  const samples = loads?.samples ?? [];
  expect(samples.length).toBeLessThan(300);
  // Those that come later are counted all the same.
  expect(samples.reduce((sum, [, count]) => sum + Number(count), 0)).toBe(1000);
  expect(samples.at(-1)?.[0]).toEqual({ upstream: 'other', model: 'llama3.2:1b' });
});
