import type { FakeClock } from '../types.ts';

/** The longest delay that setTimeout takes; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Real time. A background timer does not keep a Node process alive. */
export const systemClock: FakeClock = {
  now: () => performance.now(),
  setTimer(callback, delayMs, background = false) {
    const due = performance.now() + delayMs;
    let timer: ReturnType<typeof setTimeout>;
    const arm = () => {
      const leftMs = due - performance.now();
      timer =
        leftMs > LONGEST_TIMER_MS
          ? setTimeout(arm, LONGEST_TIMER_MS)
          : setTimeout(callback, Math.max(0, leftMs));
      // Browsers give a number.
      if (background && typeof timer === 'object') timer.unref();
    };
    arm();
    return () => clearTimeout(timer);
  },
};
