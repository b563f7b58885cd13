import type { RateLine } from './limit-store.ts';

/** How often a full class may be searched for keys that are not needed any more. */
const sweepEveryMs = 1000;

interface Class {
  tats: Map<string, number>;
  overflowTat: number | undefined;
  sweptAt: number;
}

/**
 * The state of rates in memory, bounded per class of keys, so that a flood of addresses never takes the room of people who
 * are signed in: keys whose burst is whole again are swept. When every key is in use, new ones share a single bucket: a
 * flood of keys then slows strangers down and never lifts a limit.
 */
export class RateBook {
  readonly #classes = new Map<string, Class>();
  readonly #capacity: number;
  #lastKey = '';
  #lastClass: Class | undefined;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    let size = 0;
    for (const { tats } of this.#classes.values()) size += tats.size;
    return size;
  }

  /** State of a line; that of the shared bucket for a stranger there is no room for. */
  tat({ key }: RateLine, nowMs: number): number | undefined {
    const bucket = this.#class(key);
    const tat = bucket.tats.get(key);
    return tat === undefined && !this.#hasRoom(bucket, nowMs) ? bucket.overflowTat : tat;
  }

  /** Keeps what was decided. */
  keep({ key }: RateLine, tatMs: number, nowMs: number): void {
    const bucket = this.#class(key);
    if (!bucket.tats.has(key) && !this.#hasRoom(bucket, nowMs)) bucket.overflowTat = tatMs;
    else bucket.tats.set(key, tatMs);
  }

  #class(key: string): Class {
    // A line is looked at and kept right after another.
    if (key === this.#lastKey && this.#lastClass !== undefined) return this.#lastClass;
    const name = key.slice(0, key.indexOf(':'));
    let found = this.#classes.get(name);
    if (!found) {
      found = { tats: new Map(), overflowTat: undefined, sweptAt: Number.NEGATIVE_INFINITY };
      this.#classes.set(name, found);
    }
    this.#lastKey = key;
    this.#lastClass = found;
    return found;
  }

  #hasRoom(bucket: Class, nowMs: number): boolean {
    if (bucket.tats.size < this.#capacity) return true;
    // A full store is what a flood makes: searching it for every new key would do the flood's work.
    if (nowMs - bucket.sweptAt < sweepEveryMs) return false;
    bucket.sweptAt = nowMs;
    for (const [key, tatMs] of bucket.tats) if (tatMs <= nowMs) bucket.tats.delete(key);
    return bucket.tats.size < this.#capacity;
  }
}
