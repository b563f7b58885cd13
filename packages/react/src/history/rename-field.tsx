import { type ReactElement, useEffect, useRef, useState } from 'react';
import { enterSends } from '../composer/enter-sends.ts';
import { useMoreText } from '../text/use-more-text.ts';

interface RenameFieldProps {
  title: string;
  onSave: (title: string) => void;
  onClose: () => void;
}

/** Another name for a conversation. Enter and leaving the field save it, Escape does not; an empty one changes nothing. */
export function RenameField({ title, onSave, onClose }: RenameFieldProps): ReactElement {
  const { strings } = useMoreText();
  const [text, setText] = useState(title);
  const field = useRef<HTMLInputElement>(null);
  const isDone = useRef(false);
  useEffect(() => field.current?.select(), []);
  const end = (save: boolean) => {
    if (isDone.current) return;
    isDone.current = true;
    if (save && text.trim() !== '' && text.trim() !== title) onSave(text);
    onClose();
  };
  return (
    <input
      ref={field}
      className="zg-input"
      value={text}
      maxLength={200}
      dir="auto"
      aria-label={strings.renameField}
      onChange={(event) => setText(event.target.value)}
      onBlur={() => end(true)}
      onKeyDown={(event) => {
        const { key, shiftKey, altKey, keyCode, nativeEvent } = event;
        const { isComposing } = nativeEvent;
        if (key === 'Escape' && !isComposing) {
          event.stopPropagation();
          end(false);
        } else if (enterSends({ key, shiftKey, altKey, keyCode, isComposing })) {
          event.preventDefault();
          end(true);
        }
      }}
    />
  );
}
