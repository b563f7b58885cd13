import type { MessageNode } from '@ziggie/llm-client/conversation';
import type { ReactElement } from 'react';
import { useSelected } from '../hooks/use-cell.ts';
import { useSession } from '../provider/session.ts';
import { StatusLine } from '../status/status-line.tsx';
import { useText } from '../text/text-context.ts';
import { MessageActions } from './message-actions.tsx';
import { statsWords } from './stats-words.ts';

const isSet = (value: string | null) => value !== null;

/** The line under an answer, always of the same height: first the status, then what can be done and what it took. */
export function MessageFoot({ message }: { message: MessageNode }): ReactElement {
  const text = useText();
  const { conversation } = useSession();
  const busy = useSelected(conversation.runningId, isSet);
  if (message.end === undefined) {
    return (
      <div className="zg-foot">
        <StatusLine hideThinking={message.thinking !== '' && message.text === ''} />
      </div>
    );
  }
  return (
    <div className="zg-foot">
      <MessageActions message={message} busy={busy} />
      <span className="zg-stats">{statsWords(message, text)}</span>
    </div>
  );
}
