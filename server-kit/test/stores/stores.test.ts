import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import {
  MemoryCacheStore,
  MemoryKeyStore,
  MemoryLimitStore,
  MemoryRevocationStore,
  MemoryStreamStore,
  MemoryTicketStore,
} from '../../src/index.ts';
import { openDatabase } from '../../src/stores/sqlite/open-database.ts';
import type { SqliteStreamStore } from '../../src/stores/sqlite/sqlite-stream-store.ts';
import { createRedisStores } from '../../src/stores-redis.ts';
import { createSqliteStores } from '../../src/stores-sqlite.ts';
import { SetClock } from '../harness.ts';
import { cacheStoreContract } from './cache-store.contract.ts';
import { keyStoreContract } from './key-store.contract.ts';
import { limitStoreContract } from './limit-store.contract.ts';
import { hasRedis, type RedisServer, startRedis } from './redis-server.ts';
import { revocationStoreContract } from './revocation-store.contract.ts';
import { type StoredTextBench, storedTextContract, streamStoreContract } from './stream-store.contract.ts';
import { ticketStoreContract } from './ticket-store.contract.ts';

const nothing = () => {};

limitStoreContract('memory', 20_000, async () => {
  const clock = new SetClock();
  return { store: new MemoryLimitStore(clock), clock, close: nothing };
});
keyStoreContract('memory', async () => ({ store: new MemoryKeyStore(), close: nothing }));
revocationStoreContract('memory', async () => {
  const clock = new SetClock();
  return { store: new MemoryRevocationStore(() => clock.wallNow()), clock, close: nothing };
});
ticketStoreContract('memory', async () => {
  const clock = new SetClock();
  return { store: new MemoryTicketStore(clock), clock, close: nothing };
});

streamStoreContract('memory', async () => {
  const clock = new SetClock();
  const store = new MemoryStreamStore(clock);
  return {
    store,
    other: store,
    silence: async () => clock.advance(15_001),
    forget: async () => clock.advance(60_001),
    close: () => store.close(),
  };
});

cacheStoreContract('memory', async () => {
  const clock = new SetClock();
  return { store: new MemoryCacheStore(clock), pass: async (ms) => clock.advance(ms), close: nothing };
});

function sqlite() {
  const folder = mkdtempSync(join(tmpdir(), 'ziggie-stores-'));
  const clock = new SetClock();
  const { stores, close } = createSqliteStores({ path: join(folder, 'deep', 'ziggie.db'), clock });
  return {
    stores,
    clock,
    close: () => {
      close();
      rmSync(folder, { recursive: true });
    },
  };
}
limitStoreContract('SQLite', 3000, async () => {
  const { stores, clock, close } = sqlite();
  return { store: stores.limits, clock, close };
});
keyStoreContract('SQLite', async () => {
  const { stores, close } = sqlite();
  return { store: stores.keys, close };
});
revocationStoreContract('SQLite', async () => {
  const { stores, clock, close } = sqlite();
  return { store: stores.revocations, clock, close };
});
ticketStoreContract('SQLite', async () => {
  const { stores, clock, close } = sqlite();
  return { store: stores.tickets, clock, close };
});

async function sqliteStreams(): Promise<StoredTextBench> {
  const folder = mkdtempSync(join(tmpdir(), 'ziggie-streams-'));
  const path = join(folder, 'ziggie.db');
  const open = () => createSqliteStores({ path, streams: true });
  const [here, there] = [open(), open()];
  const others = openDatabase(path);
  return {
    store: here.stores.streams as SqliteStreamStore,
    other: there.stores.streams as SqliteStreamStore,
    silence: async (id) =>
      void others.prepare('UPDATE ziggie_streams SET alive_until = 0 WHERE id = ?').run(id),
    forget: async (id) => {
      const row = others.prepare('SELECT forget_at FROM ziggie_streams WHERE id = ?').get(id);
      expect((row?.['forget_at'] as number) - Date.now()).toBeGreaterThan(50_000);
      others.prepare('UPDATE ziggie_streams SET forget_at = 0 WHERE id = ?').run(id);
    },
    forge: async (id, text) =>
      void others.prepare('UPDATE ziggie_stream_events SET event = ? WHERE id = ? AND seq = 0').run(text, id),
    close: () => {
      here.close();
      there.close();
      others.close();
      rmSync(folder, { recursive: true });
    },
  };
}
streamStoreContract('SQLite', sqliteStreams);
storedTextContract('SQLite', sqliteStreams);

test('texts of answers that are deleted are gone from the file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ziggie-streams-'));
  const path = join(folder, 'ziggie.db');
  const { stores, close } = createSqliteStores({ path, streams: true });
  const bounds = { keepMs: 60_000, graceMs: 1000, maxBytes: 1e6, maxPerOwner: 3 };
  const store = stores.streams as SqliteStreamStore;
  store.open('s', { ownerKey: 'ada', model: 'm' }, bounds);
  await store.append('s', [{ type: 'text-delta', text: 'canary-3f1c', seq: 0 }], bounds);
  store.drop('s');
  close();
  for (const name of readdirSync(folder))
    expect(readFileSync(join(folder, name)).includes('canary')).toBe(false);
  rmSync(folder, { recursive: true });
});

