import { type ReactElement, useEffect, useRef, useState } from 'react';
import { useText } from '../text/text-context.ts';

/** Asks in one line what was wrong; nobody has to say. */
export function FeedbackNote({
  onSave,
  onClose,
}: {
  onSave: (note: string) => void;
  onClose: () => void;
}): ReactElement {
  const { strings } = useText();
  const [note, setNote] = useState('');
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus({ preventScroll: true }), []);
  return (
    <form
      className="zg-note"
      onSubmit={(event) => {
        event.preventDefault();
        if (note.trim() !== '') onSave(note.trim());
        onClose();
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.stopPropagation();
        onClose();
      }}
    >
      <input
        ref={input}
        className="zg-input"
        value={note}
        maxLength={2_000}
        aria-label={strings.feedbackNote}
        placeholder={strings.feedbackNote}
        onChange={(event) => setNote(event.target.value)}
      />
      <button type="submit" className="zg-button-text">
        {strings.feedbackSend}
      </button>
    </form>
  );
}
