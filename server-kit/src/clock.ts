/** The time, replaceable in tests. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Wall time in milliseconds since 1970. */
  wallNow(): number;
  /** Calls back once after `delayMs`; returns how to cancel it. Does not keep the process alive. */
  setTimer(callback: () => void, delayMs: number): () => void;
}

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  setTimer(callback, delayMs) {
    const timer = setTimeout(callback, delayMs);
    timer.unref?.();
    return () => clearTimeout(timer);
  },
};
