import { type Cluster, Redis } from 'ioredis';
import { type Clock, systemClock } from '../../clock.ts';
import { RedisCacheStore } from './redis-cache-store.ts';
import { RedisKeyStore } from './redis-key-store.ts';
import { RedisLimitStore } from './redis-limit-store.ts';
import { RedisLink } from './redis-link.ts';
import { RedisNotices } from './redis-notices.ts';
import { RedisRevocationStore } from './redis-revocation-store.ts';
import { RedisStreamStore } from './redis-stream-store.ts';
import { RedisTicketStore } from './redis-ticket-store.ts';

/** Where the Redis stores are. Give `url` or `client`. */
export interface RedisStoresOptions {
  /** Such as `redis://127.0.0.1:6379`; the connection is made here and closed by `close`. */
  url?: string | undefined;
  /** A connection of yours, which stays yours. */
  client?: Redis | Cluster | undefined;
  /** Begins every key. Default `ziggie`. */
  prefix?: string | undefined;
  /**
   * Processes that share this Redis. While it is away each gives out that part of every rate limit: 4 processes a quarter
   * each. Default 1, which is right for one process only.
   */
  nodes?: number | undefined;
  /** Longest that an answer is waited for, in ms. Default 50. */
  deadlineMs?: number | undefined;
  /** The time that limits go by. Default Redis' own; a clock is for tests. */
  clock?: Clock | undefined;
}

/** Stores of a kit in Redis. */
export interface RedisStores {
  keys: RedisKeyStore;
  limits: RedisLimitStore;
  revocations: RedisRevocationStore;
  tickets: RedisTicketStore;
  streams: RedisStreamStore;
  cache: RedisCacheStore;
}

/**
 * Keeps keys, limits, revocations, tickets of sockets, answers to come back to and answers for those who ask the same in
 * Redis 6 or later, shared by every process. Redis must not evict keys
 * (`maxmemory-policy noeviction`), and should write to disk when API keys are kept there.
 *
 * When Redis is away or slow, rates fall back to this process's share, quotas, API keys and tickets answer 503, and answers
 * go on: they can be come back to in the process that writes them, and what was kept counts as not there.
 *
 * @returns The stores, to be given as `stores`, and how to close the connection after the kit is closed.
 * @throws {TypeError} when the options are not usable.
 *
 * @example
 * const { stores, close } = createRedisStores({ url: 'redis://127.0.0.1:6379', nodes: 4 });
 * const kit = createServerKit({ upstreams, auth, stores });
 */
export function createRedisStores(options: RedisStoresOptions): { stores: RedisStores; close: () => void } {
  const { url, client: given, prefix = 'ziggie', nodes = 1, deadlineMs = 50, clock } = options;
  if ((url === undefined) === (given === undefined)) {
    throw new TypeError('createRedisStores(): give url or client, one of the two.');
  }
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(prefix)) {
    throw new TypeError('createRedisStores(): prefix must be letters, digits, "_" and "-", at most 64.');
  }
  if (!Number.isInteger(nodes) || nodes < 1) {
    throw new TypeError(`createRedisStores(): nodes must be a whole number of at least 1, got ${nodes}.`);
  }
  if (!Number.isFinite(deadlineMs) || deadlineMs <= 0) {
    throw new TypeError(`createRedisStores(): deadlineMs must be a time in ms, got ${deadlineMs}.`);
  }
  const client = given ?? connect(url as string);
  const time = clock ?? systemClock;
  // One for each, so that slow keys do not close the way to limits.
  const link = () => new RedisLink({ client, deadlineMs, now: () => performance.now() });
  const notices = new RedisNotices(client);
  const braced = `{${prefix}}`;
  return {
    stores: {
      keys: new RedisKeyStore(link(), `${braced}:keys`),
      limits: new RedisLimitStore({
        link: link(),
        prefix: `${braced}:limits`,
        nodes,
        clock: time,
        now: clock && (() => clock.wallNow()),
      }),
      revocations: new RedisRevocationStore(link(), `${braced}:revocations`, () => time.wallNow()),
      tickets: new RedisTicketStore(link(), `${braced}:tickets`, () => time.wallNow()),
      streams: new RedisStreamStore(link(), notices, `${braced}:streams`, () => time.wallNow()),
      cache: new RedisCacheStore(link(), `${braced}:cache`),
    },
    close: () => {
      notices.close();
      if (given === undefined) client.disconnect();
    },
  };
}

function connect(url: string): Redis {
  const client = new Redis(url, {
    // What cannot be said now is not wanted later.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 2000,
    retryStrategy: (attempt) => Math.min(2000, 50 * 2 ** Math.min(attempt, 6)),
  });
  // Each call says that it failed; without a listener the process would end.
  client.on('error', () => {});
  return client;
}
