import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, onTestFinished, test } from 'vitest';
import type { StreamStore } from '../../src/index.ts';
import { createSqliteStores } from '../../src/stores-sqlite.ts';
import { hasRedis, type RedisServer, startRedis } from '../stores/redis-server.ts';
import { hopThrough, inRedis } from './hops.ts';

describe.skipIf(!hasRedis)('two processes with one Redis', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());

  test('an answer of 40 events, cut at every event: identical to the byte, one generation', async () => {
    await hopThrough(inRedis(redis, 'hop'), 40);
  });
});

test('two processes with one SQLite file: an answer of 40 events, cut at every event', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ziggie-hops-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  await hopThrough(() => {
    const made = createSqliteStores({ path: join(folder, 'ziggie.db'), streams: true });
    onTestFinished(made.close);
    return made.stores.streams as StreamStore;
  }, 40);
});
