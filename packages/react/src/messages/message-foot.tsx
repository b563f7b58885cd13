import type { MessageNode } from '@ziggie/llm-client/conversation';
import { type ReactElement, useDeferredValue, useState } from 'react';
import { useChat } from '../hooks/use-chat.ts';
import { useLooksBusy } from '../hooks/use-later.ts';
import { StatusLine } from '../status/status-line.tsx';
import { useText } from '../text/text-context.ts';
import { useGiveFeedback } from './feedback-buttons.tsx';
import { LazyFeedbackNote } from './lazy-message-parts.ts';
import { MessageActions } from './message-actions.tsx';
import { statsWords } from './stats-words.ts';

interface MessageFootProps {
  message: MessageNode;
  isLast: boolean;
}

/** The line under an answer, always of the same height: first the status, then what can be done and what it took. */
export function MessageFoot({ message, isLast }: MessageFootProps): ReactElement {
  // What can be done with an answer may come a moment after its last words.
  const end = useDeferredValue(message.end);
  return end === undefined || message.end === undefined ? (
    <div className="zg-foot">
      <StatusLine hideThinking={message.thinking !== '' && message.text === ''} />
    </div>
  ) : (
    <EndedFoot message={message} end={message.end} isLast={isLast} />
  );
}

function EndedFoot({
  message,
  end,
  isLast,
}: MessageFootProps & { end: NonNullable<MessageNode['end']> }): ReactElement {
  const text = useText();
  const busy = useLooksBusy();
  const give = useGiveFeedback(message.id);
  const [asksWhy, setAsksWhy] = useState(false);
  return (
    <>
      <div className="zg-foot">
        <MessageActions
          message={message}
          busy={busy}
          hasCard={isLast && end.kind === 'failed'}
          onBad={() => setAsksWhy(true)}
        />
        <span className="zg-stats">{statsWords(message, text)}</span>
        {isLast && !busy && canContinue(message) ? <ContinueButton id={message.id} /> : null}
      </div>
      {asksWhy ? (
        <LazyFeedbackNote
          onSave={(note) => give({ rating: 'down', note })}
          onClose={() => setAsksWhy(false)}
        />
      ) : null}
    </>
  );
}

/** Whether there is more to be had of this very answer. A failed one has its card. */
function canContinue({ end, text }: MessageNode): boolean {
  if (text === '') return false;
  return end?.kind === 'stopped' || (end?.kind === 'complete' && end.finishReason === 'length');
}

function ContinueButton({ id }: { id: string }): ReactElement {
  const { strings } = useText();
  const chat = useChat();
  return (
    <button type="button" className="zg-button-text" onClick={() => void chat.continue(id).catch(() => {})}>
      {strings.continueAnswer}
    </button>
  );
}
