import { cut, error, say, stall } from '@ziggie/llm-testing';
import { describe, expect, test } from 'vitest';
import { expectWellFormed } from '../stream-harness.ts';
import { chatAs, type Fleet, isWhole, shown, startFleet } from './fleet.ts';

const endless = Number.POSITIVE_INFINITY;
const wordsOf = (events: Awaited<ReturnType<typeof chatAs>>) =>
  events.flatMap((event) => (event.type === 'text-delta' ? [event.text] : [])).join('');

/** Machines that have the model in memory, the first of them preferred, and a kit that hedges after 30 ms. */
async function startWarm(
  count: number,
  options: Parameters<typeof startFleet>[1] = {},
  hedging: { afterMs?: number } | undefined = { afterMs: 30 },
): Promise<Fleet> {
  const fleet = await startFleet(count, {
    ...options,
    options: { hedging, ...options.options },
  });
  for (const { url } of fleet.gpus) {
    const body = JSON.stringify({ model: 'stand-in' });
    await (await fetch(`${url}/api/generate`, { method: 'POST', body })).text();
  }
  fleet.clock.advance(2000);
  await fleet.answer('/models');
  return fleet;
}

/** Who was asked, once every place is given back. */
const attempts = async (fleet: Fleet) => {
  await expect.poll(async () => (await shown(fleet)).every(({ inFlight }) => inFlight === 0)).toBe(true);
  return (await shown(fleet)).map(({ attempts: sent }) => sent);
};
const chatLog = (fleet: Fleet) =>
  fleet.logs.filter(({ fields }) => fields['route'] === '/chat').at(-1)?.fields;
const openAt = (fleet: Fleet) => fleet.gpus.map(({ fake }) => fake.report().openGenerations);

describe('a first upstream that is silent', () => {
  test('a second one answers; the first is closed at once, and the answer is counted once', async () => {
    const fleet = await startWarm(2);
    // Whoever is asked first, its answer does not begin.
    fleet.gpus[0]?.fake.script([stall(60_000), say('never')]);
    fleet.gpus[1]?.fake.script([say('from the second')]);
    const events = await chatAs(fleet, 'ada');
    expectWellFormed(events);
    expect(wordsOf(events)).toBe('from the second');
    expect(events.filter(({ type }) => type === 'usage')).toHaveLength(1);
    await expect.poll(() => openAt(fleet), { timeout: 500 }).toEqual([0, 0]);
    expect(await attempts(fleet)).toEqual([1, 1]);
    expect((await shown(fleet)).map(({ faults, breaker }) => [faults, breaker])).toEqual([
      [0, 'closed'],
      [0, 'closed'],
    ]);
    expect(chatLog(fleet)).toMatchObject({ outcome: 'ok', attempts: 2, upstream: 'gpu-1' });
  });

  test('it begins before the second one: its answer is given, the second is closed', async () => {
    const fleet = await startWarm(2);
    fleet.gpus[0]?.fake.script([stall(80), say('from the first')]);
    fleet.gpus[1]?.fake.script([stall(60_000), say('never')]);
    const events = await chatAs(fleet, 'ada');
    expectWellFormed(events);
    expect(wordsOf(events)).toBe('from the first');
    await expect.poll(() => openAt(fleet), { timeout: 500 }).toEqual([0, 0]);
    expect(chatLog(fleet)).toMatchObject({ attempts: 2, upstream: 'gpu-0' });
  });

  test.each([
    ['error', [stall(60), error('boom')]],
    ['cut', [stall(60), cut()]],
  ])('it fails (%s) while the second is asked: nobody hears of it', async (_how, script) => {
    const fleet = await startWarm(2);
    fleet.gpus[0]?.fake.script(script);
    fleet.gpus[1]?.fake.script([stall(120), say('from the second')]);
    const events = await chatAs(fleet, 'ada');
    expectWellFormed(events);
    expect(wordsOf(events)).toBe('from the second');
    const [first, second] = await shown(fleet);
    expect([first?.faults, second?.faults]).toEqual([1, 0]);
  });

  test('both fail: one typed error, two tries and no third', async () => {
    const fleet = await startWarm(3);
    for (const { fake } of fleet.gpus) fake.script([stall(60), error('boom')]);
    const [last] = (await chatAs(fleet, 'ada')).slice(-1);
    expect(last).toMatchObject({ code: 'upstream_error' });
    expect((await attempts(fleet)).reduce((sum, one) => sum + one)).toBe(2);
  });

  test('whoever leaves meanwhile closes both', async () => {
    const fleet = await startWarm(2);
    for (const { fake } of fleet.gpus) fake.script([stall(60_000), say('never')]);
    const leaving = new AbortController();
    const asked = fleet.chat({}, { signal: leaving.signal }).catch(() => undefined);
    await expect.poll(() => openAt(fleet)).toEqual([1, 1]);
    leaving.abort();
    await asked;
    await expect.poll(() => openAt(fleet), { timeout: 500 }).toEqual([0, 0]);
    expect(await attempts(fleet)).toEqual([1, 1]);
  });

  test('a complete answer is raced for as well', async () => {
    const fleet = await startWarm(2);
    fleet.gpus[0]?.fake.script([stall(60_000), say('never')]);
    fleet.gpus[1]?.fake.script([say('whole')]);
    const response = await fleet.chat({ stream: false });
    expect(await response.json()).toMatchObject({ message: { content: 'whole' }, done: true });
    await expect.poll(() => openAt(fleet), { timeout: 500 }).toEqual([0, 0]);
  });
});

