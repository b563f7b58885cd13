/** Share of the requests that may be tried a second time, and how many tries are there at the start and at most. */
const share = 0.1;
const atStart = 5;
const atMost = 50;

/**
 * How many requests may go straight to a second upstream: one of ten, so that an outage of all meets at most 1.2 tries per
 * request and not a multiple. A few are there from the start, for a kit that has seen little yet. Beyond that a second try
 * waits until the other upstream has shown that it lives.
 */
export class RetryBudget {
  #left = atStart;

  get left(): number {
    return Math.floor(this.#left + 1e-9);
  }

  /** A request came in. */
  earn(): void {
    this.#left = Math.min(atMost, this.#left + share);
  }

  /** Takes one try; `false` when there is none. */
  spend(): boolean {
    if (this.left < 1) return false;
    this.#left--;
    return true;
  }
}
