import type { Cell } from '@ziggie/llm-client/conversation';
import { useEffect, useRef, useState } from 'react';

/** Shortest time between two changes of the status line. */
export const PACE_MS = 400;

/** How long the next value has to wait, in ms. */
export function paceDelayMs(changedAt: number, now: number): number {
  return Math.max(0, changedAt + PACE_MS - now);
}

/**
 * The value of a cell, but changed at most every 400 ms, so that it can be read. The newest one is always shown in the end.
 * What changes in between renders nothing.
 */
export function usePaced<T>(cell: Cell<T>): T {
  const [shown, setShown] = useState(() => cell.get());
  const first = useRef(shown);
  useEffect(() => {
    let changedAt = Number.NEGATIVE_INFINITY;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const show = () => {
      timer = undefined;
      changedAt = performance.now();
      setShown(() => cell.get());
    };
    const onChange = () => {
      if (timer !== undefined) return;
      const delay = paceDelayMs(changedAt, performance.now());
      if (delay === 0) show();
      else timer = setTimeout(show, delay);
    };
    const leave = cell.subscribe(onChange);
    // It may have changed before it was watched.
    if (!Object.is(first.current, cell.get())) show();
    return () => {
      leave();
      clearTimeout(timer);
    };
  }, [cell]);
  return shown;
}
