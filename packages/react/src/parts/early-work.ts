import { useEffect } from 'react';

const earlyWork: (() => void)[] = [];

/** Does something once the page has nothing else to do, so that it is no wait later. To be called at the top of a module. */
export function doEarly(work: () => void): void {
  earlyWork.push(work);
}

/** Does that, after what is shown now. */
export function useEarlyWork(): void {
  useEffect(() => {
    const doAll = () => {
      for (const work of earlyWork.splice(0)) work();
    };
    // Safari has no idle time to give.
    const idle = globalThis.requestIdleCallback?.(doAll, { timeout: 3_000 });
    const timer = idle === undefined ? setTimeout(doAll, 1_000) : undefined;
    return () => {
      if (idle !== undefined) cancelIdleCallback(idle);
      clearTimeout(timer);
    };
  }, []);
}
