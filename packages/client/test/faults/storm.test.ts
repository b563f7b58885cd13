import { expect, test } from 'vitest';
import { type ClientOptions, createClient } from '../../src/index.ts';
import { type WebSocketLike, webSocketTransport } from '../../src/websocket.ts';
import { createManualClock } from '../clock.ts';
import { question } from '../samples.ts';

const CLIENTS = 2_000;
const AWAY_MS = 3_000;

/** The same numbers on every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

const start = '{"type":"start","id":"run-1","model":"m","upstreamModel":"m","resumable":true,"seq":0}';
const word = '{"type":"text-delta","text":"The","seq":1}';
const rest = '{"type":"done","finishReason":"stop","timings":{},"seq":2}\n';
const ndjson = { headers: { 'content-type': 'application/x-ndjson' } };

/** A kit in memory that says a word to everybody, dies, is away for a while, and knows every run when it is back. */
function restartingKit(clock: { now(): number }) {
  const dying: (() => void)[] = [];
  const cameBackAt: number[] = [];
  let diedAt: number | undefined;
  const isAway = (): boolean => diedAt !== undefined && clock.now() < diedAt + AWAY_MS;
  return {
    cameBackAt,
    asked: () => dying.length,
    onDeath: (end: () => void) => void dying.push(end),
    /** @param isProxy Something in front cuts everybody's connection; the kit itself stays. */
    die(isProxy = false) {
      diedAt = clock.now() - (isProxy ? AWAY_MS : 0);
      for (const end of dying) end();
    },
    fetch: async (_url: unknown, init?: RequestInit): Promise<Response> => {
      if (isAway()) throw new TypeError('fetch failed');
      if (init?.method === 'GET') {
        cameBackAt.push(clock.now() - (diedAt ?? 0));
        return new Response(rest, ndjson);
      }
      return new Response(
        new ReadableStream({
          start(controller) {
            controller.enqueue(new TextEncoder().encode(`${start}\n${word}\n`));
            dying.push(() => controller.error(new Error('reset')));
          },
        }),
        ndjson,
      );
    },
  };
}

/** The answers to one question that each of many clients asks. */
function askAll(options: Omit<ClientOptions, 'baseUrl'>): Promise<string>[] {
  return Array.from({ length: CLIENTS }, () =>
    createClient({ baseUrl: 'http://kit.test', ...options })
      .chat(question)
      .text(),
  );
}

test.each(['HTTP', 'WebSocket'])(
  'F107: after a restart everybody is back over %s, in no second more than a tenth of them',
  async (way) => {
    const clock = createManualClock();
    const kit = restartingKit(clock);
    const open = (): WebSocketLike => {
      const socket: WebSocketLike = {
        onopen: null,
        onmessage: null,
        onerror: null,
        onclose: null,
        send(data) {
          const { id, type } = JSON.parse(data) as { id: string; type: string };
          if (type !== 'chat') return;
          for (const event of [start, word])
            socket.onmessage?.({ data: `{"id":"${id}","event":${event}}` } as never);
        },
        close() {},
      };
      queueMicrotask(() => socket.onopen?.({} as never));
      kit.onDeath(() => socket.onclose?.({ code: 1006 } as never));
      return socket;
    };
    let waiting = 0;
    const answers = askAll({
      fetch: kit.fetch,
      clock,
      random: seeded(7),
      resume: true,
      hooks: { reconnecting: (_, { delayMs }) => void (delayMs > 0 && waiting++) },
      ...(way === 'WebSocket' ? { transport: webSocketTransport({ open }) } : {}),
    });
    while (kit.asked() < CLIENTS) await clock.advance(1);
    kit.die();
    // Everybody has noticed, and over HTTP found nobody at the first try.
    while (waiting < CLIENTS) await new Promise((resolve) => setTimeout(resolve, 1));
    for (let second = 0; second < 60; second++) await clock.advance(1_000);
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['The']));
    expect(kit.cameBackAt).toHaveLength(CLIENTS);
    const perSecond = new Map<number, number>();
    for (const at of kit.cameBackAt) {
      // Windows that begin at every tenth of a second, not only at whole ones.
      for (let from = Math.floor(at / 100) - 9; from <= at / 100; from++) {
        perSecond.set(from, (perSecond.get(from) ?? 0) + 1);
      }
    }
    expect(Math.max(...perSecond.values())).toBeLessThanOrEqual(CLIENTS / 10);
    expect(Math.min(...kit.cameBackAt)).toBeGreaterThanOrEqual(AWAY_MS);
    expect(Math.max(...kit.cameBackAt)).toBeLessThanOrEqual(AWAY_MS + 30_000);
  },
);

test('F107: when a proxy cuts everybody and the kit is still there, the first tries are spread over half a second', async () => {
  const clock = createManualClock();
  const kit = restartingKit(clock);
  let waiting = 0;
  const answers = askAll({
    fetch: kit.fetch,
    clock,
    random: seeded(11),
    hooks: { reconnecting: () => void waiting++ },
  });
  while (kit.asked() < CLIENTS) await clock.advance(1);
  kit.die(true);
  while (waiting < CLIENTS) await new Promise((resolve) => setTimeout(resolve, 1));
  for (let step = 0; step < 60; step++) await clock.advance(10);
  expect(new Set(await Promise.all(answers))).toEqual(new Set(['The']));
  const at = kit.cameBackAt.map((ms) => ms - AWAY_MS);
  expect(at).toHaveLength(CLIENTS);
  expect(Math.max(...at)).toBeLessThanOrEqual(500);
  for (let from = 0; from < 500; from += 25) {
    const within = at.filter((ms) => ms >= from && ms < from + 50);
    expect(within.length, `${from} to ${from + 50} ms`).toBeLessThanOrEqual(CLIENTS * 0.15);
  }
});
