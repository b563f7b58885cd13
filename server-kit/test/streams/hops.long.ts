import { expect, test } from 'vitest';
import { hasRedis, startRedis } from '../stores/redis-server.ts';
import { hopThrough, inRedis } from './hops.ts';

test('an answer of 500 events, cut at every event, two processes: identical to the byte, one generation', async () => {
  expect(hasRedis).toBe(true);
  const redis = await startRedis();
  try {
    await hopThrough(inRedis(redis, 'hop'), 500);
  } finally {
    await redis.stop();
  }
}, 300_000);
