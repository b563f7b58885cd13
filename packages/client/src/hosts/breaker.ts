/** Failures in a row after which a host is left alone. */
const OPENS_AFTER = 5;
/** For how long. Then one request may try it. */
const OPEN_MS = 10_000;

/**
 * Whether a host is worth a request: closed (all may), open (none may) or half-open (one may, and what becomes of it
 * decides). Pure: the time is passed in.
 */
export class Breaker {
  #failures = 0;
  #failedAt = -Infinity;
  #isProbed = false;

  /** Failures in a row that are not forgotten yet: with any, others are asked before it. */
  failures(now: number): number {
    return now - this.#failedAt < OPEN_MS ? this.#failures : 0;
  }

  /** Milliseconds until a request may try it; 0 when one may now. */
  closedForMs(now: number): number {
    if (this.#failures < OPENS_AFTER) return 0;
    return this.#isProbed ? OPEN_MS : Math.max(0, this.#failedAt + OPEN_MS - now);
  }

  /** A request goes out. */
  began(): void {
    this.#isProbed = this.#failures >= OPENS_AFTER;
  }

  answered(): void {
    this.#failures = 0;
    this.#isProbed = false;
  }

  failed(now: number): void {
    this.#failures++;
    this.#isProbed = false;
    this.#failedAt = now;
  }

  /** The request was left before anything could be known. */
  left(): void {
    this.#isProbed = false;
  }
}
