import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { RedisLink } from '../../src/stores/redis/redis-link.ts';
import { hasRedis, startRedis } from './redis-server.ts';

// Without a redis-server on this machine it is skipped.
describe.skipIf(!hasRedis)('a link to Redis', () => {
  test('leaves it alone after three failures, then one call of all tries, and its good end lets all through', async () => {
    const redis = await startRedis();
    const client = new Redis(redis.url);
    onTestFinished(async () => {
      client.disconnect();
      await redis.stop();
    });
    await client.ping();
    let now = 0;
    let calls = 0;
    const link = new RedisLink({ client, deadlineMs: 200, now: () => now });
    const silent = () => {
      calls++;
      return new Promise<never>(() => {});
    };
    const ping = () => link.run((redis) => redis.ping());
    const crowd = () => Promise.allSettled(Array.from({ length: 5 }, () => link.run(silent)));
    for (let at = 0; at < 3; at++) await expect(link.run(silent)).rejects.toThrow('in time');
    await crowd();
    expect(calls).toBe(3);
    now += 250;
    await crowd();
    expect(calls).toBe(4);
    // The pause is twice as long now.
    now += 499;
    await expect(ping()).rejects.toThrow('left alone');
    now += 1;
    expect(await ping()).toBe('PONG');
    expect(await Promise.all([ping(), ping(), ping()])).toEqual(['PONG', 'PONG', 'PONG']);
  });
});
