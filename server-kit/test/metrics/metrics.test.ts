import { say, stall } from '@ziggie/llm-testing';
import { describe, expect, test } from 'vitest';
import { chatAs, startFleet } from '../fleet/fleet.ts';
import { type Bench, eventsIn, startBench } from '../harness.ts';

/** One sample by its name and labels. */
async function scrape(
  bench: Bench,
): Promise<(name: string, labels?: Record<string, string>) => number | undefined> {
  const response = await bench.answer('/metrics', {
    token: await bench.token({ sub: 'root', roles: ['admin'] }),
  });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const text = await response.text();
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  for (const line of samples) expect(line).toMatch(/^[a-z_]+(?:\{(?:[a-z_]+="(?:[^"\\]|\\.)*",?)+\})? \S+$/);
  expect(new Set(samples.map((line) => line.slice(0, line.lastIndexOf(' ')))).size).toBe(samples.length);
  return (name, labels = {}) => {
    const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    const found = samples.filter(
      (line) => line.split(/[{ ]/)[0] === name && pairs.every((pair) => line.includes(pair)),
    );
    return found.length === 0
      ? undefined
      : found.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  };
}

const model = 'stand-in:latest';

describe('GET /metrics', () => {
  test('counts answers, tokens and times, under our names and under the old ones', async () => {
    const bench = await startBench();
    const usage = (await eventsIn(await bench.chat())).find(({ type }) => type === 'usage');
    if (usage?.type !== 'usage') throw new Error('Nobody counted.');
    await (
      await bench.answer('/v1/chat/completions', {
        body: { model: 'stand-in', messages: [{ role: 'user', content: 'x' }] },
      })
    ).text();
    const at = await scrape(bench);
    expect(at('ziggie_llm_requests_total', { surface: 'native', model, outcome: 'ok' })).toBe(1);
    expect(at('ziggie_llm_requests_total', { surface: 'openai', model, outcome: 'ok' })).toBe(1);
    expect(at('llm_requests_total', { model, status: 'success' })).toBe(2);
    expect(at('ziggie_llm_tokens_total', { model, type: 'input' })).toBeGreaterThan(usage.inputTokens);
    expect(at('llm_tokens_total', { model, type: 'completion' })).toBe(
      at('ziggie_llm_tokens_total', { model, type: 'output' }),
    );
    for (const name of ['request_duration', 'time_to_first_token', 'queue_wait']) {
      expect(at(`ziggie_llm_${name}_seconds_count`), name).toBe(2);
    }
    expect(at('llm_request_duration_seconds_count', { model })).toBe(2);
    expect(at('ziggie_llm_upstream_attempts_total', { upstream: 'stand-in', outcome: 'done' })).toBe(2);
    expect(at('ziggie_llm_upstream_up', { upstream: 'stand-in' })).toBe(1);
    expect(at('ziggie_llm_breaker_state', { upstream: 'stand-in' })).toBe(0);
    expect(at('ziggie_llm_overhead_seconds_count', { stage: 'body' })).toBe(2);
    expect(at('process_resident_memory_bytes')).toBeGreaterThan(1e6);
    expect(at('ziggie_llm_event_loop_delay_seconds', { quantile: '0.99' })).toBeGreaterThanOrEqual(0);
    // Nothing is asked of a model here.
    expect(at('llm_active_requests')).toBe(0);
  });

  test('says who waits, by model and class, and how long they waited', async () => {
    const fleet = await startFleet(1, { upstream: { slots: 1 } });
    fleet.gpus[0]?.fake.script([stall(150), say('slow')], { times: 4 });
    const asked = [chatAs(fleet, 'ada')];
    await fleet.gpus[0]?.fake.waitFor(({ openGenerations }) => openGenerations === 1);
    asked.push(chatAs(fleet, 'bob'));
    const token = await fleet.token({ sub: 'eve' });
    asked.push(fleet.chat({}, { token, headers: { 'x-ziggie-priority': 'batch' } }).then(eventsIn));
    await expect.poll(() => fleet.kit.gauges().queued).toBe(2);
    const during = await scrape(fleet);
    expect(during('ziggie_llm_queue_depth', { model, class: 'interactive' })).toBe(1);
    expect(during('ziggie_llm_queue_depth', { model, class: 'batch' })).toBe(1);
    expect(during('ziggie_llm_inflight', { upstream: 'gpu-0', model })).toBe(1);
    expect(during('llm_active_requests')).toBe(3);
    fleet.clock.advance(3000);
    await Promise.all(asked);
    const later = await scrape(fleet);
    expect(later('ziggie_llm_queue_depth')).toBeUndefined();
    expect(later('ziggie_llm_queue_wait_seconds_count', { model })).toBe(3);
    expect(later('ziggie_llm_queue_wait_seconds_sum', { model })).toBeGreaterThanOrEqual(3);
  });

  test('names the limit that refused, the load, the server that is down', async () => {
    const bench = await startBench({ limits: { requestsPerMinute: 2 } }, { loadMs: 20 });
    await (await bench.chat()).text();
    await bench.answer('/models');
    expect((await bench.chat()).status).toBe(429);
    await bench.ollama.down();
    const at = await scrape(bench);
    expect(at('ziggie_llm_limit_rejections_total', { limit: 'principal' })).toBe(1);
    expect(at('ziggie_llm_requests_total', { outcome: 'refused' })).toBe(1);
    expect(at('ziggie_llm_model_loads_total', { upstream: 'stand-in', model })).toBe(1);
    expect(at('ziggie_llm_model_load_seconds_count', { model })).toBe(1);
  });

  test('a name that does not exist makes no label', async () => {
    const bench = await startBench();
    for (let at = 0; at < 5; at++) await bench.chat({ model: `nothing-${at}` });
    const at = await scrape(bench);
    expect(at('ziggie_llm_requests_total', { model: '', surface: 'native' })).toBe(5);
  });

  test('is not there when it is turned off, and not for everybody', async () => {
    const off = await startBench({ metrics: false });
    expect(await off.ask('/metrics')).toBeUndefined();
    const on = await startBench();
    expect((await on.answer('/metrics')).status).toBe(403);
  });
});
