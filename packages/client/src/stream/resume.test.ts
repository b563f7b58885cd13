import { afterEach, describe, expect, test, vi } from 'vitest';
import { createManualClock, instantClock, noTimeouts } from '../../test/clock.ts';
import { type Break, resumableServer, runOf } from '../../test/resumable-server.ts';
import { done, failureOf, question, start, text } from '../../test/samples.ts';
import {
  type Exchange,
  events,
  hangUp,
  lines,
  reply,
  serve,
  silence,
  toLines,
} from '../../test/scripted-server.ts';
import {
  type ChatEvent,
  type ClientHooks,
  type ClientOptions,
  createClient,
  reconnectNow,
} from '../index.ts';

const pieces = ['Wer ', 'reitet ', 'so ', 'spät ', 'durch ', 'Nacht ', 'und ', 'Wind?'];
const whole = pieces.join('');
const run = runOf(pieces);

function patient(url: string, more: Partial<ClientOptions> = {}) {
  const clock = instantClock();
  const client = createClient({
    baseUrl: url,
    clock,
    random: () => 0.5,
    timeouts: noTimeouts,
    resume: true,
    ...more,
  });
  return { client, waits: clock.waits };
}

async function collect(stream: AsyncIterable<ChatEvent>): Promise<ChatEvent[]> {
  const seen: ChatEvent[] = [];
  for await (const event of stream) seen.push(event);
  return seen;
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('a resumable answer that breaks after its first token', () => {
  const hows: Break['how'][] = ['reset', 'end', 'middle'];
  test.each(hows)('by %s at every event goes on without a doubled or missing one', async (how) => {
    const expected = run.map(({ seq: _, ...event }: { seq?: number }) => event);
    for (let after = 2; after < run.length; after++) {
      const server = await resumableServer(run, [{ after, how }]);
      const { client } = patient(server.url);
      const stream = client.chat(question);
      const seen = await collect(stream);
      expect(
        seen.map((event) => (event.type === 'done' ? { ...event, timings: done.timings } : event)),
      ).toEqual(expected);
      expect(server.resumedAfter).toEqual([after - 1]);
      expect(await stream.final()).toMatchObject({
        text: whole,
        usage: { outputTokens: pieces.length },
        attempts: [{ code: 'truncated' }, { number: 2, status: 200, resumed: true }],
      });
      expect(server.deleted).toEqual([]);
    }
  });

  test('breaking again and again it goes on again and again, beyond maxAttempts', async () => {
    const breaks = pieces.map((): Break => ({ after: 1, how: 'reset' }));
    const server = await resumableServer(run, [{ after: 2, how: 'reset' }, ...breaks.slice(2)]);
    const { client } = patient(server.url, { retry: { maxAttempts: 1 } });
    expect(await client.chat(question).text()).toBe(whole);
    expect(server.resumedAfter).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test('reconnectNow() ends a wait of minutes, but not one that the server asked for', async () => {
    for (const [headers, goesOn] of [
      [{}, true],
      [{ 'Retry-After': '5' }, false],
    ] as const) {
      const server = await resumableServer(run, [{ after: 4, how: 'reset' }], [reply(503, '', headers)]);
      const waits: number[] = [];
      const client = createClient({
        baseUrl: server.url,
        resume: true,
        random: () => 1,
        retry: { baseMs: 0, reconnectMs: 600_000, maxRetryAfterMs: 60_000 },
        hooks: { reconnecting: (_, { delayMs }) => void waits.push(delayMs) },
      });
      const stream = client.chat(question);
      const answer = stream.text().catch(() => 'stopped');
      await expect.poll(() => waits.length).toBe(2);
      reconnectNow();
      if (!goesOn) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        expect(server.resumedAfter).toEqual([]);
        stream.abort();
      }
      expect(await answer).toBe(goesOn ? whole : 'stopped');
    }
  });

  test('502, 503, 429 and no connection at all in between are survived', async () => {
    const refusals = [reply(502, '<html>'), reply(503, ''), reply(429, '', { 'Retry-After': '7' }), hangUp];
    const server = await resumableServer(run, [{ after: 4, how: 'reset' }], refusals);
    const { client, waits } = patient(server.url);
    const result = await client.chat(question).final();
    expect(result.text).toBe(whole);
    expect(result.attempts.map(({ status, code, resumed }) => [status, code, resumed])).toEqual([
      [200, 'truncated', undefined],
      [502, 'upstream_error', true],
      [503, 'server_busy', true],
      [429, 'rate_limited', true],
      [undefined, 'connect_failed', true],
      [200, undefined, true],
    ]);
    // In the middle of the first half second, of 1 to 15 s and of 1 to 30 s; what the server asks for wins.
    expect(waits.filter((ms) => ms !== 1_000)).toEqual([250, 8_000, 15_500, 7_000, 15_500]);
  });

  test('a half-open connection is noticed by the idle clock', async () => {
    const clock = createManualClock();
    const server = await resumableServer(run, [{ after: 4, how: 'silence' }]);
    const client = createClient({ baseUrl: server.url, clock, resume: true, random: () => 0 });
    const asking = client.chat(question).final();
    while (server.resumedAfter.length === 0) {
      await clock.advance(1_000);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(await asking).toMatchObject({
      text: whole,
      attempts: [{ code: 'idle_timeout' }, { resumed: true }],
    });
    expect(clock.now()).toBeGreaterThanOrEqual(60_000);
  });

  test('a new token is fetched once when the old one ran out', async () => {
    let tokens = 0;
    const server = await resumableServer(run, [{ after: 4, how: 'reset' }], [reply(401, '')]);
    const { client } = patient(server.url, { credentials: () => `t${++tokens}` });
    expect(await client.chat(question).text()).toBe(whole);
    expect(server.exchanges.map(({ request }) => request.headers.authorization)).toEqual([
      'Bearer t1',
      'Bearer t2',
      'Bearer t3',
    ]);
  });

  test('a token that is refused again once it is new ends it: no third is fetched', async () => {
    let tokens = 0;
    const refusals = Array.from({ length: 5 }, () => reply(401, ''));
    const server = await resumableServer(run, [{ after: 4, how: 'reset' }], refusals);
    const { client } = patient(server.url, { credentials: () => `t${++tokens}` });
    await expect(client.chat(question).text()).rejects.toMatchObject({ code: 'truncated' });
    // The question, and two tries to pick its answer up; what follows tells the kit that nobody comes back.
    const tries = server.exchanges.filter(({ request }) => request.method === 'GET');
    expect(tries.map(({ request }) => request.headers.authorization)).toEqual(['Bearer t2', 'Bearer t3']);
  });

  test('hooks hear when it is picked up', async () => {
    const heard: unknown[] = [];
    const hooks: ClientHooks = {
      reconnecting: (_, { tries, delayMs, offline, error }) =>
        heard.push([tries, delayMs, offline, error.code]),
      reconnected: (_, { elapsedMs }) => heard.push(elapsedMs >= 0),
    };
    const server = await resumableServer(run, [{ after: 4, how: 'reset' }], [reply(503, '')]);
    const { client } = patient(server.url);
    await client.chat(question, { hooks }).text();
    expect(heard).toEqual([[1, 250, false, 'truncated'], [2, 8_000, false, 'server_busy'], true]);
  });
});

describe('it is lost', () => {
  test('when the run is gone: the break is told, with what had arrived', async () => {
    const server = await resumableServer(run, [{ after: 4, how: 'reset' }], [reply(404, '')]);
    const { client } = patient(server.url);
    expect(await failureOf(client.chat(question).text())).toMatchObject({
      code: 'truncated',
      partial: { text: 'Wer reitet so ' },
      attempts: [{ code: 'truncated' }, { status: 404, code: 'not_found', resumed: true }],
    });
  });

  test("and then recovery: 'restart' asks anew", async () => {
    const server = await resumableServer(run, [{ after: 4, how: 'reset' }], [reply(404, '')]);
    const { client } = patient(server.url, { recovery: 'restart' });
    const seen = await collect(client.chat(question));
    expect(seen.filter(({ type }) => type === 'restart')).toHaveLength(1);
    // The old run is told to end while the new one is asked for.
    await server.arrived(4);
    const methods = server.exchanges.map(({ request }) => request.method);
    expect(methods.slice(0, 2)).toEqual(['POST', 'GET']);
    expect(methods.slice(2).sort()).toEqual(['DELETE', 'POST']);
  });

  describe("and the server's last word on it is all that comes, as when the process that wrote it is gone", () => {
    const lost = {
      type: 'error',
      code: 'truncated',
      message: 'The server that wrote this answer went away. Ask again.',
      status: 502,
      retryable: true,
    };

    test('nothing was seen yet: it is asked again', async () => {
      const gone = lines({ ...lost, seq: 1 });
      const server = await resumableServer(run, [{ after: 1, how: 'reset' }], [gone]);
      const { client } = patient(server.url);
      expect(await client.chat(question).final()).toMatchObject({
        text: whole,
        attempts: [{ code: 'truncated' }, { code: 'truncated', resumed: true }, { status: 200 }],
      });
    });

    test("in the middle: recovery: 'restart' asks anew, 'throw' tells what the server said", async () => {
      for (const recovery of ['restart', 'throw'] as const) {
        const gone = lines({ ...lost, seq: 4 });
        const server = await resumableServer(run, [{ after: 4, how: 'reset' }], [gone]);
        const { client } = patient(server.url, { recovery });
        if (recovery === 'restart') expect(await client.chat(question).text()).toBe(whole);
        else {
          expect(await failureOf(client.chat(question).text())).toMatchObject({
            code: 'truncated',
            message: expect.stringContaining('went away'),
            partial: { text: 'Wer reitet so ' },
          });
        }
      }
    });

    test('a failure that would come again is not asked for again', async () => {
      const gone = lines({ ...lost, code: 'model_not_found', status: 404, retryable: false, seq: 1 });
      const server = await resumableServer(run, [{ after: 1, how: 'reset' }], [gone]);
      const { client } = patient(server.url, { recovery: 'restart' });
      expect(await failureOf(client.chat(question).text())).toMatchObject({ code: 'model_not_found' });
      expect(server.exchanges.map(({ request }) => request.method)).toEqual(['POST', 'GET']);
    });
  });

  test('when events are missing: a gap is an error, not an answer', async () => {
    const gap = events(start, text('a'));
    const server = await resumableServer(
      run,
      [{ after: 4, how: 'reset' }],
      [lines({ ...text('x'), seq: 6 }), gap],
    );
    const { client } = patient(server.url);
    expect(await failureOf(client.chat(question).text())).toMatchObject({
      code: 'malformed_record',
      partial: { text: 'Wer reitet so ' },
    });
  });

  test('when what was read already comes again', async () => {
    const server = await resumableServer(run, [{ after: 4, how: 'reset' }], [lines(...run)]);
    const { client } = patient(server.url);
    expect(await failureOf(client.chat(question).text())).toMatchObject({ code: 'malformed_record' });
  });

  test('when five minutes brought nothing, and no sooner', async () => {
    const server = await resumableServer(
      run,
      [{ after: 4, how: 'reset' }],
      Array.from({ length: 500 }, () => reply(503, '')),
    );
    const { client, waits } = patient(server.url);
    const error = await failureOf(client.chat(question).text());
    expect(error).toMatchObject({ code: 'truncated' });
    const slept = waits.filter((ms) => ms !== 1_000).reduce((sum, ms) => sum + ms, 0);
    expect(slept).toBe(300_000);
  });

  test('at once when the server asks for a wait that goes beyond them', async () => {
    const late = reply(503, '', { 'Retry-After': '50' });
    const server = await resumableServer(run, [{ after: 4, how: 'reset' }], [late]);
    const { client, waits } = patient(server.url, { retry: { reconnectMs: 40_000 } });
    expect(await failureOf(client.chat(question).text())).toMatchObject({ code: 'truncated' });
    expect(waits.filter((ms) => ms !== 1_000)).toEqual([250]);
  });

  test('when the server says that it failed: its error is no broken connection', async () => {
    const failure = {
      type: 'error',
      code: 'runner_crashed',
      message: 'It died.',
      status: 502,
      retryable: true,
      seq: 5,
    };
    const server = await resumableServer([...run.slice(0, 5), failure], [{ after: 3, how: 'reset' }]);
    const { client } = patient(server.url);
    expect(await failureOf(client.chat(question).text())).toMatchObject({
      code: 'runner_crashed',
      partial: { text: 'Wer reitet so spät ' },
    });
    expect(server.resumedAfter).toEqual([2]);
  });

  test('when the server did not say that it can be picked up', async () => {
    const server = await resumableServer(runOf(pieces, false), [{ after: 4, how: 'reset' }]);
    const { client } = patient(server.url);
    expect(await failureOf(client.chat(question).text())).toMatchObject({ code: 'truncated' });
    expect(server.exchanges).toHaveLength(1);
  });

  test('when the deadline comes first', async () => {
    const server = await resumableServer(
      run,
      [{ after: 4, how: 'reset' }],
      Array.from({ length: 500 }, () => reply(503, '')),
    );
    const clock = createManualClock();
    const client = createClient({
      baseUrl: server.url,
      clock,
      resume: true,
      random: () => 0.5,
      timeouts: { totalMs: 20_000 },
    });
    const asking = failureOf(client.chat(question).text());
    let over = false;
    void asking.then(() => {
      over = true;
    });
    while (!over) {
      await clock.advance(500);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(await asking).toMatchObject({ code: 'deadline_exceeded' });
  });
});

describe('stopping ends the run on the server', () => {
  test.each(['break', 'abort', 'signal'] as const)('%s sends DELETE', async (how) => {
    const server = await resumableServer(run, [{ after: 4, how: 'silence' }]);
    const { client } = patient(server.url, { credentials: 'tok' });
    const controller = new AbortController();
    const stream = client.chat(question, { signal: controller.signal, headers: { 'X-Mine': '1' } });
    const before = performance.now();
    const reading = (async () => {
      for await (const event of stream) {
        if (event.type !== 'text-delta') continue;
        if (how === 'break') break;
        if (how === 'abort') stream.abort();
        else controller.abort();
      }
    })();
    await reading.catch(() => {});
    const exchange = await server.arrived(2);
    expect(performance.now() - before).toBeLessThan(1000);
    expect(server.deleted).toEqual(['/streams/run-1']);
    expect(exchange.request.headers).toMatchObject({ authorization: 'Bearer tok', 'x-mine': '1' });
    expect((await server.arrived(1)).left).toBe(true);
  });

  // A page that is being closed has no time to fetch another.
  test.each([
    ['with the token that the answer was asked with', ['first', 'second'], ['Bearer first']],
    ['with a new one where that has expired', ['expired', 'second'], ['Bearer expired', 'Bearer second']],
  ])('%s', async (_what, tokens, sent) => {
    const server = await resumableServer(run, [{ after: 4, how: 'silence' }]);
    const left = [...tokens];
    const outlives: [string | undefined, boolean | undefined][] = [];
    const { client } = patient(server.url, {
      clock: createManualClock(),
      credentials: async () => left.shift() ?? '',
      fetch: (input, init) => {
        outlives.push([init?.method, init?.keepalive]);
        return fetch(input, init);
      },
    });
    const stream = client.chat(question);
    for await (const event of stream) if (event.type === 'text-delta') break;
    await server.arrived(1 + sent.length);
    const stops = server.exchanges.filter(({ request }) => request.method === 'DELETE');
    expect(stops.map(({ request }) => request.headers.authorization)).toEqual(sent);
    expect(left).toHaveLength(2 - sent.length);
    expect(outlives).toEqual([['POST', false], ...sent.map(() => ['DELETE', true])]);
  });

  test('while it is picked up too', async () => {
    const server = await resumableServer(run, [{ after: 4, how: 'reset' }], [silence]);
    const { client } = patient(server.url);
    const stream = client.chat(question);
    const asking = failureOf(stream.text());
    await server.arrived(2);
    stream.abort();
    expect(await asking).toMatchObject({ code: 'aborted', partial: { text: 'Wer reitet so ' } });
    await server.arrived(3);
    expect(server.deleted).toEqual(['/streams/run-1']);
  });

  // The kit may have sent it already, and would go on for the grace.
  test('before the first token ends the run as well', async () => {
    const server = await resumableServer(run, [{ after: 1, how: 'silence' }]);
    const { client } = patient(server.url);
    const stream = client.chat(question);
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    await iterator.return?.();
    await (await server.arrived(1)).closed;
    await server.arrived(2);
    expect(server.deleted).toEqual(['/streams/run-1']);
  });

  test('an answer whose first token was lost on its way is picked up, and its first token is told once', async () => {
    const server = await resumableServer(run, [{ after: 1, how: 'reset' }]);
    const firstTokens: unknown[] = [];
    const { client } = patient(server.url, { hooks: { firstToken: (_, told) => firstTokens.push(told) } });
    const events: ChatEvent[] = [];
    for await (const event of client.chat(question)) events.push(event);
    expect(events.filter(({ type }) => type === 'start')).toHaveLength(1);
    expect(server.resumedAfter).toEqual([0]);
    expect(server.exchanges.filter(({ request }) => request.method === 'POST')).toHaveLength(1);
    expect(firstTokens).toHaveLength(1);
  });
});

test('resume is asked of the kit alone, and a call can turn it off', async () => {
  const server = await resumableServer(run, []);
  const { client } = patient(server.url);
  await client.chat(question).text();
  await client.chat(question, { resume: false }).text();
  await createClient({ baseUrl: server.url }).chat(question).text();
  expect(server.exchanges.map(({ body }) => (JSON.parse(body) as { resume?: boolean }).resume)).toEqual([
    true,
    undefined,
    true,
  ]);
});

describe('the network of a browser', () => {
  /** What a page has, as far as a client looks. */
  function page() {
    const target = new EventTarget();
    const network = { onLine: true };
    vi.stubGlobal('navigator', network);
    vi.stubGlobal('document', Object.assign(new EventTarget(), { visibilityState: 'visible' }));
    const listen = vi.fn(target.addEventListener.bind(target));
    vi.stubGlobal('addEventListener', listen);
    vi.stubGlobal('removeEventListener', target.removeEventListener.bind(target));
    return {
      network,
      /** What watches the network comes with the first answer that can be picked up. */
      untilWatched: () => expect.poll(() => listen.mock.calls.length).toBeGreaterThan(0),
      online: () => target.dispatchEvent(new Event('online')),
      seen: () =>
        (globalThis as { document?: EventTarget }).document?.dispatchEvent(new Event('visibilitychange')),
    };
  }

  async function untilHeard(heard: unknown[], count: number): Promise<void> {
    await vi.waitFor(() => expect(heard.length).toBeGreaterThanOrEqual(count));
  }

  test('while it is offline no try is made; one follows as soon as it is back', async () => {
    const { network, online } = page();
    const clock = createManualClock();
    const heard: unknown[] = [];
    const server = await resumableServer(run, [{ after: 4, how: 'reset' }]);
    const client = createClient({
      baseUrl: server.url,
      clock,
      resume: true,
      hooks: { reconnecting: (_, { offline }) => heard.push(offline) },
    });
    const iterator = client.chat(question)[Symbol.asyncIterator]();
    for (let count = 0; count < 4; count++) await iterator.next();
    network.onLine = false;
    const going = iterator.next();
    await untilHeard(heard, 1);
    await clock.advance(200_000);
    expect(server.exchanges).toHaveLength(1);
    network.onLine = true;
    const before = performance.now();
    online();
    expect(await going).toMatchObject({ value: { text: 'spät ' } });
    expect(performance.now() - before).toBeLessThan(1000);
    expect(heard[0]).toBe(true);
  });

  test('a page that is looked at again cuts a wait short', async () => {
    const { seen } = page();
    const clock = createManualClock();
    const heard: number[] = [];
    const server = await resumableServer(run, [{ after: 4, how: 'reset' }], [reply(503, ''), reply(503, '')]);
    const client = createClient({
      baseUrl: server.url,
      clock,
      resume: true,
      random: () => 0.99,
      retry: { baseMs: 0 },
      hooks: { reconnecting: (_, { delayMs }) => heard.push(delayMs) },
    });
    const asking = client.chat(question).text();
    await untilHeard(heard, 2);
    seen();
    await untilHeard(heard, 3);
    seen();
    expect(await asking).toBe(whole);
  });

  test('a connection that was silent through the sleep of a page is given up when it wakes', async () => {
    const { seen, untilWatched } = page();
    const clock = createManualClock();
    const server = await resumableServer(run, [{ after: 4, how: 'silence' }]);
    const client = createClient({ baseUrl: server.url, clock, resume: true, retry: { baseMs: 0 } });
    const iterator = client.chat(question)[Symbol.asyncIterator]();
    for (let count = 0; count < 4; count++) await iterator.next();
    const going = iterator.next();
    await untilWatched();
    await clock.advance(9_000);
    seen();
    expect(server.exchanges).toHaveLength(1);
    await clock.advance(2_000);
    seen();
    expect(await going).toMatchObject({ value: { text: 'spät ' } });
  });

  test('a page that wakes more than 10 s after a pick-up does not break the live answer', async () => {
    const { seen } = page();
    const clock = createManualClock();
    const held: Exchange[] = [];
    const server = await resumableServer(
      run,
      [{ after: 2, how: 'reset' }],
      [(exchange) => void held.push(exchange)],
    );
    const answered: number[] = [];
    const client = createClient({
      baseUrl: server.url,
      clock,
      resume: true,
      timeouts: noTimeouts,
      retry: { baseMs: 0 },
      hooks: { firstByte: () => void answered.push(clock.now()) },
    });
    const iterator = client.chat(question)[Symbol.asyncIterator]();
    for (let count = 0; count < 2; count++) await iterator.next();
    let going = iterator.next();
    await expect.poll(() => held.length).toBe(1);
    const { response } = held[0] as Exchange;
    // Slow to answer, and seen before anything of the answer came.
    await clock.advance(11_000);
    response.writeHead(200, { 'Content-Type': 'application/x-ndjson' }).flushHeaders();
    await expect.poll(() => answered.length).toBe(2);
    seen();
    // Each piece comes in time; together they take longer than the silence that is allowed.
    for (const at of [2, 3, 4]) {
      await clock.advance(8_000);
      seen();
      response.write(toLines(run[at] as object));
      expect(await going).toMatchObject({ value: { text: pieces[at - 1] } });
      going = iterator.next();
    }
    response.end(toLines(...run.slice(5)));
    for (let step = await going; !step.done; ) step = await iterator.next();
    expect(server.exchanges).toHaveLength(2);
  });

  test('a page that wakes just after an answer began, long after its head came, does not break it', async () => {
    const { seen, untilWatched } = page();
    const clock = createManualClock();
    const held: Exchange[] = [];
    const heads: number[] = [];
    const server = await serve((exchange) => {
      held.push(exchange);
      exchange.response.writeHead(200, { 'Content-Type': 'application/x-ndjson' }).flushHeaders();
    });
    const client = createClient({
      baseUrl: server.url,
      clock,
      resume: true,
      timeouts: noTimeouts,
      retry: { baseMs: 0 },
      hooks: { firstByte: () => void heads.push(clock.now()) },
    });
    const iterator = client.chat(question)[Symbol.asyncIterator]();
    const first = iterator.next();
    await expect.poll(() => heads.length).toBe(1);
    await clock.advance(11_000);
    held[0]?.response.write(toLines(run[0] as object));
    expect(await first).toMatchObject({ value: { type: 'start' } });
    const going = iterator.next();
    await untilWatched();
    seen();
    held[0]?.response.end(toLines(...run.slice(1)));
    expect(await going).toMatchObject({ value: { text: pieces[0] } });
    expect(server.exchanges).toHaveLength(1);
  });

  test('being offline for longer than reconnectMs loses the answer', async () => {
    const { network } = page();
    const server = await resumableServer(run, [{ after: 4, how: 'reset' }]);
    const { client } = patient(server.url);
    const iterator = client.chat(question)[Symbol.asyncIterator]();
    for (let count = 0; count < 4; count++) await iterator.next();
    network.onLine = false;
    expect(await failureOf(iterator.next())).toMatchObject({ code: 'truncated' });
    expect(server.exchanges.filter(({ request }) => request.method === 'GET')).toHaveLength(0);
  });
});
