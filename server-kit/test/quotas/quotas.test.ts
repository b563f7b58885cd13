import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LimitRule, ServerKitOptions } from '../../src/index.ts';
import { limitScopes, limitUnits } from '../../src/limits/limit-rules.ts';
import {
  audience,
  type Bench,
  DrivenClock,
  eventsIn,
  issuer,
  problemIn,
  secret,
  startBench,
} from '../harness.ts';
import { parseEvents, readerOf } from '../stream-harness.ts';
import { type CountingOllama, startCountingOllama } from './counting-ollama.ts';

let ollama: CountingOllama;
beforeEach(async () => {
  ollama = await startCountingOllama();
});
afterEach(() => ollama.close());

const jwt = { secret, issuer, audience, tenantClaim: 'org' };
const pepper = 'a pepper for tests, longer than 32 bytes';

function start(rules: LimitRule[], more: Partial<ServerKitOptions> = {}): Promise<Bench> {
  return startBench({
    upstreams: [{ url: ollama.url, slots: 64 }],
    auth: { jwt, keys: { pepper } },
    prices: { '*': { inputPerMillion: 1, outputPerMillion: 10 } },
    limits: { requestsPerMinute: 10_000, maxInFlight: 1000, rules },
    ...more,
  });
}

/** How every limit of the caller stands. */
async function limitsOf(bench: Bench, token?: string) {
  const response = await bench.answer('/me/limits', { token });
  const { limits } = (await response.json()) as {
    limits: { name: string; limit: number; left: number; resetsAt: string | null }[];
  };
  return Object.fromEntries(limits.map((one) => [one.name, one]));
}

const short = { stream: false, max_tokens: 20 };

describe('every kind of limit refuses', () => {
  // Each caller differs from the first in one thing.
  const others = {
    address: { connection: { remoteAddress: '198.51.100.9' } },
    user: { claims: { sub: 'grace' } },
    key: {},
    tenant: { claims: { org: 'other' } },
    model: { body: { model: 'stand-in-vision' } },
    global: undefined,
  } as const;
  // One answer uses 7 tokens of input and 20 of output, a second of GPU time, and 207 millionths of the currency.
  const limitOf = {
    requests: 1,
    inputTokens: 17,
    outputTokens: 20,
    totalTokens: 38,
    gpuSeconds: 2,
    cost: 0.000227,
    inFlight: 1,
  };

  for (const per of limitScopes) {
    for (const unit of limitUnits) {
      test(`${unit} per ${per}`, async () => {
        const window = unit === 'inFlight' ? undefined : unit === 'requests' ? 'minute' : 'day';
        const bench = await start([{ per, unit, limit: limitOf[unit], window, name: 'the-one' }]);
        const key = await bench.kit.keys.create({ ownerId: 'ada', roles: ['user'], tenant: 'acme' });
        const otherKey = await bench.kit.keys.create({ ownerId: 'ada', roles: ['user'], tenant: 'acme' });
        let release = () => {};
        if (unit === 'inFlight') {
          const held = new Promise<undefined>((resolve) => {
            release = () => resolve(undefined);
          });
          ollama.beforeToken = (at) => (at === 1 ? held : undefined);
        }
        const mine = per === 'key' ? key.key : await bench.token({ org: 'acme' });
        const ask = { token: mine, connection: { remoteAddress: '203.0.113.7' } };
        const streams = unit === 'inFlight';
        const first = await bench.chat({ ...short, stream: streams }, ask);
        expect(first.status).toBe(200);
        if (!streams) await first.text();
        const refused = await bench.chat(short, ask);
        const problem = await problemIn(refused);
        const shared = per === 'model' || per === 'global';
        expect(problem.code).toBe(
          shared
            ? 'server_busy'
            : unit === 'inFlight'
              ? 'too_many_in_flight'
              : unit === 'requests'
                ? 'rate_limited'
                : 'quota_exceeded',
        );
        expect(problem.status).toBe(shared ? 503 : 429);
        expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
        expect(refused.headers.get('ratelimit-policy')).toContain('"the-one";q=');
        expect(refused.headers.get('ratelimit')).toContain('"the-one";r=');
        expect(bench.logs.at(-1)?.fields['reason']).toBe('limit the-one');
        expect(ollama.asked).toHaveLength(1);
        const other = others[per];
        if (other) {
          const { claims, body, connection } = { claims: {}, body: {}, connection: ask.connection, ...other };
          const token = per === 'key' ? otherKey.key : await bench.token({ org: 'acme', ...claims });
          const let_ = bench.chat({ ...short, ...body }, { token, connection });
          if (streams) release();
          expect((await let_).status).toBe(200);
        }
        release();
        if (streams) await first.text();
      });
    }
  }

  test('a rule for roles or models leaves the others alone', async () => {
    const bench = await start([
      { per: 'user', unit: 'outputTokens', window: 'day', limit: 20, roles: ['user'], models: ['stand-in'] },
    ]);
    const admin = await bench.token({ roles: ['admin'] });
    for (const [body, token, status] of [
      [{}, undefined, 200],
      [{}, undefined, 429],
      [{ model: 'stand-in-vision' }, undefined, 200],
      [{}, admin, 200],
      [{}, admin, 200],
    ] as const) {
      const response = await bench.chat({ ...short, ...body }, { token });
      await response.text();
      expect(response.status).toBe(status);
    }
  });
});

