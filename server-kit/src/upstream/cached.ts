import type { Clock } from '../clock.ts';

/** A value that is fetched when it is wanted and too old; callers at the same time share one fetch. */
export class Cached<T> {
  readonly #fetch: () => Promise<T>;
  readonly #clock: Clock;
  #entry: { value: T; at: number } | undefined;
  #running: Promise<T> | undefined;

  constructor(fetch: () => Promise<T>, clock: Clock) {
    this.#fetch = fetch;
    this.#clock = clock;
  }

  /** The value however old, with when it was fetched. */
  get entry(): { readonly value: T; readonly at: number } | undefined {
    return this.#entry;
  }

  /** The value without asking; `undefined` when it is older than `maxAgeMs`. */
  known(maxAgeMs: number): T | undefined {
    const entry = this.#entry;
    return entry && this.#clock.now() - entry.at <= maxAgeMs ? entry.value : undefined;
  }

  /** Whether there is nothing to fetch: it is young enough, or on its way. */
  isFresh(maxAgeMs: number): boolean {
    return this.#running !== undefined || this.known(maxAgeMs) !== undefined;
  }

  /** Takes a value that does not hold any more for old, however young it is. */
  expireUnless(holds: (value: T) => boolean): void {
    if (this.#entry && !holds(this.#entry.value)) {
      this.#entry = { value: this.#entry.value, at: Number.NEGATIVE_INFINITY };
    }
  }

  get(maxAgeMs: number): Promise<T> {
    const value = this.known(maxAgeMs);
    if (value !== undefined) return Promise.resolve(value);
    this.#running ??= this.#fetch()
      .then((fetched) => {
        this.#entry = { value: fetched, at: this.#clock.now() };
        return fetched;
      })
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }
}
