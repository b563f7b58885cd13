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
    let leftMs = Math.max(0, delayMs);
    const arm = (): void => {
      const stepMs = Math.min(leftMs, LONGEST_TIMER_MS);
      leftMs -= stepMs;
      timer = setTimeout(leftMs > 0 ? arm : callback, stepMs);
    };
    arm();
    return () => clearTimeout(timer);
  },
};