describe('a quota of tokens', () => {
  const tokens = (limit: number, more: Partial<LimitRule> = {}): LimitRule => ({
    name: 'tokens',
    per: 'user',
    unit: 'totalTokens',
    window: 'day',
    limit,
    ...more,
  });

  test('is reserved, then settled from what the model server counted', async () => {
    const bench = await start([tokens(10_000)]);
    let release = () => {};
    const held = new Promise<undefined>((resolve) => {
      release = () => resolve(undefined);
    });
    ollama.beforeToken = (at) => (at === 1 ? held : undefined);
    const streaming = await bench.chat();
    // The default of 4,096 tokens, and what the question may come to.
    expect((await limitsOf(bench))['tokens']?.left).toBeLessThan(10_000 - 4096);
    expect((await limitsOf(bench))['tokens']?.left).toBeGreaterThan(10_000 - 4200);
    release();
    expect((await eventsIn(streaming)).at(-1)?.type).toBe('done');
    expect((await limitsOf(bench))['tokens']?.left).toBe(10_000 - 27);
  });

  test('clamps num_predict to what is left, so that the answer ends by length', async () => {
    const bench = await start([tokens(100, { unit: 'outputTokens' })]);
    ollama.wants = 60;
    expect((await eventsIn(await bench.chat())).at(-1)).toMatchObject({ type: 'done', finishReason: 'stop' });
    expect((await eventsIn(await bench.chat())).at(-1)).toMatchObject({
      type: 'done',
      finishReason: 'length',
    });
    expect(ollama.asked.map(({ numPredict }) => numPredict)).toEqual([100, 40]);
    const problem = await problemIn(await bench.chat());
    expect(problem).toMatchObject({ code: 'quota_exceeded', retryAfterMs: 86_400_000 });
    expect(problem.detail).toBe(
      'The limit "tokens" has no room for this: 100 output tokens a day for this user. Wait 86400 s.',
    );
  });

  test('cuts a stream that goes on beyond it, with a typed end and not one token more', async () => {
    const bench = await start([tokens(10, { unit: 'outputTokens' })]);
    ollama.obeys = false;
    ollama.wants = 1000;
    const events = await eventsIn(await bench.chat());
    expect(events.filter(({ type }) => type === 'text-delta').length).toBeLessThanOrEqual(10);
    expect(events.at(-1)).toMatchObject({ type: 'error', code: 'quota_exceeded', status: 429 });
    expect(events.some(({ type }) => type === 'done')).toBe(false);
    await expect.poll(() => ollama.asked[0]?.response.destroyed).toBe(true);
    // What was not asked for is charged as far as it was written, and no further.
    expect((await limitsOf(bench))['tokens']?.left).toBe(0);
  });

  test('refuses a whole answer that is longer than it may be', async () => {
    const bench = await start([tokens(10, { unit: 'outputTokens' })]);
    ollama.obeys = false;
    expect((await problemIn(await bench.chat({ stream: false }))).code).toBe('quota_exceeded');
  });

  test('one in the way of another says so, and not that the day is over', async () => {
    const bench = await start([tokens(5000, { unit: 'outputTokens' })]);
    let release = () => {};
    const held = new Promise<undefined>((resolve) => {
      release = () => resolve(undefined);
    });
    ollama.beforeToken = (at) => (at === 1 ? held : undefined);
    const [one, two] = [await bench.chat(), await bench.chat()];
    // 4,096 and the remaining 904 are reserved.
    expect(ollama.asked.map(({ numPredict }) => numPredict)).toEqual([4096, 904]);
    const refused = await bench.chat();
    expect(refused.headers.get('retry-after')).toBe('5');
    expect(await problemIn(refused)).toMatchObject({ code: 'quota_exceeded', retryable: true });
    release();
    await Promise.all([one.text(), two.text()]);
    expect((await bench.chat(short)).status).toBe(200);
  });

  test('ten at once with room for one: one runs', async () => {
    const bench = await start([tokens(100, { unit: 'outputTokens' })]);
    ollama.wants = 100;
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => bench.chat({ stream: false, max_tokens: 100 })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...new Array(9).fill(429)]);
    expect(ollama.written).toBe(100);
    await Promise.all(answers.map((answer) => answer.text()));
  });

  test('begins anew at midnight where the rule says, and a stream counts for the day it began in', async () => {
    const bench = await start([tokens(100, { unit: 'outputTokens', timeZone: 'Europe/Berlin' })]);
    // 23:59:50 in Berlin on the day when clocks are put back: this day has 25 hours.
    bench.clock.wallMs = Date.UTC(2030, 9, 27, 22, 59, 50);
    const opened = (await limitsOf(bench))['tokens'];
    expect(opened?.resetsAt).toBe('2030-10-27T23:00:00.000Z');
    let release = () => {};
    const held = new Promise<undefined>((resolve) => {
      release = () => resolve(undefined);
    });
    ollama.beforeToken = (at) => (at === 5 ? held : undefined);
    const token = await bench.token({ exp: Date.UTC(2031, 0, 1) / 1000 });
    const streaming = await bench.chat({ max_tokens: 50 }, { token });
    expect((await limitsOf(bench, token))['tokens']?.left).toBe(50);
    bench.clock.wallMs += 20_000;
    expect((await limitsOf(bench, token))['tokens']).toMatchObject({
      left: 100,
      resetsAt: '2030-10-28T23:00:00.000Z',
    });
    release();
    await streaming.text();
    expect((await limitsOf(bench, token))['tokens']?.left).toBe(100);
    bench.clock.wallMs -= 20_000;
    expect((await limitsOf(bench, token))['tokens']?.left).toBe(80);
  });

  test('charges nothing when the model server fails before it wrote', async () => {
    const bench = await start([tokens(1000)]);
    ollama.beforeToken = () => false;
    expect((await bench.chat(short)).status).toBe(502);
    expect((await limitsOf(bench))['tokens']?.left).toBe(1000);
  });

  test('charges what was written when a reader leaves, and the reading when it leaves before', async () => {
    const bench = await start([tokens(10_000)]);
    for (const at of [0, 12]) {
      ollama.asked = [];
      const before = (await limitsOf(bench))['tokens']?.left as number;
      let reached = () => {};
      const there = new Promise<void>((resolve) => {
        reached = resolve;
      });
      ollama.beforeToken = async (token) => {
        if (token !== at) return undefined;
        reached();
        // Long enough for what was written to be read, and then for ever.
        await wait(50);
        return new Promise<undefined>(() => {});
      };
      const leaving = new AbortController();
      const asked = bench.chat({ max_tokens: 100 }, { signal: leaving.signal });
      await there;
      await wait(100);
      leaving.abort();
      await (await asked).text().catch(() => {});
      const used = before - ((await limitsOf(bench))['tokens']?.left as number);
      // The question is 5 bytes and 8 for its template; nobody counted it.
      expect(used).toBeGreaterThanOrEqual(at);
      expect(used).toBeGreaterThan(5);
      expect(used).toBeLessThan(at + 20);
    }
  });

  test.each<[string, Record<string, unknown>]>([
    ['negative', { eval_count: -1000, prompt_eval_count: -5 }],
    ['text', { eval_count: '1', prompt_eval_count: '1' }],
    ['missing', { eval_count: undefined, prompt_eval_count: undefined }],
    ['zero', { eval_count: 0, prompt_eval_count: 0 }],
    ['too small', { eval_count: 1, prompt_eval_count: 7 }],
    ['huge', { eval_count: 1e308, prompt_eval_count: 1e308 }],
    ['beyond numbers', { eval_count: '1e400', prompt_eval_count: '1e400' }],
    ['not whole', { eval_count: 20.5, prompt_eval_count: 7.5 }],
  ])('counts that are %s raise no quota, cost something and no more than can be', async (_what, counts) => {
    const bench = await start([tokens(1000)]);
    const honest = ollama.last;
    ollama.last = (written) => ({ ...honest(written), ...counts });
    await (await bench.chat({ max_tokens: 40 })).text();
    const used = 1000 - ((await limitsOf(bench))['tokens']?.left as number);
    expect(used).toBeGreaterThanOrEqual(20);
    expect(used).toBeLessThanOrEqual(40 + 5 + 64 * 5);
  });
});

