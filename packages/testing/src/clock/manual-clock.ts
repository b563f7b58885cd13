import type { ManualClock } from '../types.ts';

interface Timer {
  dueMs: number;
  order: number;
  callback: () => void;
}

/**
 * A clock that stands still until the test moves it.
 *
 * `advance(ms)` runs the timers that fall due, in order, each at its own time, timers set meanwhile included. Between two
 * of them it lets promises and streams settle, so that what follows a timer has happened before the next one.
 */
export function createManualClock(): ManualClock {
  const timers = new Set<Timer>();
  let nowMs = 0;
  let order = 0;
  return {
    now: () => nowMs,
    setTimer(callback, delayMs) {
      const timer = { dueMs: nowMs + Math.max(0, delayMs), order: order++, callback };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    get pending() {
      return timers.size;
    },
    async advance(ms) {
      const untilMs = nowMs + ms;
      await settle();
      for (let next = first(timers); next && next.dueMs <= untilMs; next = first(timers)) {
        timers.delete(next);
        nowMs = next.dueMs;
        next.callback();
        await settle();
      }
      nowMs = untilMs;
    },
  };
}

function first(timers: Iterable<Timer>): Timer | undefined {
  let found: Timer | undefined;
  for (const timer of timers) {
    if (!found || timer.dueMs < found.dueMs || (timer.dueMs === found.dueMs && timer.order < found.order)) {
      found = timer;
    }
  }
  return found;
}

/** One turn of the event loop: every promise that can settle has done so. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}
