import type { MessageNode } from '@ziggie/llm-client/conversation';
import type { ReactElement } from 'react';
import { useChat } from '../hooks/use-chat.ts';
import { AgainIcon, NextIcon, PreviousIcon } from '../icons/icons.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { useText } from '../text/text-context.ts';

/** What can be done with an answer. Nothing that starts a run while one goes on. */
export function MessageActions({ message, busy }: { message: MessageNode; busy: boolean }): ReactElement {
  const { strings, format } = useText();
  const { regenerate, siblings, switchTo } = useChat();
  const beside = siblings(message.id);
  const index = beside.indexOf(message.id);
  const step = (to: number) => {
    const target = beside[to];
    if (target !== undefined) switchTo(target);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms
    <div className="zg-actions" role="group" aria-label={strings.actions}>
      {message.text === '' ? null : <CopyButton text={message.text} label={strings.copyMessage} />}
      <button
        type="button"
        className="zg-icon-button"
        aria-label={strings.regenerate}
        title={strings.regenerate}
        aria-disabled={busy}
        onClick={() => {
          if (!busy) void regenerate(message.id).catch(() => {});
        }}
      >
        <AgainIcon />
      </button>
      {beside.length < 2 ? null : (
        <>
          <button
            type="button"
            className="zg-icon-button"
            aria-label={strings.previousAnswer}
            aria-disabled={busy || index === 0}
            onClick={() => {
              if (!busy) step(index - 1);
            }}
          >
            <PreviousIcon />
          </button>
          <span className="zg-branch">
            {strings.answerOf(format.count(index + 1), format.count(beside.length))}
          </span>
          <button
            type="button"
            className="zg-icon-button"
            aria-label={strings.nextAnswer}
            aria-disabled={busy || index === beside.length - 1}
            onClick={() => {
              if (!busy) step(index + 1);
            }}
          >
            <NextIcon />
          </button>
        </>
      )}
    </div>
  );
}
