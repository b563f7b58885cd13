import { createServer } from 'node:http';
import { describe, expect, test } from 'vitest';
import { ziggieNode, ziggieSockets } from '../../src/node.ts';
import { listen } from '../doors/hosts.ts';
import {
  closeLater,
  createTestClock,
  eventsOf,
  expectWellFormed,
  parseEvents,
  problemOf,
  textOf,
  until,
} from '../stream-harness.ts';
import { SocketClient } from '../ws/socket-client.ts';
import { eventsIn, startLine, tokenOf } from './lines-bench.ts';
import { percentile } from './random.ts';

interface Listed {
  waiting: Record<string, unknown>[];
}

describe('a request that finds no place', () => {
  test('waits, is told where it stands and goes on when a place is free', async () => {
    const bench = await startLine();
    const first = bench.read('ada');
    await bench.asked(0);
    const second = eventsIn(await bench.chat('grace'));
    const third = eventsIn(await bench.chat('linus'));
    await second.until(({ type }) => type === 'queued');
    await third.until(({ type }) => type === 'queued');
    expect(third.events).toMatchObject([
      { type: 'start', seq: 0 },
      { type: 'queued', seq: 1, position: 2, of: 2, etaMs: null },
    ]);
    expect(bench.kit.gauges()).toMatchObject({ queued: 2, openUpstream: 1 });
    await bench.answer(0);
    expect(textOf(parseEvents(await first))).toBe('Hi');
    await bench.asked(1);
    await third.until((event) => event.type === 'queued' && event.position === 1);
    await bench.answer(1, 'for grace');
    await bench.answer(2, 'for linus');
    for (const [one, text] of [
      [second, 'for grace'],
      [third, 'for linus'],
    ] as const) {
      const events = await one.rest();
      expectWellFormed(events);
      expect(textOf(events)).toBe(text);
      const done = events.at(-1);
      expect(done?.type === 'done' && (done.timings.queueMs ?? 0)).toBeGreaterThan(0);
    }
  });

  test('is told the expected wait once answers have been seen', async () => {
    const clock = createTestClock();
    const bench = await startLine({ clock });
    const first = bench.read('ada');
    await bench.asked(0);
    await clock.advance(8000);
    await bench.answer(0);
    await first;
    const running = bench.read('ada');
    await bench.asked(1);
    await clock.advance(2000);
    const waiting = bench.chat('grace');
    await until(() => bench.kit.gauges().queued === 1);
    await clock.advance(0);
    const second = eventsIn(await waiting);
    const queued = await second.until(({ type }) => type === 'queued');
    expect(queued).toMatchObject({ position: 1, of: 1, etaMs: 6000 });
    await bench.answer(1);
    await bench.answer(2);
    await running;
    await second.rest();
  });

  test.each(['sse', 'complete'])('waits as %s too', async (kind) => {
    const bench = await startLine();
    const first = bench.read('ada');
    await bench.asked(0);
    const more =
      kind === 'sse' ? { headers: { accept: 'text/event-stream' } } : { stream: false, headers: {} };
    const second = bench.chat('grace', more);
    await until(() => bench.kit.gauges().queued === 1);
    if (kind === 'sse') {
      const response = await second;
      expect(response.headers.get('content-type')).toMatch('text/event-stream');
    }
    await bench.answer(0);
    await first;
    await bench.answer(1, 'late');
    const text = await (await second).text();
    if (kind === 'sse')
      expect(text).toMatch(/data: \{"type":"queued","position":1,"of":1,"etaMs":null,"seq":1\}/);
    else expect(JSON.parse(text)).toMatchObject({ message: { content: 'late' }, done: true });
  });

  test('hears of its place on a WebSocket', async () => {
    const bench = await startLine();
    const server = createServer(ziggieNode(bench.kit));
    const detach = ziggieSockets(server, bench.kit);
    const running = await listen(server);
    closeLater(async () => {
      detach();
      await running.close();
    });
    const first = bench.read('ada');
    await bench.asked(0);
    const socket = await SocketClient.open(`ws://127.0.0.1:${running.port}/ws`, ['ziggie.v1'], {
      authorization: `Bearer ${await tokenOf('grace')}`,
    });
    const request = { model: 'raw', messages: [{ role: 'user', content: 'Hi' }] };
    socket.send({ id: 'a', type: 'chat', request, credit: 1000 });
    await socket.until(() => socket.of('a').some(({ type }) => type === 'queued'));
    await bench.answer(0);
    await first;
    await bench.answer(1, 'on the socket');
    expect((await socket.ended('a')).type).toBe('done');
    expect(socket.text('a')).toBe('on the socket');
    socket.socket.close();
  });

  test('shows signs of life while it waits, and its first-token clock does not run', async () => {
    const clock = createTestClock();
    const bench = await startLine({ clock, timeouts: { firstTokenMs: 20_000 } });
    const first = bench.read('ada');
    await bench.asked(0);
    await bench.answer(0);
    await first;
    const running = bench.read('ada');
    await bench.asked(1);
    const waiting = bench.chat('grace');
    await until(() => bench.kit.gauges().queued === 1);
    await clock.advance(15_000);
    const response = await waiting;
    const text = response.text();
    await bench.answer(1);
    await running;
    await bench.asked(2);
    await clock.advance(19_000);
    await bench.answer(2);
    expect(await text).toMatch(/\n\n.*"done"/s);
  });
});