describe('a quota of GPU time', () => {
  const gpu = (limit: number): LimitRule => ({
    name: 'gpu',
    per: 'user',
    unit: 'gpuSeconds',
    window: 'hour',
    limit,
  });

  test('is charged as the model server measured it', async () => {
    const bench = await start([gpu(100)]);
    await (await bench.chat(short)).text();
    expect((await limitsOf(bench))['gpu']?.left).toBe(99);
  });

  /** An answer whose first token is here and whose second the GPU works on, until it is let go. */
  async function begun(limit: number, more: LimitRule[] = []) {
    const clock = new DrivenClock();
    const bench = await start([gpu(limit), ...more], { clock });
    let release = () => {};
    const held = new Promise<undefined>((resolve) => {
      release = () => resolve(undefined);
    });
    ollama.beforeToken = (at) => (at === 1 ? held : undefined);
    const reader = readerOf(await bench.chat({ max_tokens: 20 }));
    let text = '';
    while (!text.includes('text-delta')) text += await reader.next();
    return { bench, clock, release, rest: async () => parseEvents(text + (await reader.rest())) };
  }

  test('cuts an answer that takes longer than there is', async () => {
    const { clock, rest } = await begun(2);
    await clock.drive(59_000);
    expect((await rest()).at(-1)).toMatchObject({ type: 'error', code: 'quota_exceeded' });
  });

  test('lets an answer go on that takes longer than was thought while there is more', async () => {
    const { bench, clock, release, rest } = await begun(100);
    await clock.drive(20_000);
    release();
    expect((await rest()).at(-1)?.type).toBe('done');
    expect((await limitsOf(bench))['gpu']?.left).toBe(99);
  });

  test('an answer that is given more time is one request of its model yet', async () => {
    const calls: LimitRule = { name: 'calls', per: 'user', unit: 'requests', window: 'hour', limit: 10 };
    const { bench, clock, release, rest } = await begun(100, [{ ...calls, models: ['stand-in'] }]);
    await clock.drive(20_000);
    release();
    await rest();
    expect((await bench.chat(short)).headers.get('ratelimit')).toContain('"calls";r=8');
  });
});

