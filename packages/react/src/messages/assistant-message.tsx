import type { MessageNode } from '@ziggie/llm-client/conversation';
import type { ReactElement } from 'react';
import { ErrorCard } from '../errors/error-card.tsx';
import { useMessage } from '../hooks/use-messages.ts';
import { Markdown } from '../markdown/markdown.tsx';
import { useText } from '../text/text-context.ts';
import { MessageBoundary } from './message-boundary.tsx';
import { MessageFoot } from './message-foot.tsx';
import { Thinking } from './thinking.tsx';
import { useIsLast } from './use-is-last.ts';

/** An answer: thinking, text, and a foot that says what is or was going on. */
export function AssistantMessage({ id }: { id: string }): ReactElement | null {
  const { strings } = useText();
  const message = useMessage(id);
  const isLast = useIsLast(id);
  if (message === undefined) return null;
  const streaming = message.end === undefined;
  return (
    <article
      className="zg-message"
      data-zg-row={id}
      data-role="assistant"
      data-state={stateOf(message)}
      aria-label={message.model ?? strings.assistant}
      aria-busy={streaming}
    >
      {message.thinking === '' ? null : <Thinking message={message} />}
      {message.text === '' ? null : (
        <MessageBoundary text={message.text}>
          <Markdown text={message.text} streaming={streaming} />
        </MessageBoundary>
      )}
      {message.end?.kind === 'failed' ? (
        <ErrorCard failure={message.end.failure} model={message.model ?? null} canAct={isLast} />
      ) : null}
      <MessageFoot message={message} />
    </article>
  );
}

function stateOf({ end }: MessageNode): string {
  if (end === undefined) return 'streaming';
  return end.kind === 'complete' ? 'done' : end.kind;
}
