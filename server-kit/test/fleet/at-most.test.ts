import { error, say, stall } from '@ziggie/llm-testing';
import { expect, test } from 'vitest';
import { startNode, startPacer } from '../streams/nodes.ts';
import { chatAs, shown, startFleet } from './fleet.ts';

test('a request that fails everywhere before its first token is tried on two servers and no third', async () => {
  const fleet = await startFleet(4);
  for (const { fake } of fleet.gpus) fake.script([error('boom')], { times: 4 });
  const events = await chatAs(fleet, 'ada');
  expect(events.at(-1)).toMatchObject({ code: 'upstream_error' });
  const tried = (await shown(fleet)).map(({ attempts }) => attempts);
  expect(tried.reduce((sum, one) => sum + one)).toBe(2);
  expect(Math.max(...tried)).toBe(1);
});

test('the slower of two is let go of when the other has begun, not when it has ended', async () => {
  const fleet = await startFleet(2, { options: { hedging: { afterMs: 30 } } });
  for (const { url } of fleet.gpus) {
    const body = JSON.stringify({ model: 'stand-in' });
    await (await fetch(`${url}/api/generate`, { method: 'POST', body })).text();
  }
  fleet.clock.advance(2000);
  await fleet.answer('/models');
  fleet.gpus[0]?.fake.script([stall(), say('never')]);
  fleet.gpus[1]?.fake.script([say('begun'), stall()]);
  const answer = await fleet.chat();
  const [first, second] = fleet.gpus;
  await first?.fake.waitFor(({ openGenerations }) => openGenerations === 0);
  expect(second?.fake.report().openGenerations).toBe(1);
  const places = await shown(fleet);
  expect(places.map(({ inFlight }) => inFlight)).toEqual([0, 1]);
  await answer.body?.cancel();
  await second?.fake.waitFor(({ openGenerations }) => openGenerations === 0);
});

test('whoever leaves in the moment in which its turn comes takes no place along', async () => {
  const pacer = await startPacer();
  const leaving = new AbortController();
  let watches = false;
  // Its line is written right behind the place that it gives back, and that the next in the line gets.
  const info = () => {
    if (watches) leaving.abort();
  };
  const node = await startNode(pacer, {
    upstreams: [{ url: pacer.raw.url, slots: 1 }],
    logger: { info, warn() {}, error() {} },
  });
  const body = { model: 'raw', stream: false, messages: [{ role: 'user', content: 'Hello' }] };
  const ask = async (sub: string, signal?: AbortSignal) =>
    node.answer('/chat', { body, token: await node.token({ sub }), signal });
  const first = ask('ada');
  await pacer.exchange(0);
  const second = ask('bob', leaving.signal);
  await expect.poll(() => node.kit.gauges().queued).toBe(1);
  watches = true;
  await pacer.say('one');
  await pacer.finish();
  expect((await first).status).toBe(200);
  await second;
  expect(leaving.signal.aborted).toBe(true);
  expect(node.kit.gauges()).toMatchObject({ queued: 0, openUpstream: 0 });
  // The place is there for the next.
  watches = false;
  const third = ask('eve');
  await pacer.exchange(1);
  await pacer.say('three');
  await pacer.finish();
  expect((await third).status).toBe(200);
  expect(pacer.generations).toBe(2);
});
