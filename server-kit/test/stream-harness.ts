import type { Problem, StreamEvent } from '@ziggie/llm-protocol';
import { createManualClock, type FakeOllamaOptions, type FakeOllamaServer } from '@ziggie/llm-testing';
import { startFakeOllama } from '@ziggie/llm-testing/node';
import { SignJWT } from 'jose';
import { afterAll, afterEach, expect } from 'vitest';
import {
  type Clock,
  type Connection,
  createServerKit,
  type ServerKit,
  type ServerKitOptions,
} from '../src/index.ts';
import { type RawExchange, type RawOllama, startRawOllama } from './raw-ollama.ts';

const secret = 'a secret of the tests, of more than 32 bytes';

/** One line of the log, with its level. */
export type LogLine = Record<string, unknown> & { level: string };

/** A kit in front of something that answers, and what it logged. */
export interface Bench {
  kit: ServerKit;
  log: LogLine[];
  /** The clock of the kit, when the test gave one. */
  clock: TestClock | undefined;
  /** Asks with a valid token; `body` goes as JSON. */
  ask(path: string, body: unknown, more?: AskOptions): Promise<Response>;
  get(path: string): Promise<Response>;
}

/** The kit's options, with a clock that the test moves. */
export type BenchOptions = Omit<Partial<ServerKitOptions>, 'clock'> & { clock?: TestClock };

export interface AskOptions {
  signal?: AbortSignal | undefined;
  headers?: Record<string, string> | undefined;
}

/** A clock that tests move, with wall time. */
export interface TestClock extends Clock {
  advance(ms: number): Promise<void>;
  readonly pending: number;
}

export function createTestClock(): TestClock {
  const manual = createManualClock();
  const beganAt = Date.now();
  return {
    now: () => manual.now(),
    wallNow: () => beganAt + manual.now(),
    setTimer: (callback, delayMs) => manual.setTimer(callback, delayMs),
    advance: (ms) => manual.advance(ms),
    get pending() {
      return manual.pending;
    },
  };
}

const benches: Bench[] = [];
const closers: (() => Promise<void>)[] = [];
const leavers: (() => void)[] = [];
const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown) => void unhandled.push(reason);
process.on('unhandledRejection', onUnhandled);
afterAll(() => void process.off('unhandledRejection', onUnhandled));

// Whatever a test did, nothing may be left of it.
afterEach(async () => {
  for (const leave of leavers.splice(0)) leave();
  try {
    for (const { kit } of benches) {
      await until(() => isIdle(kit), 200).catch(() => {});
      expect(kit.gauges()).toEqual({ activeRequests: 0, openUpstream: 0, timers: 0, queued: 0, sockets: 0 });
    }
    await new Promise(setImmediate);
    expect(unhandled).toEqual([]);
  } finally {
    for (const { kit, clock } of benches.splice(0)) {
      const closing = kit.close({ drainMs: 0 });
      await clock?.advance(0);
      await closing;
    }
    for (const close of closers.splice(0).reverse()) await close();
    unhandled.length = 0;
  }
});

function isIdle(kit: ServerKit): boolean {
  return Object.values(kit.gauges()).every((value) => value === 0);
}

/** Closed after the test. */
export function closeLater(close: () => Promise<void>): void {
  closers.push(close);
}

/** Called after the test, before anything is looked at: clients that go. */
export function leaveLater(leave: () => void): void {
  leavers.push(leave);
}

/** A kit in front of an address. */
export function startBench(url: string, options: BenchOptions = {}): Bench {
  const log: LogLine[] = [];
  const line = (level: string) => (fields: Record<string, unknown>, message: string) => {
    log.push({ level, ...fields, message });
  };
  const kit = createServerKit({
    doctor: false,
    upstreams: [{ url, slots: 64 }],
    auth: { jwt: { secret, issuer: false, audience: false } },
    limits: {
      requestsPerMinute: Number.POSITIVE_INFINITY,
      requestsPerMinutePerAddress: Number.POSITIVE_INFINITY,
    },
    logger: { info: line('info'), warn: line('warn'), error: line('error') },
    ...options,
  });
  const connection = (target: string): Connection => ({
    remoteAddress: '192.0.2.7',
    encrypted: false,
    target,
    rawHeaders: [],
  });
  const handle = async (target: string, init: RequestInit) => {
    const response = await kit.handle(
      new Request(`http://ziggie.invalid${target}`, init),
      connection(target),
    );
    if (!response) throw new Error(`${target} is not a route of the kit.`);
    return response;
  };
  const bench: Bench = {
    kit,
    log,
    clock: options.clock,
    async ask(path, body, { signal, headers = {} } = {}) {
      const init: RequestInit = {
        method: 'POST',
        headers: { authorization: `Bearer ${await token()}`, 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      };
      if (signal) init.signal = signal;
      return handle(path, init);
    },
    get: async (path) => handle(path, { headers: { authorization: `Bearer ${await token()}` } }),
  };
  benches.push(bench);
  return bench;
}

/** A valid token of `ada`. */
export function token(): Promise<string> {
  return new SignJWT({ roles: ['user'] })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('ada')
    .setExpirationTime('2h')
    .sign(new TextEncoder().encode(secret));
}

/** A kit in front of the stand-in. */
export async function startWithFake(
  options: BenchOptions = {},
  fakeOptions: FakeOllamaOptions = {},
): Promise<Bench & { ollama: FakeOllamaServer }> {
  const ollama = await startFakeOllama({ tokensPerSecond: Number.POSITIVE_INFINITY, ...fakeOptions });
  closeLater(() => ollama.close());
  return Object.assign(startBench(ollama.url, options), { ollama });
}

/** A kit in front of a raw socket. */
export async function startWithRaw(
  answer: (exchange: RawExchange) => void,
  options: BenchOptions = {},
): Promise<Bench & { raw: RawOllama }> {
  const raw = await startRawOllama(answer);
  closeLater(() => raw.close());
  return Object.assign(startBench(raw.url, options), { raw });
}

export const question = (text = 'Hello', model = 'stand-in') => ({
  model,
  messages: [{ role: 'user', content: text }],
});

/** All events of a streamed answer. */
export async function eventsOf(response: Response): Promise<StreamEvent[]> {
  return parseEvents(await response.text());
}

/** The events of an NDJSON text; blank lines are heartbeats. */
export function parseEvents(text: string): StreamEvent[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as StreamEvent);
}

export async function problemOf(response: Response): Promise<Problem> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  return (await response.json()) as Problem;
}

export function textOf(events: readonly StreamEvent[]): string {
  return events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('');
}

/** What every stream must keep: numbers without gaps, `start` first, one end and nothing after it. */
export function expectWellFormed(events: readonly StreamEvent[]): void {
  expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index));
  expect(events[0]?.type).toBe('start');
  expect(events.filter((event) => event.type === 'done' || event.type === 'error')).toHaveLength(1);
  expect(['done', 'error']).toContain(events.at(-1)?.type);
}

/** A reader that gives what has arrived piece by piece. */
export function readerOf(response: Response) {
  if (!response.body) throw new Error('The answer has no body.');
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  return {
    async next(): Promise<string | undefined> {
      const { done, value } = await reader.read();
      return done ? undefined : decoder.decode(value, { stream: true });
    },
    async rest(): Promise<string> {
      let text = '';
      for (let piece = await this.next(); piece !== undefined; piece = await this.next()) text += piece;
      return text;
    },
    cancel: () => reader.cancel(),
  };
}

/** Polls until the condition holds. */
export async function until(condition: () => boolean, timeoutMs = 2000): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > giveUpAt) throw new Error(`Not so after ${timeoutMs} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
