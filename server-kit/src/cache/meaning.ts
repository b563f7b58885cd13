import { canonicalName } from '../upstream/model-name.ts';
import type { CacheAsk } from './answer-cache.ts';
import type { CacheCounts } from './cache-counts.ts';
import { type CacheScope, cacheKey, type ServedModel } from './cache-key.ts';
import type { SemanticSettings } from './cache-options.ts';
import type { CacheKey } from './cache-store.ts';
import type { Question } from './question.ts';
import type { VectorIndex } from './vector-index.ts';
import { vectorOf } from './word-vectors.ts';

/** What a question means, as far as it can be compared. */
export interface Meant {
  bucket: string;
  vector: readonly number[];
}

/**
 * Finds answers to questions that mean the same: the last words of the user are compared, and everything else must be
 * equal, who asks included.
 */
export class Meaning {
  readonly #settings: SemanticSettings;
  readonly #index: VectorIndex;
  readonly #counts: CacheCounts;
  /** Equal words that are being turned into a vector. */
  readonly #asked = new Map<string, Promise<readonly number[] | undefined>>();

  constructor(settings: SemanticSettings, index: VectorIndex, counts: CacheCounts) {
    this.#settings = settings;
    this.#index = index;
    this.#counts = counts;
  }

  /** What a question means; `undefined` where there is nothing to compare or the model does not answer. @throws {KitFailure} when the request ends. */
  async of(
    ask: CacheAsk,
    scope: CacheScope,
    model: ServedModel,
    question: Question,
  ): Promise<Meant | undefined> {
    const heart = question.heart();
    if (heart === undefined) return undefined;
    const { model: embedding } = this.#settings;
    const name = canonicalName(embedding);
    const by = [name, ...ask.parts.catalog.digestsOf(name)];
    const bucket = cacheKey(scope, model, JSON.stringify([by, heart.rest])).digest;
    const vector = await ask.lease.during(this.#vector(ask, bucket, heart.words));
    return vector && { bucket, vector };
  }

  nearest({ bucket, vector }: Meant): CacheKey | undefined {
    return this.#index.nearest(bucket, vector, this.#settings.threshold);
  }

  learn({ bucket, vector }: Meant, key: CacheKey): void {
    this.#index.add(bucket, vector, key, this.#settings.maxEntries);
  }

  forget(key: CacheKey): void {
    this.#index.drop(key);
  }

  /** Shared by those who ask the same at once; nobody's leaving ends it. */
  #vector(ask: CacheAsk, bucket: string, words: string): Promise<readonly number[] | undefined> {
    const name = `${bucket}\n${words}`;
    const known = this.#asked.get(name);
    if (known !== undefined) return known;
    const { model, timeoutMs } = this.#settings;
    const asked = vectorOf(ask.parts, model, words, ask, timeoutMs)
      .catch(() => {
        this.#counts.add('embedding_failed');
        return undefined;
      })
      .finally(() => this.#asked.delete(name));
    this.#asked.set(name, asked);
    return asked;
  }
}
