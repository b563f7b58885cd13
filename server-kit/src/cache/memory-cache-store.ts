import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import {
  type CacheBounds,
  type CacheFound,
  type CacheKey,
  type CachePurge,
  type CacheStore,
  isPurged,
  sizeOfText,
} from './cache-store.ts';

interface Entry {
  key: CacheKey;
  text: string;
  endsAt: number;
}

/** Answers in the memory of this process; what was wanted least lately goes first. */
export class MemoryCacheStore implements CacheStore {
  readonly #clock: Clock;
  #entries: LRUCache<string, Entry> | undefined;
  #purges = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  find({ digest }: CacheKey): CacheFound {
    const entry = this.#entries?.get(digest);
    const ticket = String(this.#purges);
    // On the clock that does not jump: an hour is an hour, whatever happens to the time of day.
    if (entry !== undefined && this.#clock.now() < entry.endsAt) return { text: entry.text, ticket };
    if (entry !== undefined) this.#entries?.delete(digest);
    return { text: undefined, ticket };
  }

  put(key: CacheKey, text: string, ticket: string, bounds: CacheBounds): void {
    if (ticket !== String(this.#purges)) return;
    this.#within(bounds).set(key.digest, { key, text, endsAt: this.#clock.now() + bounds.ttlMs });
  }

  drop({ digest }: CacheKey): void {
    this.#entries?.delete(digest);
  }

  purge(which: CachePurge): number {
    this.#purges++;
    const entries = this.#entries;
    if (entries === undefined) return 0;
    const before = entries.size;
    for (const [digest, { key }] of [...entries.entries()]) {
      if (isPurged(key, which)) entries.delete(digest);
    }
    return before - entries.size;
  }

  size(): { entries: number; bytes: number } {
    return { entries: this.#entries?.size ?? 0, bytes: this.#entries?.calculatedSize ?? 0 };
  }

  /** Other bounds take along what was kept under the ones before. */
  #within({ maxEntries, maxBytes }: CacheBounds): LRUCache<string, Entry> {
    const known = this.#entries;
    if (known?.max === maxEntries && known.maxSize === maxBytes) return known;
    const entries = new LRUCache<string, Entry>({
      max: maxEntries,
      maxSize: maxBytes,
      sizeCalculation: ({ text }) => sizeOfText(text),
    });
    if (known) entries.load(known.dump());
    this.#entries = entries;
    return entries;
  }
}
