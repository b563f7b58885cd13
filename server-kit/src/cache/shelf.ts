import type { CacheCounts } from './cache-counts.ts';
import type { CacheSettings } from './cache-options.ts';
import type { CacheKey, CachePurge, CacheStore } from './cache-store.ts';

/** What was found under a key. */
export interface Shelved {
  text: string | undefined;
  /** To keep something there; `undefined` when that cannot be. */
  ticket: string | undefined;
}

const nothing: Shelved = { text: undefined, ticket: undefined };

/** The store as the cache uses it: one that fails is as good as an empty one, and is counted. */
export class Shelf {
  readonly #settings: CacheSettings;
  readonly #store: CacheStore;
  readonly #counts: CacheCounts;

  constructor(settings: CacheSettings, store: CacheStore, counts: CacheCounts) {
    this.#settings = settings;
    this.#store = store;
    this.#counts = counts;
  }

  async find(key: CacheKey): Promise<Shelved> {
    if (!this.#settings.keep) return nothing;
    try {
      return await this.#store.find(key);
    } catch {
      this.#counts.add('store_failed');
      return nothing;
    }
  }

  /** @returns Whether it is kept. */
  async put(key: CacheKey, text: string, ticket: string): Promise<boolean> {
    const { bounds, maxEntryBytes } = this.#settings;
    if (2 * text.length > maxEntryBytes) return false;
    try {
      await this.#store.put(key, text, ticket, bounds);
      this.#counts.add('stored');
      return true;
    } catch {
      this.#counts.add('store_failed');
      return false;
    }
  }

  /** Throws away what cannot be read. */
  async dropBroken(key: CacheKey): Promise<void> {
    this.#counts.add('broken');
    try {
      await this.#store.drop(key);
    } catch {
      this.#counts.add('store_failed');
    }
  }

  /** @throws whatever the store throws: whoever purges wants to know. */
  async purge(which: CachePurge): Promise<number> {
    return this.#store.purge(which);
  }
}
