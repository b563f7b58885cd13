import { useEffect, useRef, useState } from 'react';

/** Shortest time between two changes of the status line. */
export const PACE_MS = 400;

/** How long the next value has to wait, in ms. */
export function paceDelayMs(changedAt: number, now: number): number {
  return Math.max(0, changedAt + PACE_MS - now);
}

/** The value, but changed at most every 400 ms, so that it can be read. The newest one is always shown in the end. */
export function usePaced<T>(value: T): T {
  const [shown, setShown] = useState(value);
  const changedAt = useRef(Number.NEGATIVE_INFINITY);
  useEffect(() => {
    if (Object.is(value, shown)) return;
    const show = () => {
      changedAt.current = performance.now();
      setShown(() => value);
    };
    const delay = paceDelayMs(changedAt.current, performance.now());
    if (delay === 0) {
      show();
      return;
    }
    const timer = setTimeout(show, delay);
    return () => clearTimeout(timer);
  }, [value, shown]);
  return shown;
}
