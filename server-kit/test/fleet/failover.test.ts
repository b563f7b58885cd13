import { cut, error, garbage, say, stall } from '@ziggie/llm-testing';
import { describe, expect, test } from 'vitest';
import { DrivenClock, eventsIn, problemIn } from '../harness.ts';
import {
  chunk,
  lastRecord,
  startRawOllama,
  streamEnd,
  streamHead,
  textRecord,
  whole,
} from '../raw-ollama.ts';
import { until } from '../stream-harness.ts';
import { chatAs, closeLater, failedEarly, isWhole, shown, startFleet } from './fleet.ts';

const attemptsOf = (upstreams: { attempts: number }[]) =>
  upstreams.reduce((sum, { attempts }) => sum + attempts, 0);

/** A server that lists the model `raw` and answers questions in its own way, preferred over the others. */
async function startBeside(answer: () => string | Uint8Array) {
  const server = closeLater(await startRawOllama(({ socket }) => void socket.end(answer())));
  const more = [{ url: server.url, name: 'other', slots: 8, weight: 1000 }];
  const fleet = await startFleet(1, { more, ollama: { models: ['raw'] } });
  return { server, fleet, ask: (who: string) => chatAs(fleet, who, { model: 'raw' }) };
}

describe('one of three dies under load', () => {
  test.each([0, 1, 2])('gpu-%i: nobody without a first token hears of it', async (victim) => {
    const fleet = await startFleet(3, { ollama: { tokensPerSecond: 400 } });
    const requests = 90;
    const ends: Awaited<ReturnType<typeof chatAs>>[] = [];
    let started = 0;
    let killed: Promise<void> | undefined;
    const ask = async () => {
      while (started < requests) {
        const number = started++;
        if (number === 30) killed = fleet.gpus[victim]?.down();
        ends.push(await chatAs(fleet, `user-${number % 9}`));
      }
    };
    await Promise.all(Array.from({ length: 15 }, ask));
    await killed;
    expect(ends.filter(failedEarly)).toEqual([]);
    // What had begun on the dead one ends with a typed error, never as a whole answer.
    for (const events of ends)
      if (!isWhole(events)) expect(events.at(-1)).toMatchObject({ type: 'error', code: 'truncated' });
    expect(ends.filter(isWhole).length).toBeGreaterThanOrEqual(requests - 8);
    const upstreams = await shown(fleet);
    expect(upstreams.map(({ breaker }) => breaker)[victim]).toBe('open');
    expect(attemptsOf(upstreams)).toBeLessThanOrEqual(requests * 1.2);
    expect(upstreams.every(({ inFlight }) => inFlight === 0)).toBe(true);
  });
});

test('all of them down: at most 1.2 tries per request, and when to come back', async () => {
  const fleet = await startFleet(3, { upstream: { slots: 200 } });
  await chatAs(fleet, 'ada');
  const before = attemptsOf(await shown(fleet));
  for (const gpu of fleet.gpus) await gpu.down();
  const ends = await Promise.all(Array.from({ length: 100 }, (_, at) => chatAs(fleet, `user-${at % 10}`)));
  for (const events of ends) {
    expect(events.at(-1)).toMatchObject({ code: 'upstream_unreachable', status: 502 });
    expect(failedEarly(events)).toBe(true);
  }
  expect(attemptsOf(await shown(fleet)) - before).toBeLessThanOrEqual(120);

  const response = await fleet.chat();
  expect((await problemIn(response)).retryAfterMs).toBeGreaterThan(0);
  expect(Number(response.headers.get('retry-after'))).toBeLessThanOrEqual(5);
  // Once they are open, an outage costs the upstreams one try each time they reopen.
  const settled = attemptsOf(await shown(fleet));
  for (let at = 0; at < 20; at++) await chatAs(fleet, 'ada');
  expect(attemptsOf(await shown(fleet))).toBe(settled);
});

