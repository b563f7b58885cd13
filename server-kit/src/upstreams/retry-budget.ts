/** Share of the requests that may be tried a second time, and how many tries are there at the start and at most. */
const share = 0.2;
const atStart = 10;
const atMost = 100;

/**
 * How many second tries there may be: one for every five requests, so that an outage meets at most 1.2 tries per request
 * and not a multiple. A few are there from the start, for a kit that has seen little yet.
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
