import type { MessageNode } from '@ziggie/llm-client/conversation';
import type { ReactElement } from 'react';
import { useChatParts } from '../chat/chat-parts.ts';
import { useChat } from '../hooks/use-chat.ts';
import { ThumbDownIcon, ThumbUpIcon } from '../icons/action-icons.tsx';
import { useSession } from '../provider/session.ts';
import { useText } from '../text/text-context.ts';

/** Good or bad; a second click takes it back. */
export function FeedbackButtons({
  message,
  onBad,
}: {
  message: MessageNode;
  /** Bad was just given. */
  onBad: () => void;
}): ReactElement {
  const { strings } = useText();
  const give = useGiveFeedback(message.id);
  const rating = message.feedback?.rating;
  const button = (value: 'up' | 'down', label: string, icon: ReactElement) => (
    <button
      type="button"
      className="zg-icon-button"
      aria-label={label}
      title={label}
      aria-pressed={rating === value}
      onClick={() => {
        give(rating === value ? null : { rating: value });
        if (value === 'down' && rating !== 'down') onBad();
      }}
    >
      {icon}
    </button>
  );
  return (
    <>
      {button('up', strings.feedbackUp, <ThumbUpIcon />)}
      {button('down', strings.feedbackDown, <ThumbDownIcon />)}
    </>
  );
}

/** Judges an answer and tells the host app. */
export function useGiveFeedback(
  id: string,
): (feedback: { rating: 'up' | 'down'; note?: string | undefined } | null) => void {
  const { setFeedback } = useChat();
  const { conversation } = useSession();
  const { onFeedback } = useChatParts();
  return (feedback) => {
    setFeedback(id, feedback);
    const judged = conversation.message(id).get();
    if (judged !== undefined) onFeedback?.(judged);
  };
}
