import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ServerKitOptions } from '../../src/index.ts';
import { createRedisStores } from '../../src/stores-redis.ts';
import { audience, type Bench, issuer, problemIn, secret, startBench } from '../harness.ts';
import { hasRedis, type RedisServer, startRedis } from '../stores/redis-server.ts';
import { type CountingOllama, startCountingOllama } from './counting-ollama.ts';
import { type SlowProxy, startSlowProxy } from './slow-proxy.ts';

const run = promisify(execFile);
const child = fileURLToPath(new URL('quota-process.ts', import.meta.url));
const pepper = 'a pepper for tests, longer than 32 bytes';

// Without a redis-server on this machine these are skipped.
describe.skipIf(!hasRedis)('limits that processes share', () => {
  let redis: RedisServer;
  let ollama: CountingOllama;
  const closers: (() => unknown)[] = [];
  beforeEach(async () => {
    redis = await startRedis();
    ollama = await startCountingOllama();
  });
  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
    await ollama.close();
    await redis.stop();
  });

  /** @param deadlineMs Of one call; default the 50 ms that hosts have, which a busy machine may not keep. */
  async function start(
    port: number,
    limits: ServerKitOptions['limits'],
    deadlineMs?: number,
  ): Promise<Bench> {
    const { stores, close } = createRedisStores({ url: `redis://127.0.0.1:${port}`, nodes: 4, deadlineMs });
    closers.push(close);
    await expect.poll(() => stores.revocations.revokedAt(['x']).catch(() => undefined)).toEqual([undefined]);
    return startBench({
      upstreams: [{ url: ollama.url, slots: 64 }],
      auth: { jwt: { secret, issuer, audience }, keys: { pepper } },
      stores,
      limits,
    });
  }
  const tokens = (limit: number) => [
    { name: 'tokens', per: 'user' as const, unit: 'totalTokens' as const, window: 'month' as const, limit },
  ];
  const statusOf = async (bench: Bench, target = '/me') => {
    const response = await bench.answer(target);
    await response.text();
    return response.status;
  };

  test('64 streams on four processes never use more than their 10,000 tokens', async () => {
    ollama.wants = 500;
    const outputs = await Promise.all(
      Array.from({ length: 4 }, () =>
        run(process.execPath, [
          '--conditions=@ziggie/source',
          '--no-warnings',
          child,
          ollama.url,
          redis.url,
          '16',
          '10000',
        ]),
      ),
    );
    const results = outputs.flatMap(
      ({ stdout }) => JSON.parse(stdout) as { status: number; end: string; tokens: number }[],
    );
    expect(results).toHaveLength(256);
    const written = results.reduce((sum, one) => sum + one.tokens, 0);
    const answers = results.filter(({ status }) => status === 200);
    expect(new Set(answers.map(({ end }) => end))).toEqual(new Set(['done']));
    // Each answer also read 7 tokens.
    const used = written + 7 * answers.length;
    expect(written).toBe(ollama.written);
    expect(used).toBeLessThanOrEqual(10_000);
    // And it is all used: what is left is less than a question comes to.
    expect(used).toBeGreaterThan(9900);
    const client = new Redis(redis.url);
    const [key = ''] = await client.keys('*:q:tokens:*');
    expect(await client.hgetall(key)).toEqual({ s: String(used), r: '0' });
    client.disconnect();
  });

  test('two nodes, 50 requests each at once, a limit of 10: ten pass', async () => {
    const nodes = [
      await start(redis.port, { requestsPerMinute: 10 }, 5000),
      await start(redis.port, { requestsPerMinute: 10 }, 5000),
    ];
    const statuses = await Promise.all(
      Array.from({ length: 100 }, (_, at) => statusOf(nodes[at % 2] as Bench)),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(10);
  });

  test('Redis stops: rates go on with a share, quotas and keys are refused, and all is well when it is back', async () => {
    const bench = await start(redis.port, { requestsPerMinute: 40, rules: tokens(10_000) });
    const { key } = await bench.kit.keys.create({ ownerId: 'grace', roles: ['user'] });
    expect((await bench.chat({ stream: false, max_tokens: 20 })).status).toBe(200);
    await redis.stop();
    bench.clock.advance(5000);
    const refused = await bench.chat();
    expect(refused.headers.get('retry-after')).toBe('5');
    expect(await problemIn(refused)).toMatchObject({
      code: 'store_unavailable',
      status: 503,
      retryable: true,
    });
    expect((await problemIn(await bench.answer('/me', { token: key }))).code).toBe('store_unavailable');
    expect(ollama.asked).toHaveLength(1);
    await redis.start();
    await expect.poll(async () => (await bench.chat({ stream: false, max_tokens: 20 })).status).toBe(200);
  });

  test('Redis stops: each of four nodes gives out a quarter of a rate and no more', async () => {
    const bench = await start(redis.port, { requestsPerMinute: 40 });
    // Looked at once before, so that only the limit is asked.
    const token = await bench.token();
    const ask = async () => {
      const response = await bench.answer('/models', { token });
      await response.text();
      return response.status;
    };
    expect(await ask()).toBe(200);
    await redis.stop();
    const statuses: number[] = [];
    for (let at = 0; at < 20; at++) statuses.push(await ask());
    expect(statuses).toEqual([...new Array(10).fill(200), ...new Array(10).fill(429)]);
  });

  test('Redis answers after 5 s: nobody waits longer than a moment', async () => {
    const proxy: SlowProxy = await startSlowProxy(redis.port);
    closers.push(() => proxy.close());
    const bench = await start(proxy.port, { requestsPerMinute: 400, rules: tokens(10_000) });
    const token = await bench.token();
    await (await bench.answer('/models', { token })).text();
    proxy.delayMs = 5000;
    const pieces = proxy.pieces;
    const times: number[] = [];
    const codes = new Set<number>();
    for (let at = 0; at < 40; at++) {
      const began = performance.now();
      const response = await bench.answer('/models', { token });
      await response.text();
      times.push(performance.now() - began);
      codes.add(response.status);
    }
    expect(codes).toEqual(new Set([200]));
    // The deadline is 50 ms; a second is what a busy machine may add to it, and far from 5 s.
    expect(Math.max(...times)).toBeLessThan(1000);
    // Calls are made until the breaker opens, and then none: 40 requests do not all wait for the deadline.
    expect(proxy.pieces - pieces).toBeLessThan(12);
    expect((await problemIn(await bench.chat())).code).toBe('store_unavailable');
  });

  test('Redis is flushed in the middle of an answer: what it used is charged all the same', async () => {
    const bench = await start(redis.port, { rules: tokens(10_000) }, 5000);
    let release = () => {};
    const held = new Promise<undefined>((resolve) => {
      release = () => resolve(undefined);
    });
    ollama.beforeToken = (at) => (at === 1 ? held : undefined);
    const streaming = await bench.chat();
    await redis.flush();
    release();
    expect(await streaming.text()).toContain('"type":"done"');
    const client = new Redis(redis.url);
    await expect
      .poll(async () => {
        const [key] = await client.keys('*:q:tokens:*');
        return key === undefined ? undefined : client.hgetall(key);
      })
      .toEqual({ s: '27' });
    client.disconnect();
  });
});
