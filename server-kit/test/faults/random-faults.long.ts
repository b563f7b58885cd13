import { errorKinds } from '@ziggie/llm-protocol';
import type { FakeServer } from '@ziggie/llm-testing';
import { fault, faults, say } from '@ziggie/llm-testing';
import { startFakeOllama } from '@ziggie/llm-testing/node';
import { expect, test, vi } from 'vitest';
import { systemClock } from '../../src/index.ts';
import { audience, issuer, secret, signed } from '../harness.ts';
import { doors, type Gateway, startGateway } from './gateway.ts';
import { nothing } from './play.ts';
import { createRandom, type Random } from './random.ts';

/** ZIGGIE_SEED plays one run again. */
const seed = Number(process.env['ZIGGIE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const total = 10_000;
/** Each has a model of its own, and each kit asks it once: what one fault teaches a kit does not answer for the next. */
const upstreamCount = 50;
const endless = Number.POSITIVE_INFINITY;

/** Bytes by the hundred million, or minutes by the clock: played one by one, not by lot. */
const tooLong: ReadonlySet<string> = new Set(['F044', 'F047', 'F049', 'F050', 'F051', 'F104']);
const drawn = faults
  .filter(({ id }) => id <= 'F067' && !tooLong.has(id))
  .flatMap(({ id, variants }) => variants.map((variant) => [id, variant] as const));

const surfaces = [
  '/chat',
  '/chat sse',
  '/api/chat',
  '/v1/chat/completions',
  '/v1/responses',
  '/v1/messages',
] as const;

/** Short, because silence is among the faults; a busy machine may be slower than that at times. */
const patienceMs = 600;

const counts = { whole: 0, failed: 0, left: 0, refused: 0, slow: 0 };

test(`${total} faults by lot, seed ${seed}`, async () => {
  console.log(`seed ${seed}: ZIGGIE_SEED=${seed} plays it again`);
  const random = createRandom(seed);
  const rejections: unknown[] = [];
  process.on('unhandledRejection', (reason) => rejections.push(reason));
  const gpus: FakeServer[] = [];
  for (let at = 0; at < upstreamCount; at++) {
    gpus.push(await startFakeOllama({ tokensPerSecond: endless, models: [`m-${at}`], slotsPerModel: 8 }));
  }
  const bearer = await token('ada');
  for (let played = 0; played < total; ) {
    const door = doors[random.below(doors.length)] ?? 'Express';
    const gateway = await startGateway(door, optionsFor(gpus));
    await knowsAll(gateway, gpus.length, bearer);
    await Promise.all(gpus.map((gpu, at) => playOne(gateway, gpu, `m-${at}`, bearer, random)));
    played += gpus.length;
    await settled(gateway, gpus);
    await gateway.close();
    // A port that a fault has closed is opened again.
    for (const gpu of gpus) {
      gpu.fake.reset();
      await gpu.down();
      await gpu.up();
    }
  }
  expect(rejections).toEqual([]);
  const { whole, failed, left, refused, slow } = counts;
  expect(slow).toBeLessThan(total / 100);
  console.log(
    `${whole} whole, ${refused} refused by status, ${failed} ended by an error, ${left} left by their reader, ${slow} clean ones too slow`,
  );
  expect(whole + failed + left + refused).toBe(total);
  expect(Math.min(whole, failed, left, refused)).toBeGreaterThan(total / 50);
  for (const gpu of gpus) await gpu.close();
});

function optionsFor(gpus: readonly FakeServer[]) {
  return {
    upstreams: gpus.map(({ url }, at) => ({ url, name: `gpu-${at}`, slots: 8 })),
    auth: { jwt: { secret, issuer, audience } },
    limits: { requestsPerMinute: endless, requestsPerMinutePerAddress: endless, maxInFlight: endless },
    timeouts: { firstTokenMs: patienceMs, idleMs: patienceMs, loadMs: patienceMs },
    logger: {
      info() {},
      warn() {},
      error: (fields: object, text: string) => expect.fail(`${text} ${JSON.stringify(fields)}`),
    },
  };
}

const token = (sub: string) => signed(systemClock, { sub, exp: Math.floor(Date.now() / 1000) + 86_400 });

const body = (model: string, stream: boolean) => ({
  model,
  stream,
  messages: [{ role: 'user', content: 'What is it?' }],
});

function post(
  gateway: Gateway,
  surface: string,
  value: object,
  bearer: string,
  signal: AbortSignal | undefined,
) {
  const [path = '', sse] = surface.split(' ');
  return fetch(`${gateway.url}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${bearer}`,
      'content-type': 'application/json',
      ...(sse ? { accept: 'text/event-stream' } : {}),
    },
    body: JSON.stringify(bodyFor(path, value)),
    signal: signal ?? null,
  });
}

