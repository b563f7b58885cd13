import { afterAll, beforeAll, describe, test } from 'vitest';
import { hasRedis, type RedisServer, startRedis } from '../stores/redis-server.ts';
import { hopThrough } from './hops.ts';

describe.skipIf(!hasRedis)('two processes with one Redis', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());

  test('an answer of 40 events, cut at every event: identical to the byte, one generation', async () => {
    await hopThrough(redis, 40);
  });
});