describe('no second upstream is asked', () => {
  const slow = (fleet: Fleet) => {
    for (const { fake } of fleet.gpus) fake.script([stall(120), say('slow')], { times: endless });
  };

  test('unless hedging is on', async () => {
    const fleet = await startWarm(2, { options: { hedging: undefined } });
    slow(fleet);
    expect(isWhole(await chatAs(fleet, 'ada'))).toBe(true);
    expect(await attempts(fleet)).toEqual([1, 0]);
    expect(chatLog(fleet)).not.toHaveProperty('attempts');
  });

  test('after the first token', async () => {
    const fleet = await startWarm(2);
    fleet.gpus[0]?.fake.script([say('begun '), stall(120), say('and ended')]);
    expect(wordsOf(await chatAs(fleet, 'ada'))).toBe('begun and ended');
    expect(await attempts(fleet)).toEqual([1, 0]);
  });

  test('that would have to load the model', async () => {
    const fleet = await startFleet(2, { options: { hedging: { afterMs: 30 } } });
    const body = JSON.stringify({ model: 'stand-in' });
    await (await fetch(`${fleet.gpus[0]?.url}/api/generate`, { method: 'POST', body })).text();
    fleet.clock.advance(2000);
    await fleet.answer('/models');
    slow(fleet);
    expect(isWhole(await chatAs(fleet, 'ada'))).toBe(true);
    expect(await attempts(fleet)).toEqual([1, 0]);
  });

  test('whose places are taken', async () => {
    const fleet = await startWarm(2, { upstream: { slots: 1 } });
    slow(fleet);
    // One on each: neither has a place for the other's second try.
    const ends = await Promise.all([chatAs(fleet, 'ada'), chatAs(fleet, 'bob')]);
    expect(ends.every(isWhole)).toBe(true);
    expect(await attempts(fleet)).toEqual([1, 1]);
  });

  test('beyond the budget of second tries', async () => {
    const fleet = await startWarm(2);
    slow(fleet);
    const requests = 40;
    for (let round = 0; round < requests / 10; round++) {
      await Promise.all(Array.from({ length: 10 }, (_, at) => chatAs(fleet, `user-${at}`)));
    }
    const sent = (await attempts(fleet)).reduce((sum, one) => sum + one);
    expect(sent).toBeGreaterThan(requests);
    // Five from the start, and one of ten.
    expect(sent).toBeLessThanOrEqual(requests + 5 + requests / 10);
  });

  test('for vectors', async () => {
    const fleet = await startWarm(2);
    const response = await fleet.answer('/embed', { body: { model: 'stand-in-embed', input: 'a' } });
    expect(response.status).toBe(200);
    expect((await attempts(fleet)).reduce((sum, one) => sum + one)).toBe(1);
  });
});

test('while somebody waits for what the second one has, it is left to them', async () => {
  const models = ['stand-in', 'other'];
  const fleet = await startFleet(2, {
    options: { hedging: { afterMs: 30 } },
    ollama: { models },
    upstream: { slots: 1, maxInFlight: 2 },
  });
  for (const { url } of fleet.gpus) {
    for (const model of models) {
      await (await fetch(`${url}/api/generate`, { method: 'POST', body: JSON.stringify({ model }) })).text();
    }
  }
  fleet.clock.advance(2000);
  await fleet.answer('/models');
  for (const { fake } of fleet.gpus) fake.script([stall(150), say('slow')], { times: endless });
  // Both places of `other` are taken and one more waits; each machine has a place for `stand-in`.
  const others = Array.from({ length: 3 }, (_, at) => chatAs(fleet, `user-${at}`, { model: 'other' }));
  await expect.poll(() => fleet.kit.gauges().queued).toBe(1);
  expect(isWhole(await chatAs(fleet, 'ada'))).toBe(true);
  expect(chatLog(fleet)).toMatchObject({ principal: 'ada', model: 'stand-in:latest' });
  expect(chatLog(fleet)).not.toHaveProperty('attempts');
  expect((await Promise.all(others)).every(isWhole)).toBe(true);
  expect(isWhole(await chatAs(fleet, 'ada'))).toBe(true);
  expect(chatLog(fleet)).toMatchObject({ principal: 'ada', attempts: 2 });
});

test('without a time it is learned from first tokens, and until twenty have come nothing is asked twice', async () => {
  const fleet = await startWarm(2, {}, {});
  for (const { fake } of fleet.gpus) fake.script(say('quick'), { contains: 'Hello', times: endless });
  for (const { fake } of fleet.gpus)
    fake.script([stall(200), say('slow')], { contains: 'slow', times: endless });
  const slowly = { messages: [{ role: 'user', content: 'slow' }] };
  expect(isWhole(await chatAs(fleet, 'ada', slowly))).toBe(true);
  expect(chatLog(fleet)).not.toHaveProperty('attempts');
  for (let at = 0; at < 20; at++) await chatAs(fleet, 'ada');
  expect((await attempts(fleet)).reduce((sum, one) => sum + one)).toBe(21);
  expect(isWhole(await chatAs(fleet, 'ada', slowly))).toBe(true);
  expect(chatLog(fleet)).toMatchObject({ attempts: 2 });
});
