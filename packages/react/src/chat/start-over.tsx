import { type ReactElement, useEffect, useState } from 'react';
import { useChat } from '../hooks/use-chat.ts';
import { useRowIds } from '../hooks/use-later.ts';
import { useText } from '../text/text-context.ts';
import { useChatParts } from './chat-parts.ts';

/** How long the button waits for the second click, in ms. */
const confirmMs = 4000;

/** Empties the conversation. The first click asks, because nothing brings the words back; the second one does it. */
export function StartOver(): ReactElement | null {
  const { strings } = useText();
  const { clear } = useChat();
  const { focusComposer } = useChatParts();
  const isEmpty = useRowIds().length === 0;
  const [asking, setAsking] = useState(false);
  useEffect(() => {
    if (!asking) return;
    const timer = setTimeout(() => setAsking(false), confirmMs);
    return () => clearTimeout(timer);
  }, [asking]);
  if (isEmpty) return null;
  return (
    <button
      type="button"
      className="zg-button-quiet zg-start-over"
      data-asking={asking ? '' : undefined}
      onBlur={() => setAsking(false)}
      onClick={() => {
        if (!asking) {
          setAsking(true);
          return;
        }
        setAsking(false);
        // The button goes away with the last message; the focus must not go with it.
        focusComposer();
        // A storage that refuses shows as a notice above the conversation.
        clear().catch(() => {});
      }}
    >
      {asking ? strings.startOverConfirm : strings.startOver}
    </button>
  );
}
