import type { QueuedTurn } from '@ziggie/llm-client/conversation';
import { type ReactElement, useState } from 'react';
import { useChatParts } from '../chat/chat-parts.ts';
import { EditField } from '../composer/edit-field.tsx';
import { useText } from '../text/text-context.ts';

interface QueuedEditProps {
  turn: QueuedTurn;
  onSave: (text: string) => void;
  onClose: () => void;
}

/** Changes the words of a message that waits. Enter saves, Escape leaves them as they were. */
export function QueuedEdit({ turn, onSave, onClose }: QueuedEditProps): ReactElement {
  const { strings } = useText();
  const { focusComposer } = useChatParts();
  const [draft, setDraft] = useState(turn.text);
  const close = () => {
    onClose();
    focusComposer();
  };
  const canSave = draft.trim() !== '' || (turn.attachments?.length ?? 0) > 0;
  const save = () => {
    if (!canSave) return;
    onSave(draft);
    close();
  };
  return (
    <form
      className="zg-queued"
      aria-label={strings.queueEditing}
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <EditField
        className="zg-input"
        rows={2}
        value={draft}
        label={strings.queueEditing}
        onChange={setDraft}
        onSave={save}
        onCancel={close}
      />
      <button type="submit" className="zg-button-text" aria-disabled={!canSave}>
        {strings.queueSave}
      </button>
    </form>
  );
}
