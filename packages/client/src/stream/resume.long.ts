import { expect, test } from 'vitest';
import { instantClock, noTimeouts } from '../../test/clock.ts';
import { type Break, resumableServer, runOf } from '../../test/resumable-server.ts';
import { question } from '../../test/samples.ts';
import { hangUp, reply } from '../../test/scripted-server.ts';
import { createClient } from '../index.ts';

const pieces = Array.from({ length: 497 }, (_, index) => `w${index} `);
const run = runOf(pieces);
const whole = pieces.join('');

const clientOf = (url: string) =>
  createClient({
    baseUrl: url,
    clock: instantClock(),
    random: () => 0.5,
    timeouts: noTimeouts,
    resume: true,
  });

const hows: Break['how'][] = ['reset', 'end', 'middle'];
test.each(hows)('G18: a run of 500 events cut by %s at every event is the same answer', async (how) => {
  expect(run).toHaveLength(500);
  for (let after = 2; after < run.length; after++) {
    const server = await resumableServer(run, [{ after, how }]);
    const result = await clientOf(server.url).chat(question).final();
    expect(result.text, `cut after ${after}`).toBe(whole);
    expect(result.usage?.outputTokens).toBe(pieces.length);
    expect(server.resumedAfter).toEqual([after - 1]);
    await server.close();
  }
});

test('G19: 200 runs through random cuts and refusals', async () => {
  let seed = 1;
  const random = (below: number): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  const refusals = [
    reply(502, ''),
    reply(503, ''),
    reply(429, '', { 'Retry-After': '1' }),
    reply(504, ''),
    hangUp,
  ];
  for (let round = 0; round < 200; round++) {
    const breaks = Array.from(
      { length: 1 + random(6) },
      (_, index): Break => ({
        after: index === 0 ? 2 + random(490) : 1 + random(40),
        how: hows[random(3)] ?? 'reset',
      }),
    );
    const between = Array.from({ length: random(8) }, () => refusals[random(refusals.length)] ?? hangUp);
    const server = await resumableServer(run, breaks, between);
    expect(await clientOf(server.url).chat(question).text(), `round ${round}`).toBe(whole);
    await server.close();
  }
});
