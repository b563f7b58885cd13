/** After this time without a request a model's demand has fallen to 1/e, in ms: 5 min, Ollama's own keep-alive. */
const fadeMs = 300_000;

/**
 * How much each model is asked for of late: requests in the last minutes, the older the less. A model nobody asked for is
 * 0; one request makes 1, and it fades.
 */
export class Demand {
  readonly #counts = new Map<string, { count: number; at: number }>();

  asked(model: string, now: number): void {
    const entry = this.#counts.get(model);
    if (entry) {
      entry.count = faded(entry, now) + 1;
      entry.at = now;
      return;
    }
    if (this.#counts.size >= 10_000) this.#counts.delete(this.#counts.keys().next().value as string);
    this.#counts.set(model, { count: 1, at: now });
  }

  /** Whether it will be missed soon: 0 to 1. */
  missed(model: string, now: number): number {
    const entry = this.#counts.get(model);
    return entry ? Math.min(1, faded(entry, now)) : 0;
  }

  /** How many requests came in a ms of late, those that wait included. */
  perMs(model: string, waiting: number, now: number): number {
    const entry = this.#counts.get(model);
    return ((entry ? faded(entry, now) : 0) + waiting) / fadeMs;
  }
}

function faded({ count, at }: { count: number; at: number }, now: number): number {
  return count * Math.exp((at - now) / fadeMs);
}
