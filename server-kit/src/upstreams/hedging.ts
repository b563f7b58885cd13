import { canonicalName } from '../upstream/model-name.ts';

/** Settings of hedging. */
export interface HedgingOptions {
  /**
   * How long the first upstream is given for its first token before a second one is asked, in ms. Default: learned, the time
   * within which 19 of 20 first tokens of the model came, and nothing is hedged before 20 have come.
   */
  afterMs?: number | undefined;
}

/** First tokens that are remembered per model, that are needed to say anything, and models. */
const keptTimes = 200;
const neededTimes = 20;
const maxModels = 512;
/** What the slowest of twenty takes longer than. */
const quantile = 0.95;
/** Sooner than this a second request costs more than it saves, in ms. */
const leastMs = 20;

/** When a second upstream is asked, and how that went. */
export class Hedging {
  readonly #times = new Map<string, number[]>();
  /** Requests that were asked twice, and those of them that the second one answered. */
  sent = 0;
  won = 0;
  #afterMs: number | undefined;

  set options({ afterMs }: HedgingOptions) {
    this.#afterMs = afterMs;
  }

  /** How long a first token of this model is waited for; `undefined` while nobody can say. */
  delayMs(model: string): number | undefined {
    if (this.#afterMs !== undefined) return this.#afterMs;
    const times = this.#times.get(canonicalName(model));
    if (times === undefined || times.length < neededTimes) return undefined;
    const sorted = [...times].sort((a, b) => a - b);
    return Math.max(leastMs, sorted[Math.ceil(sorted.length * quantile) - 1] ?? leastMs);
  }

  /**
   * A first token came so long after its place was taken, the model being in memory. Where the second upstream was faster it
   * is its time: longer than what was waited for, which is all that the quantile needs to stay where it is.
   */
  learn(model: string, firstTokenMs: number): void {
    const name = canonicalName(model);
    const times = this.#times.get(name) ?? [];
    this.#times.delete(name);
    this.#times.set(name, times);
    times.push(firstTokenMs);
    if (times.length > keptTimes) times.shift();
    if (this.#times.size > maxModels) this.#times.delete(this.#times.keys().next().value as string);
  }
}
