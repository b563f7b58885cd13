import type { Clock, Timeouts } from '../src/types.ts';

export { createManualClock } from '@ziggie/llm-testing';

/** A clock whose timers are due at once, for waits between attempts: it remembers how long they would have been. */
export function instantClock(): Clock & { waits: number[] } {
  const waits: number[] = [];
  let now = 0;
  return {
    waits,
    now: () => now,
    setTimer(callback, delayMs) {
      let cancelled = false;
      queueMicrotask(() => {
        if (cancelled) return;
        waits.push(delayMs);
        now += delayMs;
        callback();
      });
      return () => {
        cancelled = true;
      };
    },
  };
}

/** So that only the waits between attempts set timers. */
export const noTimeouts: Timeouts = {
  connectMs: Infinity,
  loadMs: Infinity,
  firstTokenMs: Infinity,
  idleMs: Infinity,
  totalMs: Infinity,
};
