import type { MessageNode } from '@ziggie/llm-client/conversation';
import type { ReactElement } from 'react';
import { useMessage } from '../hooks/use-messages.ts';
import { useText } from '../text/text-context.ts';

const textOf = (message: MessageNode) => message.text;

/** The reader's own words, as they were typed. */
export function UserMessage({ id }: { id: string }): ReactElement {
  const { strings } = useText();
  const text = useMessage(id, textOf);
  return (
    <article className="zg-message" data-zg-row={id} data-role="user" aria-label={strings.you}>
      <p className="zg-bubble" dir="auto">
        {text}
      </p>
    </article>
  );
}