describe('a server that was down is on trial', () => {
  const answer = Buffer.concat(
    [streamHead, chunk(textRecord('Hi')), chunk(lastRecord), streamEnd].map((piece) => Buffer.from(piece)),
  );

  /** Its breaker lets one request through, which waits for its first token; two more people have come meanwhile. */
  async function onTrial() {
    let isBroken = true;
    const server = closeLater(await startRawOllama(({ socket }) => void (isBroken && socket.destroy())));
    // With one upstream alone everybody is let through to it in the same way as with two: one has not got the model.
    const clock = new DrivenClock();
    const more = [{ url: server.url, name: 'raw', slots: 8 }];
    const fleet = await startFleet(1, { more, options: { clock } });
    const ask = (who: string) => chatAs(fleet, who, { model: 'raw' });
    for (let at = 0; at < 3; at++) expect(failedEarly(await ask(`user-${at}`))).toBe(true);
    expect((await shown(fleet))[1]).toMatchObject({ breaker: 'open' });
    isBroken = false;
    const asked = server.exchanges.length;
    await clock.drive(6000);
    const trial = ask('ada');
    await until(() => server.exchanges.length === asked + 1);
    const waiting = ['bob', 'eve'].map(ask);
    await until(() => fleet.kit.gauges().queued === 2);
    return { clock, fleet, server, asked, all: [trial, ...waiting] };
  }

  test('others wait for it instead of being refused, and are asked for once it has said something', async () => {
    const { fleet, server, asked, all } = await onTrial();
    const socketOf = (at: number) => server.exchanges[asked + at]?.socket;
    socketOf(0)?.write(Buffer.concat([Buffer.from(streamHead), chunk(textRecord('Hi'))]));
    await until(() => server.exchanges.length === asked + 3);
    expect((await shown(fleet))[1]).toMatchObject({ breaker: 'closed' });
    socketOf(0)?.end(Buffer.concat([chunk(lastRecord), Buffer.from(streamEnd)]));
    for (const at of [1, 2]) socketOf(at)?.end(answer);
    expect((await Promise.all(all)).filter(isWhole)).toHaveLength(3);
  });

  test('it fails: the next of those who wait is the next trial, without anybody new', async () => {
    const { clock, fleet, server, asked, all } = await onTrial();
    server.exchanges[asked]?.socket.destroy();
    expect(failedEarly((await all[0]) ?? [])).toBe(true);
    expect((await shown(fleet))[1]).toMatchObject({ breaker: 'open' });
    expect(fleet.kit.gauges()).toMatchObject({ queued: 2 });
    // Twice the 5 s of the first time.
    await clock.drive(10_000);
    await until(() => server.exchanges.length === asked + 2);
    server.exchanges[asked + 1]?.socket.end(answer);
    await until(() => server.exchanges.length === asked + 3);
    server.exchanges[asked + 2]?.socket.end(answer);
    expect((await Promise.all(all.slice(1))).every(isWhole)).toBe(true);
    expect(fleet.kit.gauges()).toMatchObject({ activeRequests: 0, queued: 0, openUpstream: 0 });
  });

  test('it never gets well: those who wait are told so after 15 s, and when to come back', async () => {
    const { clock, fleet, server, asked, all } = await onTrial();
    server.exchanges[asked]?.socket.destroy();
    await all[0];
    await clock.drive(10_000);
    await until(() => server.exchanges.length === asked + 2);
    server.exchanges[asked + 1]?.socket.destroy();
    await Promise.race(all.slice(1));
    await clock.drive(15_000);
    for (const events of await Promise.all(all)) {
      expect(failedEarly(events)).toBe(true);
      expect(events.at(-1)).toMatchObject({ retryable: true });
    }
    expect(server.exchanges).toHaveLength(asked + 2);
    expect(fleet.kit.gauges()).toMatchObject({ activeRequests: 0, queued: 0, openUpstream: 0 });
  });
});

test('one that comes and goes: every answer is whole', async () => {
  const fleet = await startFleet(2);
  const [flapping] = fleet.gpus;
  for (let round = 0; round < 6; round++) {
    if (round % 2 === 0) await flapping?.down();
    else await flapping?.up();
    const ends = await Promise.all(Array.from({ length: 12 }, (_, at) => chatAs(fleet, `user-${at}`)));
    expect(ends.filter((events) => !isWhole(events))).toEqual([]);
    fleet.clock.advance(6000);
    await fleet.answer('/models', { token: await fleet.token() });
  }
});

describe('an upstream that answers wrongly, beside one that does not', () => {
  const wrong: [string, () => string | Uint8Array, string][] = [
    ['500', () => whole('{"error":"boom"}', 'HTTP/1.1 500 Oops'), 'upstream_error'],
    [
      'a crashed runner',
      () => whole('{"error":"llama runner process has terminated: exit status 2"}', 'HTTP/1.1 500 Oops'),
      'runner_crashed',
    ],
    ['garbage', () => whole('hello\n'), 'malformed_record'],
    ['HTML', () => whole('<html>', undefined, ['content-type: text/html']), 'malformed_record'],
    ['nothing at all', () => whole(''), 'truncated'],
    ['a closed connection', () => '', 'upstream_error'],
    ['a record cut in half', () => Buffer.concat([Buffer.from(streamHead), chunk('{"mess')]), 'truncated'],
    [
      'an error record',
      () => Buffer.concat([Buffer.from(streamHead), chunk('{"error":"boom"}\n')]),
      'upstream_error',
    ],
  ];

  test.each(wrong)('%s: the other one answers', async (_what, answer, code) => {
    const { fleet, ask } = await startBeside(answer);
    for (let at = 0; at < 6; at++) expect(isWhole(await ask(`user-${at}`))).toBe(true);
    const [good, bad] = await shown(fleet);
    expect(bad).toMatchObject({ faults: 3, breaker: 'open', lastFault: { code } });
    expect(good).toMatchObject({ faults: 0, breaker: 'closed', attempts: 6 });
  });

  test.each([
    ['busy', () => whole('{"error":"server busy"}', 'HTTP/1.1 503 Busy')],
    [
      'out of memory',
      () =>
        whole('{"error":"model requires more system memory (9 GiB) than is available"}', 'HTTP/1.1 500 No'),
    ],
  ])('%s: the other one answers, and it is no fault', async (_what, answer) => {
    const { fleet, ask } = await startBeside(answer);
    for (let at = 0; at < 5; at++) expect(isWhole(await ask(`user-${at}`))).toBe(true);
    expect((await shown(fleet))[1]).toMatchObject({ faults: 0, breaker: 'closed' });
  });

  test('a model that it lists and does not have: asked for it once, then not for a while', async () => {
    const { server, fleet, ask } = await startBeside(() =>
      whole('{"error":"model \\"stand-in\\" not found, try pulling it first"}', 'HTTP/1.1 404 No'),
    );
    for (let at = 0; at < 5; at++) expect(isWhole(await ask(`user-${at}`))).toBe(true);
    expect(server.exchanges).toHaveLength(1);
    fleet.clock.advance(6000);
    expect(isWhole(await ask('ada'))).toBe(true);
    expect(server.exchanges).toHaveLength(2);
  });

  test('a request that is wrong is wrong everywhere: it is tried once', async () => {
    const { fleet, ask } = await startBeside(() => whole('{"error":"invalid format"}', 'HTTP/1.1 400 No'));
    for (let at = 0; at < 5; at++) expect(await ask(`user-${at}`)).toMatchObject([{ code: 'bad_request' }]);
    const [good, bad] = await shown(fleet);
    expect(good?.attempts).toBe(0);
    expect(bad).toMatchObject({ attempts: 5, faults: 0, breaker: 'closed' });
  });
});

