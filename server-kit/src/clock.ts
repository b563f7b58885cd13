/** The time, replaceable in tests. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Wall time in milliseconds since 1970. */
  wallNow(): number;
  /** Calls back once after `delayMs`; returns how to cancel it. Does not keep the process alive. */
  setTimer(callback: () => void, delayMs: number): () => void;
}

// As it is when this is loaded: a global is looked up anew every time, and this is asked for every token.
const { performance } = globalThis;

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
