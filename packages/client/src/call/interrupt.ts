/**
 * Ends a wait from outside. One per attempt, with one wait at a time: that spares a listener per chunk, and it works with
 * a `fetch` that ignores its signal.
 */
export interface Interrupt {
  /** For the transport. */
  readonly signal: AbortSignal;
  /** Who was asked last, where there are several hosts. */
  host?: string;
  /** Ends the present wait and every later one with `reason`. The first reason stays. */
  fire(reason: Error): void;
  /** What `work` gives, unless interrupted. A failure of `work` after the interruption is the interruption's own doing. */
  wait<T>(work: Promise<T>): Promise<T>;
}

export function newInterrupt(): Interrupt {
  const controller = new AbortController();
  const { signal } = controller;
  let stopWaiting: ((reason: unknown) => void) | undefined;
  return {
    signal,
    fire(reason) {
      controller.abort(reason);
      stopWaiting?.(signal.reason);
    },
    wait: (work) =>
      new Promise((resolve, reject) => {
        stopWaiting = reject;
        if (signal.aborted) reject(signal.reason);
        work.then(resolve, (error: unknown) => reject(signal.aborted ? signal.reason : error));
      }),
  };
}
