/** What can happen to a request at the cache. */
export const cacheEvents = [
  /** It got an answer that was kept. */
  'hit',
  /** It got the answer to a question that means the same. */
  'semantic',
  /** It shares a generation that another request had begun. */
  'coalesced',
  /** Nothing was there: a model was asked. */
  'miss',
  /** It has nothing to do with the cache. */
  'bypass',
  /** An answer was kept. */
  'stored',
  /** The store did not answer: as if nothing were there. */
  'store_failed',
  /** The embedding model did not answer: no question was compared. */
  'embedding_failed',
  /** What was kept could not be read and was thrown away. */
  'broken',
] as const;

/** One of them. */
export type CacheEvent = (typeof cacheEvents)[number];

/** How often each has happened since the process began. */
export class CacheCounts {
  readonly #counts = new Map<CacheEvent, number>(cacheEvents.map((event) => [event, 0]));

  add(event: CacheEvent): void {
    this.#counts.set(event, (this.#counts.get(event) ?? 0) + 1);
  }

  get all(): Record<CacheEvent, number> {
    return Object.fromEntries(this.#counts) as Record<CacheEvent, number>;
  }
}
