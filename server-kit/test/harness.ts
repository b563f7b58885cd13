import { isStreamEvent, type Problem, type StreamEvent } from '@ziggie/llm-protocol';
import type { FakeOllamaOptions, FakeOllamaServer } from '@ziggie/llm-testing';
import { startFakeOllama } from '@ziggie/llm-testing/node';
import { SignJWT } from 'jose';
import { afterEach, expect } from 'vitest';
import {
  type Clock,
  type Connection,
  createServerKit,
  type Logger,
  type ServerKit,
  type ServerKitOptions,
} from '../src/index.ts';

/** Where test tokens come from and for whom; wrong ones are made by changing a part. */
export const secret = 'a secret for tests, longer than 32 bytes';
export const issuer = 'https://app.example';
export const audience = 'ziggie-tests';

/** A clock that stands where it is put. Its timers are real, so that nothing waits for ever. */
export class SetClock implements Clock {
  ms = 1_000_000;
  wallMs = Date.UTC(2030, 0, 1);

  now = (): number => this.ms;
  wallNow = (): number => this.wallMs;

  setTimer(callback: () => void, delayMs: number): () => void {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  }

  advance(ms: number): void {
    this.ms += ms;
    this.wallMs += ms;
  }
}

/** A clock whose timers are the test's too: they run when it is moved past them. */
export class DrivenClock extends SetClock {
  readonly #timers = new Set<{ atMs: number; callback: () => void }>();