// Without a redis-server on this machine these are skipped.
describe.skipIf(!hasRedis)('with a Redis server', () => {
  let redis: RedisServer;
  let count = 0;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());

  async function open() {
    const clock = new SetClock();
    // The deadline is not what is tested here, and the machine may be busy.
    const { stores, close } = createRedisStores({
      url: redis.url,
      clock,
      prefix: `t${count++}`,
      deadlineMs: 10_000,
    });
    await expectReady(stores.revocations);
    return { stores, clock, close };
  }
  limitStoreContract('Redis', 1000, async () => {
    const { stores, clock, close } = await open();
    return { store: stores.limits, clock, close };
  });
  keyStoreContract('Redis', async () => {
    const { stores, close } = await open();
    return { store: stores.keys, close };
  });
  revocationStoreContract('Redis', async () => {
    const { stores, clock, close } = await open();
    return { store: stores.revocations, clock, close };
  });
  ticketStoreContract('Redis', async () => {
    const { stores, clock, close } = await open();
    return { store: stores.tickets, clock, close };
  });
  cacheStoreContract('Redis', async () => {
    const { stores, close } = await open();
    // Redis goes by its own time.
    const pass = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
    return { store: stores.cache, pass, close };
  });
  test('a claim that Redis notes after its caller has given up is taken back, also while Redis is left alone', async () => {
    const { stores, close } = createRedisStores({ url: redis.url, prefix: `t${count++}`, deadlineMs: 20 });
    onTestFinished(close);
    await expectReady(stores.revocations);
    const others = new Redis(redis.url);
    onTestFinished(() => others.disconnect());
    await others.config('RESETSTAT');
    await others.client('PAUSE', 100, 'ALL');
    const claims = Array.from({ length: 5 }, (_, at) =>
      stores.streams.claim(`key${at}`, { id: `s${at}`, bodyHash: 'h' }, 60_000),
    );
    const ends = await Promise.allSettled(claims);
    expect(ends.map(({ status }) => status)).toEqual(claims.map(() => 'rejected'));
    await expect.poll(() => others.info('commandstats')).toContain('cmdstat_set:calls=5,');
    await expect.poll(() => others.keys('*:claim:key*')).toEqual([]);
  });

  test('a reservation that Redis notes after its caller has given up is given back', async () => {
    const prefix = `t${count++}`;
    const { stores, close } = createRedisStores({ url: redis.url, prefix, deadlineMs: 20 });
    onTestFinished(close);
    await expectReady(stores.revocations);
    const quota = { key: 'q', limit: 100, fixed: 10, perUnit: 0, endsAtMs: Date.now() + 1e6 };
    const reserve = (holdId: string) =>
      stores.limits.take({ rates: [], gauges: [], quotas: [quota], units: 0, leastUnits: 0, holdId });
    // The script is known to Redis from here on.
    await expect.poll(() => reserve('first').catch(() => undefined)).toBeDefined();
    const others = new Redis(redis.url);
    onTestFinished(() => others.disconnect());
    const reserved = () => others.hget(`{${prefix}}:limits:q:q`, 'r');
    const before = Number(await reserved());
    await others.config('RESETSTAT');
    await others.client('PAUSE', 100, 'ALL');
    await expect(reserve('late')).rejects.toThrow();
    await expect.poll(() => others.info('commandstats')).toContain('cmdstat_zadd:calls=1,');
    await expect.poll(async () => Number(await reserved())).toBe(before);
  });

  async function redisStreams(): Promise<StoredTextBench> {
    const prefix = `t${count++}`;
    const options = { url: redis.url, prefix, deadlineMs: 10_000 };
    const [here, there] = [createRedisStores(options), createRedisStores(options)];
    for (const { stores } of [here, there]) await expectReady(stores.revocations);
    const client = new Redis(redis.url);
    return {
      store: here.stores.streams,
      other: there.stores.streams,
      silence: async (id) => void (await client.del(`{${prefix}}:streams:log:${id}:alive`)),
      forget: async (id) => {
        const log = `{${prefix}}:streams:log:${id}`;
        for (const key of [log, `${log}:head`]) {
          expect(await client.pttl(key)).toBeGreaterThan(50_000);
          await client.pexpire(key, 1);
        }
        await new Promise((resolve) => setTimeout(resolve, 5));
      },
      forge: async (id, text) => {
        const log = `{${prefix}}:streams:log:${id}`;
        await client.del(log);
        await client.xadd(log, '0-1', 'e', text);
      },
      close: () => {
        client.disconnect();
        here.close();
        there.close();
      },
    };
  }
  streamStoreContract('Redis', redisStreams);
  storedTextContract('Redis', redisStreams);
});

async function expectReady(store: { revokedAt(ids: readonly string[]): Promise<unknown> }): Promise<void> {
  for (;;) {
    try {
      await store.revokedAt(['ready']);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