describe('what has begun stays where it is', () => {
  test.each([
    ['cut', [say('Hel'), cut()], 'truncated'],
    ['an error record', [say('Hel'), error('boom')], 'upstream_error'],
    ['garbage', [say('Hel'), garbage('???\n')], 'malformed_record'],
  ])('%s after a token: one typed error, one generation', async (_what, script, code) => {
    const fleet = await startFleet(2);
    for (const gpu of fleet.gpus) gpu.fake.script(script);
    const events = await chatAs(fleet, 'ada');
    expect(events.map(({ type }) => type)).toEqual(['start', 'text-delta', 'error']);
    expect(events.at(-1)).toMatchObject({ code });
    const chats = fleet.gpus.flatMap(({ fake }) =>
      fake.report().requests.filter(({ path }) => path === '/api/chat'),
    );
    expect(chats).toHaveLength(1);
  });
});

test('a second try keeps the sequence of events: nothing of the first is seen', async () => {
  const fleet = await startFleet(2);
  for (const gpu of fleet.gpus) gpu.fake.script([cut()]);
  // Both fail their first: with one other upstream there is nothing left.
  expect(failedEarly(await chatAs(fleet, 'ada'))).toBe(true);
  fleet.gpus[0]?.fake.script([cut()]);
  fleet.gpus[1]?.fake.reset();
  const events = await chatAs(fleet, 'grace');
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, at) => at));
  expect(events.filter(({ type }) => type === 'start')).toHaveLength(1);
  expect(isWhole(events)).toBe(true);
});

test('complete answers are tried elsewhere too', async () => {
  const fleet = await startFleet(2);
  fleet.gpus[0]?.fake.script([cut()]);
  fleet.gpus[1]?.fake.script([say('Hi')]);
  for (let at = 0; at < 2; at++) {
    const response = await fleet.chat({ stream: false }, { token: await fleet.token({ sub: `u${at}` }) });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ done: true });
  }
});

test('a caller who leaves while its second try runs leaves nothing behind', async () => {
  const fleet = await startFleet(2, { ollama: { tokensPerSecond: 1000 } });
  fleet.gpus[0]?.fake.script([cut()]);
  fleet.gpus[1]?.fake.script([stall()]);
  await fleet.gpus[1]?.fake.waitFor(() => true);
  const left = new AbortController();
  const asked = fleet.chat({}, { signal: left.signal }).catch(() => {});
  await fleet.gpus[1]?.fake.waitFor(({ openGenerations }) => openGenerations === 1);
  left.abort();
  await fleet.gpus[1]?.fake.waitFor(
    ({ openGenerations, disconnects }) => openGenerations === 0 && disconnects.length === 1,
  );
  await asked;
  expect((await shown(fleet)).map(({ inFlight }) => inFlight)).toEqual([0, 0]);
  expect((await shown(fleet))[1]).toMatchObject({ faults: 0 });
});

test('streams that were there when the kit was told of other upstreams go on', async () => {
  const fleet = await startFleet(2, { ollama: { tokensPerSecond: 300 } });
  const reading = fleet.gpus.map(() => fleet.chat());
  const responses = await Promise.all(reading);
  fleet.kit.reload({
    upstreams: [{ url: fleet.gpus[1]?.url ?? '', name: 'gpu-1', slots: 8 }],
    auth: {
      jwt: {
        secret: 'a secret for tests, longer than 32 bytes',
        issuer: 'https://app.example',
        audience: 'ziggie-tests',
      },
    },
  });
  for (const response of responses) expect(isWhole(await eventsIn(response))).toBe(true);
  expect((await shown(fleet)).map(({ id }) => id)).toEqual(['gpu-1']);
});
