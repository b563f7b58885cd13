import { useEffect, useRef } from 'react';

/** How long a button that changed its meaning ignores clicks: one aimed at what it was before. */
const SETTLE_MS = 300;

/**
 * Wraps a click handler so that it ignores clicks right after `meaning` changed: the second half of a double click on
 * Send must not stop the answer, and a late Stop must not send the draft.
 */
export function useSettledClick(
  meaning: unknown,
): (act: () => void) => (event: { timeStamp: number; detail: number }) => void {
  const changedAt = useRef(Number.NEGATIVE_INFINITY);
  const before = useRef(meaning);
  useEffect(() => {
    if (Object.is(before.current, meaning)) return;
    before.current = meaning;
    changedAt.current = performance.now();
  }, [meaning]);
  return (act) => (event) => {
    // A click by keyboard has no detail: nobody aims with it.
    if (event.detail > 0 && event.timeStamp - changedAt.current < SETTLE_MS) return;
    act();
  };
}