/** The same question in the shape of its address. */
function bodyFor(path: string, value: object): Record<string, unknown> {
  if (path === '/v1/messages') return { ...value, max_tokens: 1000 };
  if (path !== '/v1/responses') return { ...value };
  const { messages, ...rest } = value as { messages?: unknown };
  return { ...rest, input: messages };
}

/** One request of the lot: clean or faulty, on any surface, whole or streamed, read to its end or left. */
async function playOne(
  gateway: Gateway,
  gpu: FakeServer,
  model: string,
  bearer: string,
  random: Random,
): Promise<void> {
  const isClean = random.below(5) === 0;
  const [id, variant] = drawn[random.below(drawn.length)] as (typeof drawn)[number];
  const surface = surfaces[random.below(surfaces.length)] ?? '/chat';
  const streams = random.below(4) > 0;
  const leavesAfterMs = random.below(5) === 0 ? random.below(60) : undefined;
  const what = `${isClean ? 'clean' : `${id} ${variant}`} on ${surface}, ${streams ? 'streamed' : 'whole'}`;
  gpu.fake.script(isClean ? say('All is well.') : fault(id, variant), { times: endless });
  const seenBefore = gpu.fake.report().requests.length;
  const leaving = new AbortController();
  const timer = leavesAfterMs === undefined ? undefined : setTimeout(() => leaving.abort(), leavesAfterMs);
  try {
    const response = await post(gateway, surface, body(model, streams), bearer, leaving.signal);
    const text = await response.text();
    if (response.status !== 200) {
      expect(
        Object.values(errorKinds).map(({ status }) => status),
        what,
      ).toContain(response.status);
      if (isClean) seemsSlow(text, what);
      counts.refused++;
    } else if (endOf(surface, streams, text, what) === 'done') {
      if (isClean) expect(wordsIn(text), what).toContain(' well');
      counts.whole++;
    } else {
      if (isClean) seemsSlow(text, what);
      counts.failed++;
    }
  } catch (error) {
    if (!leaving.signal.aborted) throw new Error(`${what}: ${error}`, { cause: error });
    counts.left++;
  } finally {
    clearTimeout(timer);
    const seen = gpu.fake.report().requests.slice(seenBefore);
    // The scripts of this request must not answer the next one.
    gpu.fake.reset();
    expect(seen.filter(({ path }) => path === '/api/chat').length, what).toBeLessThanOrEqual(1);
  }
}

/** The one way in which a clean request may fail here. */
function seemsSlow(text: string, what: string): void {
  expect(text, what).toMatch(/did not begin to answer in time|stopped in the middle|_timeout/);
  counts.slow++;
}

/** How a stream ended, which it must do exactly once and in the form of its surface. */
function endOf(surface: string, streams: boolean, text: string, what: string): 'done' | 'error' {
  if (!streams) {
    expect(() => JSON.parse(text) as unknown, what).not.toThrow();
    return 'done';
  }
  const [done, error] = ends[surface] ?? [/$^/g, /$^/g];
  const [isDone, isError] = [text.match(done)?.length ?? 0, text.match(error)?.length ?? 0];
  expect(isDone + isError, `${what} ends once:\n${text.slice(-600)}`).toBe(1);
  return isDone === 1 ? 'done' : 'error';
}

const ends: Readonly<Record<string, readonly [done: RegExp, error: RegExp]>> = {
  '/chat': [/^\{"type":"done"/gm, /^\{"type":"error"/gm],
  '/chat sse': [/^data: \{"type":"done"/gm, /^data: \{"type":"error"/gm],
  '/api/chat': [/"done":true/g, /^\{"error":/gm],
  '/v1/chat/completions': [/^data: \[DONE\]/gm, /^data: \{"error":/gm],
  '/v1/responses': [/^event: response\.completed/gm, /^event: response\.failed/gm],
  '/v1/messages': [/^event: message_stop/gm, /^event: error/gm],
};

const wordsIn = (text: string) => text.replace(/\s+/g, ' ');

/** The kit has read every catalogue: the ports that a fault of the last kit closed are open again. */
async function knowsAll(gateway: Gateway, count: number, bearer: string): Promise<void> {
  await vi.waitFor(
    async () => {
      const response = await fetch(`${gateway.url}/models`, {
        headers: { authorization: `Bearer ${bearer}` },
      });
      expect(((await response.json()) as { models: unknown[] }).models).toHaveLength(count);
    },
    { timeout: 10_000, interval: 100 },
  );
}

/** Every gauge of the kit and every slot of the model servers is free. A look at a silent server takes some seconds. */
async function settled(gateway: Gateway, gpus: readonly FakeServer[]): Promise<void> {
  await vi.waitFor(
    () => {
      expect(gateway.kit.gauges()).toEqual(nothing);
      for (const { fake } of gpus) expect(fake.report().openGenerations + fake.report().waiting).toBe(0);
    },
    { timeout: 15_000, interval: 5 },
  );
}