describe('leaving a line', () => {
  test('closes a waiting request at once, 200 times over, and the model server never hears of it', async () => {
    const bench = await startLine({ limits: { maxInFlight: Number.POSITIVE_INFINITY } });
    const first = bench.read('ada');
    await bench.asked(0);
    const times: number[] = [];
    for (let at = 0; at < 200; at++) {
      const left = new AbortController();
      const asked = bench.chat(`user ${at % 7}`, { signal: left.signal });
      await until(() => bench.kit.gauges().queued === 1);
      const leftAt = performance.now();
      left.abort();
      await until(() => bench.kit.gauges().queued === 0);
      times.push(performance.now() - leftAt);
      expect((await asked).status).toBeOneOf([200, 499]);
    }
    expect(percentile(times, 0.99)).toBeLessThan(1000);
    expect(bench.kit.gauges()).toMatchObject({ activeRequests: 1, queued: 0, openUpstream: 1 });
    await bench.answer(0);
    await first;
    expect(bench.raw.exchanges).toHaveLength(1);
  });

  test('gives back what was reserved, and costs nothing', async () => {
    const bench = await startLine({
      limits: { rules: [{ name: 'day', per: 'user', unit: 'totalTokens', window: 'day', limit: 100_000 }] },
    });
    const left = async () => {
      const response = await bench.as('grace', 'GET', '/me/limits');
      const { limits } = (await response.json()) as { limits: { name: string; left: number }[] };
      return limits.find(({ name }) => name === 'day')?.left;
    };
    const first = bench.read('ada');
    await bench.asked(0);
    const leaving = new AbortController();
    const asked = bench.chat('grace', { signal: leaving.signal });
    await until(() => bench.kit.gauges().queued === 1);
    expect(await left()).toBeLessThan(100_000);
    leaving.abort();
    await asked;
    await expect.poll(left).toBe(100_000);
    await bench.answer(0);
    await first;
  });

  test('DELETE /queue/:id ends the request it is about, for its owner only', async () => {
    const bench = await startLine();
    const first = bench.read('ada');
    await bench.asked(0);
    const stream = eventsIn(await bench.chat('grace', { headers: { 'x-request-id': 'req_of_grace' } }));
    const { waiting } = (await (await bench.as('grace', 'GET', '/queue')).json()) as Listed;
    expect(waiting).toEqual([
      {
        id: expect.stringMatching(/^wait_/),
        requestId: 'req_of_grace',
        model: 'raw:latest',
        priority: 'interactive',
        position: 1,
        of: 1,
        etaMs: null,
        enqueuedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      },
    ]);
    expect((await (await bench.as('ada', 'GET', '/queue')).json()) as Listed).toEqual({ waiting: [] });
    const id = waiting[0]?.['id'];
    expect(await (await bench.as('grace', 'GET', `/queue/${id}`)).json()).toEqual(waiting[0]);
    for (const method of ['GET', 'DELETE'])
      expect((await bench.as('ada', method, `/queue/${id}`)).status).toBe(404);
    expect((await bench.as('grace', 'DELETE', `/queue/${id}`)).status).toBe(204);
    expect((await stream.rest()).at(-1)).toMatchObject({ type: 'error', code: 'aborted', retryable: false });
    expect((await bench.as('grace', 'DELETE', `/queue/${id}`)).status).toBe(404);
    await bench.answer(0);
    await first;
  });
});

