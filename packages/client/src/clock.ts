import type { Clock } from './types.ts';

/** What `setTimeout` can hold: a longer delay would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The real time: `performance.now` and `setTimeout`. Delays of any length work; `Infinity` never calls back. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  setTimer(callback, delayMs) {
    if (delayMs === Infinity) return () => {};
    let timer: ReturnType<typeof setTimeout>;
    const arm = (leftMs: number): void => {
      const restMs = leftMs - LONGEST_TIMER_MS;
      timer = restMs > 0 ? setTimeout(arm, LONGEST_TIMER_MS, restMs) : setTimeout(callback, leftMs);
    };
    arm(Math.max(0, delayMs));
    return () => clearTimeout(timer);
  },
};
