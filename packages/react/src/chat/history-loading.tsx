import { type ReactElement, useEffect, useState } from 'react';
import { useText } from '../text/text-context.ts';

/** Storage mostly answers at once; only a wait that is noticed shows anything. */
const NOTICED_MS = 150;

/** Whether a wait lasts so long that it is noticed. */
export function useNoticed(waits: boolean): boolean {
  const [noticed, setNoticed] = useState(false);
  useEffect(() => {
    if (!waits) return;
    const timer = setTimeout(() => setNoticed(true), NOTICED_MS);
    return () => {
      clearTimeout(timer);
      setNoticed(false);
    };
  }, [waits]);
  return waits && noticed;
}

/** A bubble and three lines in place of a conversation that is being read from storage. */
export function HistoryLoading(): ReactElement {
  const { strings } = useText();
  return (
    <div className="zg-skeleton" role="status">
      <span className="zg-sr">{strings.conversationLoading}</span>
      <span data-bone="bubble" />
      <span data-bone="long" />
      <span data-bone="middle" />
      <span data-bone="short" />
    </div>
  );
}
