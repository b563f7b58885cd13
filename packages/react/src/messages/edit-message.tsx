import { type ReactElement, useState } from 'react';
import { useChatParts } from '../chat/chat-parts.ts';
import { EditField } from '../composer/edit-field.tsx';
import { useChat } from '../hooks/use-chat.ts';
import { useIsRunning } from '../hooks/use-messages.ts';
import { useText } from '../text/text-context.ts';

export interface EditMessageProps {
  id: string;
  text: string;
  mayBeEmpty: boolean;
}

/** The bubble as a field. Sending makes another wording beside the old one, which stays reachable. */
export function EditMessage({ id, text, mayBeEmpty }: EditMessageProps): ReactElement {
  const { strings } = useText();
  const { edit } = useChat();
  const { editing, focusComposer, followEnd } = useChatParts();
  const busy = useIsRunning();
  const [draft, setDraft] = useState(text);
  const close = () => {
    editing.set(null);
    focusComposer();
  };
  const canSend = !busy && (mayBeEmpty || draft.trim() !== '');
  const send = () => {
    if (!canSend) return;
    close();
    followEnd();
    edit(id, draft).catch(() => editing.set(id));
  };
  return (
    <form
      className="zg-edit"
      aria-label={strings.editMessage}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div className="zg-grow" data-draft={`${draft}\n`}>
        <EditField
          rows={1}
          value={draft}
          label={strings.editMessage}
          onChange={setDraft}
          onSave={send}
          onCancel={close}
        />
      </div>
      <div className="zg-edit-row">
        <button type="button" className="zg-button-plain" onClick={close}>
          {strings.cancel}
        </button>
        <button type="submit" className="zg-button-main" aria-disabled={!canSend}>
          {strings.send}
        </button>
      </div>
    </form>
  );
}