  override setTimer = (callback: () => void, delayMs: number): (() => void) => {
    const timer = { atMs: this.ms + delayMs, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  };

  /** Moves on to each timer in turn, and lets what it began go on before the next. */
  async drive(ms: number): Promise<void> {
    const until = this.ms + ms;
    for (;;) {
      const [next] = [...this.#timers].filter(({ atMs }) => atMs <= until).sort((a, b) => a.atMs - b.atMs);
      this.advance((next?.atMs ?? until) - this.ms);
      await new Promise(setImmediate);
      if (next === undefined) return;
      if (this.#timers.delete(next)) next.callback();
      await new Promise(setImmediate);
    }
  }
}

export interface LogLine {
  level: 'info' | 'warn' | 'error';
  fields: Record<string, unknown>;
  message: string;
}

/** What a request of a test says besides its target. */
export interface Ask {
  method?: string | undefined;
  /** Default: a user's good token. `null` sends none. */
  token?: string | null | undefined;
  headers?: Record<string, string> | undefined;
  /** A string goes as it is, bytes too; anything else as JSON. */
  body?: unknown;
  connection?: Partial<Connection> | undefined;
  signal?: AbortSignal | undefined;
}

/** A kit in front of a stand-in on a real socket, and a clock that the test moves. */
export interface Bench {
  kit: ServerKit;
  ollama: FakeOllamaServer;
  clock: SetClock;
  logs: LogLine[];
  token(claims?: Record<string, unknown>): Promise<string>;
  /** The kit's answer, or `undefined` when the target is not the kit's. */
  ask(target: string, ask?: Ask): Promise<Response | undefined>;
  /** The same when there must be an answer. */
  answer(target: string, ask?: Ask): Promise<Response>;
  /** POSTs JSON to `/chat` with a user's token. */
  chat(body?: Record<string, unknown>, ask?: Ask): Promise<Response>;
}

const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Starts a {@link Bench}. `afterEach` closes it and holds every gauge to 0. */
export async function startBench(
  options: Partial<ServerKitOptions> = {},
  ollamaOptions: FakeOllamaOptions = {},
): Promise<Bench> {
  const ollama = await startFakeOllama({ tokensPerSecond: Number.POSITIVE_INFINITY, ...ollamaOptions });
  const clock = options.clock instanceof SetClock ? options.clock : new SetClock();
  const { logs, logger } = keptLog();
  const kit = createServerKit({
    doctor: false,
    upstreams: [{ url: ollama.url, name: 'stand-in', slots: 64 }],
    auth: options.authenticate ? undefined : { jwt: { secret, issuer, audience } },
    clock,
    logger,
    ...options,
  });
  const token = (claims: Record<string, unknown> = {}) => signed(clock, claims);
  const ask = async (target: string, wanted: Ask = {}) => {
    const { request, connection } = await requestOf(target, wanted, token);
    return kit.handle(request, connection);
  };
  const answer = async (target: string, wanted: Ask = {}) => {
    const response = await ask(target, wanted);
    if (!response) throw new Error(`The kit does not know ${target}.`);
    return response;
  };
  closers.push(async () => {
    // A kit without requests has nothing left: whatever is still counted was forgotten.
    await expect
      .poll(() => kit.gauges(), { timeout: 200, interval: 5 })
      .toEqual({ activeRequests: 0, openUpstream: 0, timers: 0, queued: 0, sockets: 0 });
    await kit.close({ drainMs: 0 });
    await ollama.close();
  });
  const chat = (body: Record<string, unknown> = {}, wanted: Ask = {}) =>
    answer('/chat', { body: { ...hello, ...body }, ...wanted });
  return { kit, ollama, clock, logs, token, ask, answer, chat };
}

/** The smallest good body of `/chat` and of `/generate`. */
export const hello = { model: 'stand-in', messages: [{ role: 'user', content: 'Hello' }] };
export const prompt = { model: 'stand-in', prompt: 'Hello' };

/** A token that is good for a minute unless the claims say otherwise; `undefined` takes a claim out. */
export async function signed(clock: Clock, claims: Record<string, unknown> = {}): Promise<string> {
  const now = Math.floor(clock.wallNow() / 1000);
  const payload = { sub: 'ada', iss: issuer, aud: audience, iat: now, exp: now + 60, ...claims };
  return new SignJWT(payload).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(secret));
}

async function requestOf(
  target: string,
  { method, token: given, headers = {}, body, connection = {}, signal }: Ask,
  token: () => Promise<string>,
): Promise<{ request: Request; connection: Connection }> {
  const credential = given === undefined ? await token() : given;
  const all: Record<string, string> = {
    host: 'ziggie.invalid',
    ...(credential === null ? {} : { authorization: `Bearer ${credential}` }),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...headers,
  };
  const raw = typeof body === 'string' || body instanceof Uint8Array || body instanceof ReadableStream;
  const init: RequestInit & { duplex: 'half' } = {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: all,
    duplex: 'half',
    ...(body === undefined ? {} : { body: raw ? (body as BodyInit) : JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
  };
  return {
    request: new Request('http://ziggie.invalid/', init),
    connection: {
      remoteAddress: '203.0.113.7',
      encrypted: false,
      target,
      rawHeaders: Object.entries(all).flat(),
      ...connection,
    },
  };
}

/** The problem that a refusal carries; its form is checked in passing. */
export async function problemIn(response: Response): Promise<Problem> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(response.headers.get('cache-control')).toBe('no-store');
  const problem = (await response.json()) as Problem;
  expect(problem.status).toBe(response.status);
  expect(problem.requestId).toBe(response.headers.get('x-request-id'));
  return problem;
}

/** The events of a whole NDJSON stream. */
export async function eventsIn(response: Response): Promise<StreamEvent[]> {
  const lines = (await response.text()).split('\n').filter((line) => line.trim() !== '');
  return lines.map((line) => {
    const event: unknown = JSON.parse(line);
    if (!isStreamEvent(event)) throw new Error('A line of the stream is not an event.');
    return event;
  });
}

function keptLog(): { logs: LogLine[]; logger: Logger } {
  const logs: LogLine[] = [];
  const at = (level: LogLine['level']) => (fields: Record<string, unknown>, message: string) =>
    void logs.push({ level, fields, message });
  return { logs, logger: { info: at('info'), warn: at('warn'), error: at('error') } };
}