describe('the bounds of a line', () => {
  test('one above them is 503 with an honest Retry-After, before any event', async () => {
    const clock = createTestClock();
    const bench = await startLine({ clock, queue: { maxPerModel: 1 } });
    const before = bench.read('ada');
    await bench.asked(0);
    await clock.advance(30_000);
    await bench.answer(0);
    await before;
    const first = bench.read('ada');
    await bench.asked(1);
    const second = bench.read('grace');
    await until(() => bench.kit.gauges().queued === 1);
    await clock.advance(10_000);
    for (const stream of [true, false]) {
      const refused = await bench.chat('linus', { stream });
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '20']);
      expect(await problemOf(refused)).toMatchObject({
        code: 'queue_full',
        retryable: true,
        retryAfterMs: 20_000,
      });
    }
    await bench.answer(1);
    await bench.answer(2);
    await Promise.all([first, second]);
  });

  test('a wait that was too long ends typed: 503 for one JSON answer, an event in a stream', async () => {
    const clock = createTestClock();
    const bench = await startLine({ clock, queue: { maxWaitMs: 5000 }, timeouts: { firstTokenMs: 60_000 } });
    const first = bench.read('ada');
    await bench.asked(0);
    const [streamed, whole] = [bench.read('grace'), bench.chat('linus', { stream: false })];
    await until(() => bench.kit.gauges().queued === 2);
    await clock.advance(5001);
    expect(await problemOf(await whole)).toMatchObject({ code: 'queue_timeout', status: 503 });
    expect((await whole).headers.get('retry-after')).toMatch(/^\d+$/);
    const events = parseEvents(await streamed);
    expectWellFormed(events);
    expect(events.at(-1)).toMatchObject({
      type: 'error',
      code: 'queue_timeout',
      status: 503,
      retryable: true,
    });
    await bench.answer(0);
    await first;
  });
});

