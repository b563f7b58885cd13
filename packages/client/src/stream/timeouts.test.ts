import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createManualClock } from '../../test/clock.ts';
import { done, failureOf, last, piece, question, start, text } from '../../test/samples.ts';
import {
  linesThenSilence,
  reply,
  type ScriptedServer,
  serve,
  silence,
  toLines,
} from '../../test/scripted-server.ts';
import { type ChatEvent, type ClientOptions, createClient, TimeoutError } from '../index.ts';

const MINUTE = 60_000;

/** A client whose time stands still until the test moves it, without retries. */
function timed(url: string, more: Partial<ClientOptions> = {}) {
  const clock = createManualClock();
  const client = createClient({ baseUrl: url, target: 'ollama', clock, retry: { maxAttempts: 1 }, ...more });
  return { client, clock };
}

/** Reads events up to and including the first of this type. */
async function readTo(iterator: AsyncIterator<ChatEvent>, type: ChatEvent['type']): Promise<void> {
  for (let step = await iterator.next(); !step.done; step = await iterator.next()) {
    if (step.value.type === type) return;
  }
  throw new Error(`There was no ${type}.`);
}

/** Whether the server saw the other side leave. */
async function left(server: ScriptedServer): Promise<boolean> {
  const exchange = await server.arrived(1);
  await exchange.closed;
  return exchange.left;
}

