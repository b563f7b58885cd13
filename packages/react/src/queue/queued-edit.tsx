import type { QueuedTurn } from '@ziggie/llm-client/conversation';
import { type ReactElement, useEffect, useRef, useState } from 'react';
import { useChatParts } from '../chat/chat-parts.ts';
import { enterSends } from '../composer/enter-sends.ts';
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
  const input = useRef<HTMLTextAreaElement>(null);
  useEffect(() => input.current?.focus({ preventScroll: true }), []);
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
      <textarea
        ref={input}
        className="zg-input"
        rows={2}
        value={draft}
        dir="auto"
        aria-label={strings.queueEditing}
        onChange={(event) => setDraft(event.target.value)}
        onKeyDown={(event) => {
          const { key, shiftKey, altKey, keyCode, nativeEvent } = event;
          const { isComposing } = nativeEvent;
          if (key === 'Escape' && !isComposing) {
            event.stopPropagation();
            close();
          } else if (enterSends({ key, shiftKey, altKey, keyCode, isComposing })) {
            event.preventDefault();
            save();
          }
        }}
      />
      <button type="submit" className="zg-button-text" aria-disabled={!canSave}>
        {strings.queueSave}
      </button>
    </form>
  );
}
