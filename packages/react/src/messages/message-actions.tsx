import type { MessageNode } from '@ziggie/llm-client/conversation';
import type { ReactElement } from 'react';
import { useChatParts } from '../chat/chat-parts.ts';
import { useChat } from '../hooks/use-chat.ts';
import { useModels } from '../hooks/use-models.ts';
import { MoreIcon } from '../icons/action-icons.tsx';
import { AgainIcon } from '../icons/icons.tsx';
import { BranchSteps } from '../parts/branch-steps.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { Menu, type MenuItem } from '../parts/menu.tsx';
import { useText } from '../text/text-context.ts';
import { FeedbackButtons } from './feedback-buttons.tsx';
import { useRemoveMessage } from './use-remove-message.ts';

/** Most other models that the menu offers for another answer. */
const MAX_OTHERS = 5;

interface MessageActionsProps {
  message: MessageNode;
  /** A run goes on: nothing that would start another. */
  busy: boolean;
  /** A card above offers the way on: there must not be two. */
  hasCard: boolean;
  onBad: () => void;
}

/** What can be done with an answer. */
export function MessageActions({ message, busy, hasCard, onBad }: MessageActionsProps): ReactElement {
  const { strings } = useText();
  const { regenerate } = useChat();
  const { feedback } = useChatParts();
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms
    <div className="zg-actions" role="group" aria-label={strings.actions}>
      {message.text === '' ? null : <CopyButton text={message.text} label={strings.copyMessage} />}
      {hasCard ? null : (
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
      )}
      {feedback && message.text !== '' ? <FeedbackButtons message={message} onBad={onBad} /> : null}
      <MoreActions message={message} busy={busy} />
      <BranchSteps
        messageId={message.id}
        busy={busy}
        previous={strings.previousAnswer}
        next={strings.nextAnswer}
      />
    </div>
  );
}

function MoreActions({ message, busy }: { message: MessageNode; busy: boolean }): ReactElement {
  const { strings } = useText();
  const { regenerate } = useChat();
  const { models } = useModels();
  const remove = useRemoveMessage();
  const others = models.filter(({ name }) => name !== message.model).slice(0, MAX_OTHERS);
  const items: MenuItem[] = busy
    ? []
    : others.map(({ name }) => ({
        label: strings.regenerateWith(name),
        act: () => void regenerate(message.id, { model: name }).catch(() => {}),
      }));
  items.push({ label: strings.deleteAnswer, act: () => remove(message.id), harms: true });
  return <Menu label={strings.more} icon={<MoreIcon />} items={items} />;
}
