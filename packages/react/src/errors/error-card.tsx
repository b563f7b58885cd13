import type { TurnFailure } from '@ziggie/llm-client/conversation';
import { type ReactElement, useId } from 'react';
import { useChatParts } from '../chat/chat-parts.ts';
import { useChat } from '../hooks/use-chat.ts';
import { CopyButton } from '../parts/copy-button.tsx';
import { useSession } from '../provider/session.ts';
import { useNow } from '../status/use-now.ts';
import { useText } from '../text/text-context.ts';
import { describeFailure } from './describe-failure.ts';

interface ErrorCardProps {
  failure: TurnFailure;
  model: string | null;
  /** Only the last turn can be tried again. */
  canAct: boolean;
}

/** A failed turn: what happened, what to do, and the number under which the server logged it. */
export function ErrorCard({ failure, model, canAct }: ErrorCardProps): ReactElement {
  const text = useText();
  const { strings } = text;
  const { retry } = useChat();
  const { signInAgain } = useSession();
  const { openModelPicker } = useChatParts();
  const titleId = useId();
  const soon = useNow(failure.retryAt !== undefined && failure.retryAt > Date.now());
  const { tone, title, line, action, waitMs } = describeFailure(failure, model, soon, text);

  const button = (label: string, act: () => void) => (
    <button type="button" className="zg-button-card" disabled={waitMs > 0} onClick={act}>
      {label}
    </button>
  );
  const act = () => {
    if (!canAct || action === 'none') return null;
    if (action === 'sign-in') return button(strings.signIn, () => void signInAgain().catch(() => {}));
    if (action === 'pick-model' && openModelPicker !== null)
      return button(strings.pickAnother, openModelPicker);
    return button(strings.retry, () => void retry().catch(() => {}));
  };

  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms
    <div className="zg-card" data-tone={tone} role="group" aria-labelledby={titleId}>
      <div className="zg-card-text">
        <p className="zg-card-title" id={titleId}>
          {title}
        </p>
        {line === '' ? null : <p>{line}</p>}
        {failure.requestId === undefined ? null : (
          <p className="zg-card-id">
            <span>{strings.requestId}</span> <code>{failure.requestId}</code>
            <CopyButton text={failure.requestId} label={strings.copyRequestId} />
          </p>
        )}
      </div>
      {act()}
    </div>
  );
}