test('a quota of cost follows the prices of the model', async () => {
  const bench = await start([{ name: 'cost', per: 'user', unit: 'cost', window: 'month', limit: 1 }], {
    prices: {
      'stand-in': { inputPerMillion: 1000, outputPerMillion: 2000 },
      '*': { inputPerMillion: 0, outputPerMillion: 0 },
    },
  });
  await (await bench.chat(short)).text();
  // 7 tokens at 0.001 and 20 at 0.002.
  expect((await limitsOf(bench))['cost']?.left).toBeCloseTo(1 - 0.007 - 0.04, 9);
  await (await bench.chat({ ...short, model: 'stand-in-vision' })).text();
  expect((await limitsOf(bench))['cost']?.left).toBeCloseTo(1 - 0.007 - 0.04, 9);
});

describe('what the caller is told', () => {
  test('good answers name every limit and its rest, in the fields of the draft', async () => {
    const bench = await start([
      { name: 'tokens', per: 'user', unit: 'totalTokens', window: 'day', limit: 10_000 },
      { name: 'daily', per: 'user', unit: 'requests', window: 'day', limit: 50 },
      { per: 'tenant', unit: 'cost', window: 'month', limit: 5 },
    ]);
    bench.clock.wallMs = Date.UTC(2030, 0, 1, 12);
    const response = await bench.chat(short, { token: await bench.token() });
    expect(response.headers.get('ratelimit-policy')).toBe(
      '"principal";q=10000;w=60, "daily";q=50;w=86400, "tokens";q=10000;w=86400;qu="tokens"',
    );
    expect(response.headers.get('ratelimit')).toMatch(
      /^"principal";r=9999;t=1, "daily";r=49;t=43200, "tokens";r=99\d\d;t=43200$/,
    );
    await response.text();
  });

  test('/me/limits lists one’s own limits and nothing of the others', async () => {
    const bench = await start([
      { name: 'tokens', per: 'user', unit: 'totalTokens', window: 'day', limit: 10_000 },
      { name: 'all', per: 'global', unit: 'totalTokens', window: 'day', limit: 1_000_000 },
      { name: 'hourly', per: 'user', unit: 'requests', window: 'hour', limit: 100, burst: 10 },
    ]);
    const limits = await limitsOf(bench);
    expect(Object.keys(limits).sort()).toEqual(['address', 'hourly', 'in-flight', 'principal', 'tokens']);
    expect(limits['hourly']).toMatchObject({ limit: 10, left: 9 });
    expect(limits['in-flight']).toMatchObject({ limit: 1000, left: 1000, resetsAt: null });
    // Looking takes nothing but the request itself.
    expect((await limitsOf(bench))['hourly']?.left).toBe(8);
    expect((await limitsOf(bench))['tokens']?.left).toBe(10_000);
  });

  test('waiting as long as Retry-After says makes the next request pass', async () => {
    const bench = await start([
      { name: 'hourly', per: 'user', unit: 'requests', window: 'hour', limit: 7, burst: 2 },
    ]);
    const ask = async () => bench.answer('/me', { token: await bench.token() });
    await ask();
    await ask();
    const refused = await ask();
    expect(refused.status).toBe(429);
    bench.clock.advance(Number(refused.headers.get('retry-after')) * 1000);
    expect((await ask()).status).toBe(200);
  });

  test('a refusal says nothing of other people', async () => {
    const bench = await start([
      { name: 'tokens', per: 'tenant', unit: 'outputTokens', window: 'day', limit: 20 },
    ]);
    await (await bench.chat(short, { token: await bench.token({ org: 'acme', sub: 'grace' }) })).text();
    const refused = await bench.chat(short, { token: await bench.token({ org: 'acme' }) });
    expect(JSON.stringify([[...refused.headers], await refused.text()])).not.toMatch(/grace|acme/);
  });
});