/** A server that accepts connections and never says a word, so that TLS never stands. */
async function muteServer(): Promise<string> {
  const server = createServer((socket) => socket.on('error', () => {}));
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('connect', () => {
  test('10 s without a connection is connect_timeout', async () => {
    const { client, clock } = timed(await muteServer());
    const failing = failureOf(client.chat(question).text());
    // The dialect is loaded first.
    await vi.waitFor(() => expect(clock.pending).toBe(1));
    await clock.advance(9_999);
    expect(clock.pending).toBe(1);
    await clock.advance(1);
    const error = await failing;
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({
      code: 'connect_timeout',
      phase: 'connect',
      afterMs: 10_000,
      retryable: true,
    });
    expect(clock.pending).toBe(0);
  });

  test('a credentials function that hangs counts', async () => {
    const { client, clock } = timed('http://127.0.0.1:1', {
      credentials: () => new Promise<string>(() => {}),
    });
    const failing = failureOf(client.status());
    // Its part of the client is loaded first.
    await vi.waitFor(() => expect(clock.pending).toBeGreaterThan(0));
    await clock.advance(10_000);
    expect(await failing).toMatchObject({ code: 'connect_timeout' });
  });

  test('fetch cannot tell: against the kit the status line may take 10 s more and the time of the upload', async () => {
    const fetch = (): Promise<Response> => new Promise(() => {});
    const { client, clock } = timed('http://host', { target: 'kit', fetch });
    const prompt = 'x'.repeat(655_360);
    const failing = failureOf(client.generate({ model: 'm', prompt }).text());
    await clock.advance(29_999);
    expect(clock.pending).toBe(1);
    await clock.advance(10);
    expect(await failing).toMatchObject({ code: 'connect_timeout' });
  });

  test('fetch cannot tell: against Ollama only the first-token clock runs', async () => {
    const fetch = (): Promise<Response> => new Promise(() => {});
    const { client, clock } = timed('http://host', { fetch });
    const failing = failureOf(client.chat(question).text());
    await clock.advance(10 * MINUTE);
    expect(await failing).toMatchObject({ code: 'first_token_timeout' });
  });
});

describe('first token', () => {
  test('10 min without one is first_token_timeout, and the connection closes', async () => {
    const server = await serve(silence);
    const { client, clock } = timed(server.url);
    const failing = failureOf(client.chat(question).text());
    await server.arrived(1);
    await clock.advance(10 * MINUTE - 1);
    expect(clock.pending).toBe(1);
    await clock.advance(1);
    expect(await failing).toMatchObject({
      code: 'first_token_timeout',
      phase: 'first-token',
      afterMs: 600_000,
      retryable: true,
      attempts: [{ number: 1, code: 'first_token_timeout' }],
    });
    expect(await left(server)).toBe(true);
  });

  test('C83 slow-first-byte: 400 s of silence are waited for', async () => {
    const server = await serve(silence);
    const { client, clock } = timed(server.url);
    const reading = client.chat(question).text();
    const { response } = await server.arrived(1);
    await clock.advance(400_000);
    response.end(toLines(piece('late'), last));
    expect(await reading).toBe('late');
  });

  test('a stall before the first token is tried again', async () => {
    const server = await serve(silence, reply(200, toLines(piece('Hi'), last)));
    const { client, clock } = timed(server.url, { retry: { baseMs: 0 } });
    const reading = client.chat(question).final();
    await server.arrived(1);
    await clock.advance(10 * MINUTE);
    expect((await reading).attempts).toMatchObject([{ code: 'first_token_timeout' }, { status: 200 }]);
  });

  test('heartbeats and blank lines never move it', async () => {
    const server = await serve(linesThenSilence({ ...start, seq: 0 }));
    const { client, clock } = timed(server.url, { target: 'kit' });
    const iterator = client.chat(question)[Symbol.asyncIterator]();
    await readTo(iterator, 'start');
    const failing = failureOf(iterator.next());
    const { response } = await server.arrived(1);
    for (let minute = 0; minute < 10; minute++) {
      await new Promise((resolve) => response.write('\n \r\n\n', resolve));
      await clock.advance(MINUTE);
    }
    expect(await failing).toMatchObject({ code: 'first_token_timeout' });
  });

  test('begins anew with every queued', async () => {
    const queued = { type: 'queued', position: 2, of: 2, etaMs: null };
    const server = await serve(linesThenSilence({ ...start, seq: 0 }, { ...queued, seq: 1 }));
    const { client, clock } = timed(server.url, { target: 'kit' });
    const iterator = client.chat(question)[Symbol.asyncIterator]();
    await readTo(iterator, 'queued');
    const next = iterator.next();
    await clock.advance(9 * MINUTE);
    const { response } = await server.arrived(1);
    response.write(toLines({ ...queued, position: 1, seq: 2 }));
    await next;
    const failing = failureOf(iterator.next());
    await clock.advance(9 * MINUTE);
    expect(clock.pending).toBe(1);
    await clock.advance(MINUTE);
    expect(await failing).toMatchObject({ code: 'first_token_timeout' });
  });
});

describe('load', () => {
  const loading = { type: 'loading', model: 'm', elapsedMs: 0, typicalMs: null };

  test('10 min of loading is load_timeout; more of the same does not prolong it', async () => {
    const server = await serve(linesThenSilence({ ...start, seq: 0 }, { ...loading, seq: 1 }));
    const { client, clock } = timed(server.url, { target: 'kit' });
    const iterator = client.chat(question)[Symbol.asyncIterator]();
    await readTo(iterator, 'loading');
    const next = iterator.next();
    await clock.advance(6 * MINUTE);
    (await server.arrived(1)).response.write(toLines({ ...loading, elapsedMs: 360_000, seq: 2 }));
    await next;
    const failing = failureOf(iterator.next());
    await clock.advance(4 * MINUTE);
    expect(await failing).toMatchObject({ code: 'load_timeout', phase: 'load', afterMs: 600_000 });
    expect(await left(server)).toBe(true);
  });

  test('loading does not count for the first token', async () => {
    const server = await serve(linesThenSilence({ ...start, seq: 0 }));
    const { client, clock } = timed(server.url, { target: 'kit', timeouts: { loadMs: 30 * MINUTE } });
    const iterator = client.chat(question)[Symbol.asyncIterator]();
    await readTo(iterator, 'start');
    let next = iterator.next();
    const { response } = await server.arrived(1);
    await clock.advance(9 * MINUTE);
    response.write(toLines({ ...loading, seq: 1 }));
    await next;
    next = iterator.next();
    await clock.advance(20 * MINUTE);
    response.end(toLines({ ...text('Hi'), seq: 2 }, { ...done, seq: 3 }));
    expect(await next).toEqual({ done: false, value: text('Hi') });
  });
});

describe('idle', () => {
  test.each([
    ['60 s', question, 60_000],
    ['180 s with tools', { ...question, tools: [{ name: 'f', parameters: {} }] }, 180_000],
    ['180 s with a format', { ...question, format: 'json' as const }, 180_000],
  ])('%s of silence in the answer is idle_timeout with what had arrived', async (_, request, limit) => {
    const server = await serve(linesThenSilence(piece('half')));
    const { client, clock } = timed(server.url);
    const iterator = client.chat(request)[Symbol.asyncIterator]();
    await readTo(iterator, 'text-delta');
    const failing = failureOf(iterator.next());
    await clock.advance(limit - 1);
    expect(clock.pending).toBe(1);
    await clock.advance(1);
    expect(await failing).toMatchObject({
      code: 'idle_timeout',
      phase: 'idle',
      afterMs: limit,
      partial: { text: 'half' },
    });
    expect(await left(server)).toBe(true);
  });

  test('every piece begins it anew, heartbeats and empty records do not', async () => {
    const server = await serve(linesThenSilence(piece('a')));
    const { client, clock } = timed(server.url);
    const iterator = client.chat(question)[Symbol.asyncIterator]();
    await readTo(iterator, 'text-delta');
    const { response } = await server.arrived(1);
    for (const letter of ['b', 'c']) {
      const next = iterator.next();
      await clock.advance(50_000);
      response.write(toLines(piece(letter)));
      expect(await next).toMatchObject({ value: { text: letter } });
    }
    const failing = failureOf(iterator.next());
    for (let count = 0; count < 6; count++) {
      await new Promise((resolve) => response.write(`\n${toLines(piece(''))}`, resolve));
      await clock.advance(10_000);
    }
    expect(await failing).toMatchObject({ code: 'idle_timeout', partial: { text: 'abc' } });
  });

  test('queued and loading in the middle of an answer do not prolong it', async () => {
    const server = await serve(linesThenSilence({ ...start, seq: 0 }, { ...text('a'), seq: 1 }));
    const { client, clock } = timed(server.url, { target: 'kit' });
    const iterator = client.chat(question)[Symbol.asyncIterator]();
    await readTo(iterator, 'text-delta');
    const { response } = await server.arrived(1);
    for (const [seq, event] of [
      { type: 'loading', model: 'm', elapsedMs: 1, typicalMs: null },
      { type: 'queued', position: 1, of: 1, etaMs: null },
    ].entries()) {
      const next = iterator.next();
      await clock.advance(29_000);
      response.write(toLines({ ...event, seq: seq + 2 }));
      expect(await next).toEqual({ done: false, value: event });
    }
    const failing = failureOf(iterator.next());
    await clock.advance(2_000);
    expect(await failing).toMatchObject({ code: 'idle_timeout' });
  });

  test('a reader that takes its time is not the server being silent', async () => {
    const server = await serve(linesThenSilence(piece('a')));
    const { client, clock } = timed(server.url);
    const iterator = client.chat(question)[Symbol.asyncIterator]();
    await readTo(iterator, 'text-delta');
    await clock.advance(5 * MINUTE);
    (await server.arrived(1)).response.write(toLines(piece('b')));
    expect(await iterator.next()).toMatchObject({ value: { text: 'b' } });
    const failing = failureOf(iterator.next());
    await clock.advance(59_999);
    await clock.advance(1);
    expect(await failing).toMatchObject({ code: 'idle_timeout' });
  });

  test('a list that does not come is idle_timeout', async () => {
    const server = await serve(silence);
    const { client, clock } = timed(server.url);
    const failing = failureOf(client.models.list());
    await server.arrived(1);
    await clock.advance(MINUTE);
    expect(await failing).toMatchObject({ code: 'idle_timeout', afterMs: 60_000 });
    expect(await left(server)).toBe(true);
  });
});

describe('total', () => {
  test('there is none unless given', async () => {
    const server = await serve(silence);
    const { client, clock } = timed(server.url, { timeouts: { firstTokenMs: Infinity } });
    const reading = client.chat(question).text();
    const { response } = await server.arrived(1);
    await clock.advance(24 * 60 * MINUTE);
    response.end(toLines(piece('late'), last));
    expect(await reading).toBe('late');
  });

  test('ends the answer in the middle with deadline_exceeded', async () => {
    const server = await serve(linesThenSilence(piece('half')));
    const { client, clock } = timed(server.url, { timeouts: { totalMs: 30_000 } });
    const iterator = client.chat(question)[Symbol.asyncIterator]();
    await readTo(iterator, 'text-delta');
    // Also while nobody reads.
    await clock.advance(30_000);
    expect(await left(server)).toBe(true);
    expect(await failureOf(iterator.next())).toMatchObject({
      code: 'deadline_exceeded',
      phase: 'total',
      afterMs: 30_000,
      retryable: false,
      partial: { text: 'half' },
    });
  });

  test('bounds the waits between attempts too, and tells what was waited for', async () => {
    const server = await serve(reply(503, '', { 'Retry-After': '50' }));
    let waits = (): void => {};
    const waiting = new Promise<void>((resolve) => {
      waits = resolve;
    });
    // Asked for its number when a wait begins.
    const random = (): number => {
      waits();
      return 0;
    };
    const { client, clock } = timed(server.url, { retry: { maxAttempts: 3 }, random });
    const failing = failureOf(client.chat(question, { timeouts: { totalMs: 30_000 } }).text());
    await waiting;
    await clock.advance(30_000);
    expect(await failing).toMatchObject({
      code: 'deadline_exceeded',
      cause: { code: 'server_busy' },
      attempts: [{ number: 1, status: 503 }],
    });
    expect(clock.pending).toBe(0);
    expect(server.exchanges).toHaveLength(1);
  });
});

test('the timeouts of the call win over those of the client, undefined ones do not count', async () => {
  const server = await serve(silence);
  const { client, clock } = timed(server.url, { timeouts: { firstTokenMs: 5_000 } });
  for (const [timeouts, limit] of [
    [{ firstTokenMs: 1_000 }, 1_000],
    [{ firstTokenMs: undefined as never }, 5_000],
  ] as const) {
    const failing = failureOf(client.chat(question, { timeouts }).text());
    await server.arrived(server.exchanges.length + 1);
    await clock.advance(limit);
    expect(await failing).toMatchObject({ code: 'first_token_timeout', afterMs: limit });
  }
});

test('no timer is left when a list is whole', async () => {
  const server = await serve(reply(200, '{"version":"1"}'));
  const { client, clock } = timed(server.url, { timeouts: { totalMs: MINUTE } });
  await client.status();
  expect(clock.pending).toBe(0);
});

test('no timer is left when an answer is whole', async () => {
  const server = await serve(reply(200, toLines(piece('Hi'), last)));
  const { client, clock } = timed(server.url, { timeouts: { totalMs: MINUTE } });
  await client.chat(question).final();
  await (await server.arrived(1)).closed;
  await expect.poll(() => clock.pending).toBe(0);
});
