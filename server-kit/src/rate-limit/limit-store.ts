import { type Decision, decide, type Rate } from './gcra.ts';

/** Where the state of limits is kept. One call decides and consumes in one step. */
export interface LimitStore {
  take(key: string, rate: Rate, nowMs: number): Decision | Promise<Decision>;
}

/** How often a full store may be searched for keys that are not needed any more. */
const sweepEveryMs = 1000;

/**
 * Limits in the memory of this process.
 *
 * Bounded: keys whose burst is whole again are swept. When every key is in use, new ones share a single bucket: a flood
 * of keys then slows strangers down and never lifts a limit.
 */
export class MemoryLimitStore implements LimitStore {
  readonly #tats = new Map<string, number>();
  readonly #capacity: number;
  #overflowTat: number | undefined;
  #sweptAt = Number.NEGATIVE_INFINITY;

  constructor(capacity = 100_000) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#tats.size;
  }

  take(key: string, rate: Rate, nowMs: number): Decision {
    const known = this.#tats.get(key);
    if (known === undefined && !this.#hasRoom(nowMs)) {
      const shared = decide(this.#overflowTat, nowMs, rate);
      this.#overflowTat = shared.tatMs;
      return shared;
    }
    const decision = decide(known, nowMs, rate);
    this.#tats.set(key, decision.tatMs);
    return decision;
  }

  #hasRoom(nowMs: number): boolean {
    if (this.#tats.size < this.#capacity) return true;
    // A full store is what a flood makes: searching it for every new key would do the flood's work.
    if (nowMs - this.#sweptAt < sweepEveryMs) return false;
    this.#sweptAt = nowMs;
    for (const [key, tatMs] of this.#tats) if (tatMs <= nowMs) this.#tats.delete(key);
    return this.#tats.size < this.#capacity;
  }
}