describe('options of limits', () => {
  test.each<[string, LimitRule, string]>([
    ['no window', { per: 'user', unit: 'totalTokens', limit: 1 }, 'limits.rules.0.window'],
    [
      'a window of answers at once',
      { per: 'user', unit: 'inFlight', window: 'day', limit: 1 },
      'limits.rules.0.window',
    ],
    ['half a token', { per: 'user', unit: 'totalTokens', window: 'day', limit: 1.5 }, 'limits.rules.0.limit'],
    [
      'a burst of tokens',
      { per: 'user', unit: 'totalTokens', window: 'day', limit: 1, burst: 1 },
      'limits.rules.0.burst',
    ],
    [
      'a zone that is none',
      { per: 'user', unit: 'requests', window: 'day', limit: 1, timeZone: 'Mars/Olympus' },
      'limits.rules.0.timeZone',
    ],
    [
      'roles for addresses',
      { per: 'address', unit: 'requests', window: 'day', limit: 1, roles: ['user'] },
      'limits.rules.0.roles',
    ],
    [
      'a name that breaks headers',
      { per: 'user', unit: 'inFlight', limit: 1, name: 'a"b' },
      'limits.rules.0.name',
    ],
    [
      'a name that is taken',
      { per: 'user', unit: 'inFlight', limit: 1, name: 'principal' },
      'two limits.rules are called "principal"',
    ],
    ['nothing', { per: 'user', unit: 'inFlight', limit: 0 }, 'limits.rules.0.limit'],
  ])('%s is refused', async (_what, rule, words) => {
    await expect(start([rule])).rejects.toThrow(words);
  });
});
