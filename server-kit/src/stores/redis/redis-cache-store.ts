import {
  type CacheBounds,
  type CacheFound,
  type CacheKey,
  type CachePurge,
  type CacheStore,
  sizeOfText,
} from '../../cache/cache-store.ts';
import { dropScript, purgeScript, putScript } from './cache-scripts.ts';
import type { RedisLink } from './redis-link.ts';

/** Answers in Redis, for every process that shares it; what would end first goes first. */
export class RedisCacheStore implements CacheStore {
  readonly #link: RedisLink;
  readonly #prefix: string;
  readonly #entries: string;
  readonly #keys: readonly string[];

  constructor(link: RedisLink, prefix: string) {
    this.#link = link;
    this.#prefix = prefix;
    this.#entries = `${prefix}:entry:`;
    this.#keys = ['index', 'sizes', 'bytes', 'purges'].map((name) => `${prefix}:${name}`);
  }

  async find(key: CacheKey): Promise<CacheFound> {
    const [text, purges] = await this.#link.run((client) =>
      client.mget(this.#entries + memberOf(key), `${this.#prefix}:purges`),
    );
    return { text: text ?? undefined, ticket: purges ?? '0' };
  }

  async put(key: CacheKey, text: string, ticket: string, bounds: CacheBounds): Promise<void> {
    const { ttlMs, maxEntries, maxBytes } = bounds;
    const args = [
      this.#entries,
      memberOf(key),
      text,
      sizeOfText(text),
      ticket,
      Math.ceil(ttlMs),
      maxEntries,
      maxBytes,
    ];
    await this.#link.script(putScript, this.#keys, args.map(String));
  }

  async drop(key: CacheKey): Promise<void> {
    await this.#link.script(dropScript, this.#keys, [this.#entries, memberOf(key)]);
  }

  async purge({ tenant = '', model = '' }: CachePurge): Promise<number> {
    // First: what is put from now on with an older ticket is not kept.
    await this.#link.run((client) => client.incr(`${this.#prefix}:purges`));
    let purged = 0;
    let cursor = '0';
    do {
      const page = await this.#link.script(purgeScript, this.#keys, [this.#entries, cursor, tenant, model]);
      const [next, count] = page as [string, number];
      cursor = next;
      purged += count;
    } while (cursor !== '0');
    return purged;
  }

  async size(): Promise<{ entries: number; bytes: number }> {
    const entries = await this.#link.run((client) => client.zcard(`${this.#prefix}:index`));
    const bytes = await this.#link.run((client) => client.get(`${this.#prefix}:bytes`));
    return { entries, bytes: Number(bytes ?? 0) };
  }
}

function memberOf({ tenant, model, digest }: CacheKey): string {
  return `${tenant}:${model}:${digest}`;
}
