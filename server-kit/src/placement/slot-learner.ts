/** How long after a try that failed the next one comes, in ms, doubling; and how many slots are found at most. */
const firstRestMs = 60_000;
const longestRestMs = 3_600_000;
const mostSlots = 256;

/**
 * Finds out how many answers of one model a server really runs at once: no endpoint says it. When all known slots are
 * taken and somebody waits, one more request is let through now and then. If it begins to be answered while the others
 * still are, there is one slot more; if it only waited in the server's own line, the next try is later.
 */
export class SlotLearner {
  #slots = 1;
  #isTrying = false;
  #nextTryAt = Number.NEGATIVE_INFINITY;
  #restMs = firstRestMs;

  /** Known slots. */
  get slots(): number {
    return this.#slots;
  }

  /** How many may run now, with the one that tries. */
  allowed(now: number): number {
    return this.#slots < mostSlots && !this.#isTrying && now >= this.#nextTryAt
      ? this.#slots + 1
      : this.#slots;
  }

  /** A request took a place; `running` counts it. Gives whether it is the one that tries. */
  took(running: number): boolean {
    if (running <= this.#slots) return false;
    this.#isTrying = true;
    return true;
  }

  /** An answer began while so many, itself included, were being written. */
  began(writing: number): void {
    if (writing > this.#slots) {
      this.#slots = Math.min(writing, mostSlots);
      this.#restMs = firstRestMs;
    }
  }

  /** The one that tried has ended, or another did before it began: then it was waiting for that one. */
  tryEnded(hasBegunBeside: boolean, now: number): void {
    if (!this.#isTrying) return;
    this.#isTrying = false;
    if (hasBegunBeside) return;
    this.#nextTryAt = now + this.#restMs;
    this.#restMs = Math.min(this.#restMs * 2, longestRestMs);
  }
}
