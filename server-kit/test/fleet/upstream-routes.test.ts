import { say, stall } from '@ziggie/llm-testing';
import { expect, test } from 'vitest';
import { eventsIn } from '../harness.ts';
import { administer, chatAs, isWhole, shown, startFleet } from './fleet.ts';

test('a drained upstream finishes what it has and gets nothing new', async () => {
  const fleet = await startFleet(2, { ollama: { tokensPerSecond: 200 } });
  const running = await Promise.all([fleet.chat(), fleet.chat()]);
  expect((await administer(fleet, 'drain', 'gpu-0')).status).toBe(200);
  const before = (await shown(fleet))[0]?.attempts;
  for (let at = 0; at < 5; at++) expect(isWhole(await chatAs(fleet, `user-${at}`))).toBe(true);
  for (const response of running) expect(isWhole(await eventsIn(response))).toBe(true);
  expect((await shown(fleet))[0]).toMatchObject({ drained: true, inFlight: 0, attempts: before });
  // Both drained: nothing answers, and readiness of the models is not touched.
  await administer(fleet, 'drain', 'gpu-1');
  expect((await fleet.chat()).status).toBe(502);
  await administer(fleet, 'undrain', 'gpu-0');
  expect(isWhole(await chatAs(fleet, 'ada'))).toBe(true);
});

test('a probe closes the breaker of one that is back, and says when it is not', async () => {
  const fleet = await startFleet(2);
  const [down] = fleet.gpus;
  await down?.down();
  for (let at = 0; at < 8; at++) expect(isWhole(await chatAs(fleet, `user-${at}`))).toBe(true);
  expect(await (await administer(fleet, 'probe', 'gpu-0')).json()).toMatchObject({
    code: 'upstream_unreachable',
  });
  await down?.up();
  expect(await (await administer(fleet, 'probe', 'gpu-0')).json()).toMatchObject({
    id: 'gpu-0',
    breaker: 'closed',
  });
});

test('an upstream that is not there is 404, and a body that is none is 400', async () => {
  const fleet = await startFleet(1);
  expect((await administer(fleet, 'drain', 'gpu-9')).status).toBe(404);
  const token = await fleet.token({ roles: ['admin'] });
  expect((await fleet.answer('/admin/upstreams/drain', { token, body: { name: 'gpu-0' } })).status).toBe(400);
});

test('the public routes say how many answer, and nothing of where', async () => {
  const fleet = await startFleet(2);
  const status = async () => (await fleet.answer('/status', { token: null })).json();
  expect(await status()).toMatchObject({ status: 'ok' });
  await fleet.gpus[1]?.down();
  fleet.clock.advance(2000);
  expect(await status()).toMatchObject({ status: 'degraded' });
  const health = await (await fleet.answer('/health', { token: null })).json();
  expect(health).toMatchObject({ status: 'degraded', ollama_connected: true });
  expect((await fleet.answer('/health/ready', { token: null })).status).toBe(200);
  await fleet.gpus[0]?.down();
  fleet.clock.advance(2000);
  expect(await status()).toMatchObject({ status: 'down' });
  expect((await fleet.answer('/health/ready', { token: null })).status).toBe(503);
  // The list that is known is all there is while nothing answers.
  await fleet.gpus[0]?.up();
});

test('a conversation goes back to the machine that has read it, and elsewhere when that one is busy', async () => {
  const fleet = await startFleet(3, { upstream: { slots: 1 } });
  // Each machine has the model in memory.
  for (const gpu of fleet.gpus) {
    const others = fleet.gpus.filter((one) => one !== gpu);
    for (const other of others) await administer(fleet, 'drain', `gpu-${fleet.gpus.indexOf(other)}`);
    await chatAs(fleet, 'ada');
    for (const other of others) await administer(fleet, 'undrain', `gpu-${fleet.gpus.indexOf(other)}`);
  }
  const asked = () =>
    fleet.gpus.map(({ fake }) => fake.report().requests.filter(({ path }) => path === '/api/chat').length);
  const messages = [{ role: 'user', content: `Read this. ${'A long story. '.repeat(300)}` }];
  const homes: number[] = [];
  for (let turn = 0; turn < 6; turn++) {
    const before = asked();
    await chatAs(fleet, 'ada', { messages });
    homes.push(asked().findIndex((count, at) => count > (before[at] ?? 0)));
    messages.push({ role: 'assistant', content: 'Yes.' }, { role: 'user', content: `And ${turn}?` });
  }
  expect(new Set(homes).size).toBe(1);
  const [home = 0] = homes;
  fleet.gpus[home]?.fake.script([say('a'), stall()]);
  const left = new AbortController();
  const busy = await fleet.chat({ messages }, { signal: left.signal });
  const before = asked();
  // An answer takes no time by this clock, so at first it is worth a wait; the longer that lasts, the less.
  const waiting = chatAs(fleet, 'ada', { messages });
  await expect.poll(() => fleet.kit.gauges().queued).toBe(1);
  fleet.clock.advance(5000);
  expect(isWhole(await waiting)).toBe(true);
  expect(asked()[home]).toBe(before[home]);
  left.abort();
  await busy.text().catch(() => {});
});
