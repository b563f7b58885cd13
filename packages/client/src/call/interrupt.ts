/**
 * Ends a wait from outside. One per attempt, with one wait at a time: that spares a listener per chunk, and it works with
 * a `fetch` that ignores its signal.
 */
export class Interrupt {
  readonly #controller = new AbortController();
  #rejectWait: ((reason: unknown) => void) | undefined;

  /** For the transport. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Ends the present wait and every later one with `reason`. The first reason stays. */
  fire(reason: Error): void {
    if (this.signal.aborted) return;
    this.#controller.abort(reason);
    this.#rejectWait?.(reason);
  }

  /** What `work` gives, unless interrupted. A failure of `work` after the interruption is the interruption's own doing. */
  wait<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.signal.aborted) {
        work.catch(() => {});
        reject(this.signal.reason);
        return;
      }
      this.#rejectWait = reject;
      work.then(resolve, (error: unknown) => reject(this.signal.aborted ? this.signal.reason : error));
    });
  }
}
