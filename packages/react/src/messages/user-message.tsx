import type { MessageNode } from '@ziggie/llm-client/conversation';
import { type ReactElement, useCallback, useDeferredValue } from 'react';
import { AttachmentList } from '../attachments/attachment-list.tsx';
import { useChatParts } from '../chat/chat-parts.ts';
import { useSelected } from '../hooks/use-cell.ts';
import { useLooksBusy } from '../hooks/use-later.ts';
import { useMessage } from '../hooks/use-messages.ts';
import { DeleteIcon, EditIcon } from '../icons/action-icons.tsx';
import { BranchSteps } from '../parts/branch-steps.tsx';
import { CopyButton } from '../parts/copy-button.tsx';
import { breakMarks } from '../text/break-marks.ts';
import { useText } from '../text/text-context.ts';
import { LazyEditMessage } from './lazy-message-parts.ts';
import { useRemoveMessage } from './use-remove-message.ts';

const textOf = (message: MessageNode) => message.text;
const attachmentsOf = (message: MessageNode) => message.attachments;

/** The reader's own words, as they were typed, and what can be done with them. */
export function UserMessage({ id }: { id: string }): ReactElement {
  const { strings } = useText();
  const { editing } = useChatParts();
  const text = useMessage(id, textOf) ?? '';
  const attachments = useMessage(id, attachmentsOf) ?? [];
  const isEditing = useSelected(
    editing,
    useCallback((edited: string | null) => edited === id, [id]),
  );
  return (
    <article className="zg-message" data-zg-row={id} data-role="user" aria-label={strings.you}>
      {attachments.length > 0 ? <AttachmentList attachments={attachments} /> : null}
      {isEditing ? (
        <LazyEditMessage id={id} text={text} mayBeEmpty={attachments.length > 0} />
      ) : (
        <>
          {text === '' ? null : (
            <p className="zg-bubble" dir="auto">
              {breakMarks(text)}
            </p>
          )}
          <UserActions id={id} text={text} />
        </>
      )}
    </article>
  );
}

/** Their place is there with the words, they themselves a moment later: to send a message is no long task of the page. */
function UserActions({ id, text }: { id: string; text: string }): ReactElement {
  const { strings } = useText();
  const areHere = useDeferredValue(true, false);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms
    <div className="zg-actions zg-user-actions" role="group" aria-label={strings.actions}>
      {areHere ? <UserButtons id={id} text={text} /> : null}
    </div>
  );
}

function UserButtons({ id, text }: { id: string; text: string }): ReactElement {
  const { strings } = useText();
  const { editing } = useChatParts();
  const busy = useLooksBusy();
  const remove = useRemoveMessage();
  return (
    <>
      <BranchSteps messageId={id} busy={busy} previous={strings.previousWording} next={strings.nextWording} />
      {text === '' ? null : <CopyButton text={text} label={strings.copyQuestion} />}
      <button
        type="button"
        className="zg-icon-button"
        aria-label={strings.editMessage}
        title={strings.editMessage}
        aria-disabled={busy}
        onClick={() => {
          if (!busy) editing.set(id);
        }}
      >
        <EditIcon />
      </button>
      <button
        type="button"
        className="zg-icon-button"
        aria-label={strings.deleteMessage}
        title={strings.deleteMessage}
        onClick={() => remove(id)}
      >
        <DeleteIcon />
      </button>
    </>
  );
}
