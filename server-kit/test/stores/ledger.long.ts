import { afterAll, beforeAll, describe, test } from 'vitest';
import { MemoryLimitStore } from '../../src/index.ts';
import { createRedisStores } from '../../src/stores-redis.ts';
import { createSqliteStores } from '../../src/stores-sqlite.ts';
import { SetClock } from '../harness.ts';
import { runLedger } from './ledger.ts';
import { hasRedis, type RedisServer, startRedis } from './redis-server.ts';

test('memory conserves the sum over 1,000,000 random operations', async () => {
  const clock = new SetClock();
  await runLedger(new MemoryLimitStore(clock), clock, 1_000_000, 1);
});

test('SQLite conserves the sum over 100,000 random operations', async () => {
  const clock = new SetClock();
  const { stores, close } = createSqliteStores({ path: ':memory:', clock });
  await runLedger(stores.limits, clock, 100_000, 2);
  close();
});

describe.skipIf(!hasRedis)('with a Redis server', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());

  test('Redis conserves the sum over 20,000 random operations', async () => {
    const clock = new SetClock();
    const { stores, close } = createRedisStores({ url: redis.url, clock, deadlineMs: 10_000 });
    while (!(await stores.revocations.revokedAt(['x']).catch(() => undefined))) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await runLedger(stores.limits, clock, 20_000, 3);
    close();
  });
});
