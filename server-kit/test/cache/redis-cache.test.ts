import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createRedisStores } from '../../src/stores-redis.ts';
import { type SlowProxy, startSlowProxy } from '../quotas/slow-proxy.ts';
import { hasRedis, type RedisServer, startRedis } from '../stores/redis-server.ts';
import { readOf, repeatable, startCached } from './cached-kit.ts';

// Without a redis-server on this machine these are skipped.
describe.skipIf(!hasRedis)('answers that processes share', () => {
  let redis: RedisServer;
  let proxy: SlowProxy;
  const closers: (() => unknown)[] = [];
  beforeEach(async () => {
    redis = await startRedis();
    proxy = await startSlowProxy(redis.port);
  });
  afterEach(async () => {
    for (const close of closers.splice(0)) close();
    await proxy.close();
    await redis.stop();
  });

  async function start(port = proxy.port, deadlineMs?: number) {
    const { stores, close } = createRedisStores({ url: `redis://127.0.0.1:${port}`, deadlineMs });
    closers.push(close);
    await expect.poll(() => stores.cache.size().catch(() => undefined)).toBeDefined();
    return startCached({ stores: { cache: stores.cache } });
  }
  const ask = async (kit: Awaited<ReturnType<typeof start>>, seed = 0) =>
    readOf(await kit.as({}, '/chat', { ...repeatable, options: { temperature: 0, seed } }));

  test('one process keeps what another gives', async () => {
    // The deadline is not what is tested here, and the machine may be busy.
    const [a, b] = [await start(proxy.port, 10_000), await start(proxy.port, 10_000)];
    const first = await ask(a);
    await expect.poll(async () => (await ask(b)).cache).toBe('hit');
    expect(await ask(b)).toEqual({ ...first, cache: 'hit' });
    const purged = await a.as({ roles: ['admin'] }, '/admin/cache/purge', { tenant: 'acme' });
    expect(await purged.json()).toEqual({ purged: 1 });
    expect((await ask(b)).cache).toBe('miss');
  });

  test('a Redis that answers after 5 s is a miss within its 50 ms, and is soon left alone', async () => {
    const kit = await start();
    await ask(kit);
    proxy.delayMs = 5000;
    const took: number[] = [];
    for (let at = 1; at < 9; at++) {
      const began = performance.now();
      expect((await ask(kit, at)).cache).toBe('miss');
      took.push(performance.now() - began);
    }
    // Once its three failures have opened the breaker nobody waits for it.
    expect(Math.max(...took)).toBeLessThan(1000);
    const { pieces } = proxy;
    await ask(kit, 9);
    expect(proxy.pieces).toBe(pieces);
  });

  test('a Redis that dies is a miss, and is used again when it is back', async () => {
    const kit = await start(redis.port, 1000);
    await ask(kit);
    await redis.stop();
    for (let at = 1; at < 6; at++) expect((await ask(kit, at)).cache).toBe('miss');
    const token = await kit.token({ roles: ['admin'] });
    expect((await kit.answer('/admin/cache', { token })).status).toBe(503);
    await redis.start();
    await expect
      .poll(async () => (await ask(kit, 7)).cache, {
        timeout: 8000,
        interval: 100,
      })
      .toBe('hit');
  });
});