describe('who goes first', () => {
  test('a principal that has had nothing goes before one that has asked a lot', async () => {
    const bench = await startLine();
    const heavy = [bench.read('ada')];
    await bench.asked(0);
    for (let at = 1; at < 4; at++) {
      heavy.push(bench.read('ada'));
      await until(() => bench.kit.gauges().queued === at);
    }
    const light = eventsIn(await bench.chat('grace'));
    await light.until(({ type }) => type === 'queued');
    const { waiting } = (await (
      await bench.as('root', 'GET', '/admin/queue', undefined, ['admin'])
    ).json()) as Listed;
    expect(waiting.map(({ principal }) => principal)).toEqual(['grace', 'ada', 'ada', 'ada']);
    for (let at = 0; at < 5; at++) await bench.answer(at, at === 1 ? 'grace was next' : 'Hi');
    expect(textOf(await light.rest())).toBe('grace was next');
    await Promise.all(heavy);
  });

  test('batch waits for interactive; a role is held to its class; another word is refused', async () => {
    const bench = await startLine();
    const first = bench.read('ada');
    await bench.asked(0);
    const classOf = async (user: string) =>
      ((await (await bench.as(user, 'GET', '/queue')).json()) as Listed).waiting[0]?.['priority'];
    const asked = [
      bench.read('robot', { headers: { 'x-ziggie-priority': 'interactive' }, roles: ['nightly'] }),
      bench.read('grace', { headers: { 'x-ziggie-priority': 'batch' } }),
      bench.read('linus'),
      bench.read('both', { roles: ['nightly', 'user'] }),
    ];
    await until(() => bench.kit.gauges().queued === 4);
    expect(await Promise.all(['robot', 'grace', 'linus', 'both'].map(classOf))).toEqual([
      'batch',
      'batch',
      'interactive',
      'interactive',
    ]);
    const wrong = await bench.chat('ada', { headers: { 'x-ziggie-priority': 'urgent' } });
    expect(await problemOf(wrong)).toMatchObject({ code: 'bad_request', status: 400 });
    for (let at = 0; at < 5; at++) await bench.answer(at, String(at));
    const order = await Promise.all(asked.map(async (one) => textOf(parseEvents(await one))));
    expect(order.slice(2).sort()).toEqual(['1', '2']);
    await first;
  });

  test('an administrator sees all, moves a request to the front and takes one out', async () => {
    const bench = await startLine();
    const first = bench.read('ada');
    await bench.asked(0);
    const grace = eventsIn(await bench.chat('grace'));
    const linus = eventsIn(await bench.chat('linus'));
    await linus.until(({ type }) => type === 'queued');
    const admin = (method: string, path: string, body?: unknown) =>
      bench.as('root', method, path, body, ['admin']);
    const list = async () => ((await (await admin('GET', '/admin/queue')).json()) as Listed).waiting;
    const ids = new Map((await list()).map(({ id, principal }) => [principal, id]));
    const moved = await admin('POST', `/admin/queue/${ids.get('linus')}/priority`, { priority: 'urgent' });
    expect(await moved.json()).toMatchObject({ principal: 'linus', priority: 'urgent', position: 1, of: 2 });
    await linus.until((event) => event.type === 'queued' && event.position === 1);
    expect(
      (await admin('POST', `/admin/queue/${ids.get('linus')}/priority`, { priority: 'now' })).status,
    ).toBe(400);
    expect((await admin('DELETE', `/admin/queue/${ids.get('grace')}`)).status).toBe(204);
    expect((await grace.rest()).at(-1)).toMatchObject({
      type: 'error',
      code: 'server_busy',
      status: 503,
      retryable: false,
    });
    await bench.answer(0);
    await bench.answer(1, 'for linus');
    expect(textOf(await linus.rest())).toBe('for linus');
    await first;
  });
});

describe('while the kit changes', () => {
  test('a reload with more places lets those who wait go on', async () => {
    const bench = await startLine();
    const first = bench.read('ada');
    await bench.asked(0);
    const second = bench.chat('grace');
    await until(() => bench.kit.gauges().queued === 1);
    const jwt = {
      secret: 'a secret of the tests, of more than 32 bytes',
      issuer: false,
      audience: false,
    } as const;
    bench.kit.reload({ upstreams: [{ url: bench.raw.url, slots: 2 }], auth: { jwt } });
    await bench.answer(1, 'beside the first');
    expect(textOf(await eventsOf(await second))).toBe('beside the first');
    await bench.answer(0);
    await first;
  });

  test('a drain refuses those who wait, typed, and lets what runs finish', async () => {
    const bench = await startLine();
    const first = bench.read('ada');
    await bench.asked(0);
    const streamed = eventsIn(await bench.chat('grace'));
    const whole = bench.chat('linus', { stream: false });
    await until(() => bench.kit.gauges().queued === 2);
    const closing = bench.kit.close();
    expect((await streamed.rest()).at(-1)).toMatchObject({
      type: 'error',
      code: 'shutting_down',
      status: 503,
    });
    expect(await problemOf(await whole)).toMatchObject({ code: 'shutting_down', retryAfterMs: 5000 });
    await bench.answer(0);
    expect(textOf(parseEvents(await first))).toBe('Hi');
    await closing;
    expect(bench.raw.exchanges).toHaveLength(1);
  });
});
