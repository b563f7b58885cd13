/** How many ended answers are looked at, and principals remembered. */
const keptRatios = 256;
const maxPrincipals = 4096;
/** What a job is thought to take before any has ended, in ms. */
const unknownMs = 10_000;
/** A principal's own mean counts as much as everybody's once it has this many answers, and is a moving one from the second. */
const trustedAfter = 4;
const meanOver = 32;

interface Mean {
  count: number;
  ms: number;
}

/**
 * How long the answers of one model take, learned from those that ended: a mean for each principal, drawn towards
 * everybody's while it rests on little, and how far single answers are off it.
 */
export class ServiceTimes {
  readonly #ratios: number[] = [];
  readonly #means = new Map<string, Mean>();
  readonly #all: Mean = { count: 0, ms: unknownMs };
  #at = 0;

  /** Whether an answer has ended yet. */
  get isKnown(): boolean {
    return this.#all.count > 0;
  }

  learn(principalKey: string, servedMs: number): void {
    if (this.isKnown) {
      this.#ratios[this.#at] = servedMs / Math.max(1, this.expectedMs(principalKey));
      this.#at = (this.#at + 1) % keptRatios;
    }
    add(this.#all, servedMs, keptRatios);
    const mean = this.#means.get(principalKey) ?? { count: 0, ms: 0 };
    add(mean, servedMs, meanOver);
    // Written anew, so that the first key is the one not seen for longest.
    this.#means.delete(principalKey);
    this.#means.set(principalKey, mean);
    if (this.#means.size > maxPrincipals) this.#means.delete(this.#means.keys().next().value as string);
  }

  /** What an answer for this principal is likely to take, in ms. */
  expectedMs(principalKey: string): number {
    const own = this.#means.get(principalKey);
    if (own === undefined) return this.#all.ms;
    return (own.ms * own.count + this.#all.ms * trustedAfter) / (own.count + trustedAfter);
  }

  /**
   * What an answer that has taken `elapsedMs` may take still, as values that are equally likely: right for answers of one
   * length as for those whose lengths are all over the place.
   */
  restsMs(principalKey: string, elapsedMs: number): readonly number[] {
    const expectedMs = this.expectedMs(principalKey);
    if (this.#ratios.length === 0) return [elapsedMs < expectedMs ? expectedMs - elapsedMs : expectedMs / 4];
    const rests: number[] = [];
    for (const ratio of this.#ratios) {
      const restMs = expectedMs * ratio - elapsedMs;
      if (restMs > 0) rests.push(restMs);
    }
    return rests.length > 0 ? rests : [expectedMs / 4];
  }
}

function add(mean: Mean, ms: number, over: number): void {
  mean.count = Math.min(over, mean.count + 1);
  mean.ms += (ms - mean.ms) / mean.count;
}
