import { LRUCache } from 'lru-cache';
import type { CacheKey } from './cache-store.ts';

interface Entry {
  bucket: string;
  /** Of unit length. */
  vector: Float32Array;
  key: CacheKey;
}

/**
 * Which kept answer belongs to which vector, in the memory of this process. Vectors are compared within one bucket only,
 * and a bucket is all that two requests must have in common.
 */
export class VectorIndex {
  #entries: LRUCache<string, Entry> | undefined;
  readonly #buckets = new Map<string, Set<Entry>>();

  get size(): number {
    return this.#entries?.size ?? 0;
  }

  /** The key whose vector is nearest, if it is as near as `threshold` (the cosine of the angle). */
  nearest(bucket: string, vector: readonly number[], threshold: number): CacheKey | undefined {
    const wanted = unit(vector);
    let best: Entry | undefined;
    let bestCosine = threshold;
    for (const entry of this.#buckets.get(bucket) ?? []) {
      const cosine = dot(entry.vector, wanted);
      if (cosine < bestCosine) continue;
      best = entry;
      bestCosine = cosine;
    }
    if (best) this.#entries?.get(best.key.digest);
    return best?.key;
  }

  add(bucket: string, vector: readonly number[], key: CacheKey, maxEntries: number): void {
    const entry = { bucket, vector: unit(vector), key };
    this.#within(maxEntries).set(key.digest, entry);
    const entries = this.#buckets.get(bucket) ?? new Set();
    this.#buckets.set(bucket, entries.add(entry));
  }

  drop({ digest }: CacheKey): void {
    this.#entries?.delete(digest);
  }

  #within(max: number): LRUCache<string, Entry> {
    const known = this.#entries;
    if (known?.max === max) return known;
    const entries = new LRUCache<string, Entry>({ max, dispose: (entry) => this.#forget(entry) });
    // What does not fit any more is forgotten on the way.
    for (const [digest, entry] of [...(known?.entries() ?? [])].reverse()) entries.set(digest, entry);
    this.#entries = entries;
    return entries;
  }

  #forget(entry: Entry): void {
    const entries = this.#buckets.get(entry.bucket);
    entries?.delete(entry);
    if (entries?.size === 0) this.#buckets.delete(entry.bucket);
  }
}

/** Single precision is as much as models give. */
function unit(vector: readonly number[]): Float32Array {
  const length = Math.hypot(...vector.slice(0, 16_384)) || 1;
  return Float32Array.from(vector, (one) => one / length);
}

/** The cosine of two vectors of unit length; of two different lengths nothing is known. */
function dot(one: Float32Array, other: Float32Array): number {
  if (one.length !== other.length) return Number.NEGATIVE_INFINITY;
  let sum = 0;
  for (let at = 0; at < one.length; at++) sum += (one[at] as number) * (other[at] as number);
  return sum;
}
