import { type ReactElement, useEffect, useState } from 'react';
import { useText } from '../text/text-context.ts';

/** Storage mostly answers at once; only a wait that is noticed shows anything. */
const NOTICED_MS = 150;

/** A bubble and three lines in place of a conversation that is being read from storage. */
export function HistoryLoading(): ReactElement | null {
  const { strings } = useText();
  const [noticed, setNoticed] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setNoticed(true), NOTICED_MS);
    return () => clearTimeout(timer);
  }, []);
  if (!noticed) return null;
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
