import type { MessageNode } from '@ziggie/llm-client/conversation';
import { Fragment, type ReactElement } from 'react';
import { ErrorCard } from '../errors/error-card.tsx';
import { useMessage } from '../hooks/use-messages.ts';
import { Markdown } from '../markdown/markdown.tsx';
import { useText } from '../text/text-context.ts';
import { LazyToolCalls } from '../tools/lazy-tool-calls.tsx';
import { MessageBoundary } from './message-boundary.tsx';
import { MessageFoot } from './message-foot.tsx';
import { segmentsOf } from './message-segments.ts';
import { Sources } from './sources.tsx';
import { Thinking } from './thinking.tsx';
import { useIsLast } from './use-is-last.ts';

/** An answer: thinking, text with the calls of tools between, and a foot that says what is or was going on. */
export function AssistantMessage({ id }: { id: string }): ReactElement | null {
  const { strings } = useText();
  const message = useMessage(id);
  const isLast = useIsLast(id);
  if (message === undefined) return null;
  const { end } = message;
  const streaming = end === undefined;
  const cutOff = !streaming && (end.kind !== 'complete' || end.finishReason === 'length');
  const segments = segmentsOf(message);
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
      {segments.map((segment, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: an answer only grows at its end
        <Fragment key={index}>
          {segment.kind === 'tools' ? (
            <LazyToolCalls uses={segment.uses} live={streaming} />
          ) : segment.text === '' ? null : (
            <MessageBoundary text={segment.text}>
              <Markdown
                text={segment.text}
                streaming={streaming && index === segments.length - 1}
                cutOff={cutOff && index === segments.length - 1}
              />
            </MessageBoundary>
          )}
        </Fragment>
      ))}
      {message.sources === undefined || message.sources.length === 0 ? null : (
        <Sources sources={message.sources} />
      )}
      {end?.kind === 'failed' ? (
        <ErrorCard failure={end.failure} model={message.model ?? null} canAct={isLast} />
      ) : null}
      <MessageFoot message={message} isLast={isLast} />
    </article>
  );
}

function stateOf({ end }: MessageNode): string {
  if (end === undefined) return 'streaming';
  return end.kind === 'complete' ? 'done' : end.kind;
}
