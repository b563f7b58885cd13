import { type ReactElement, useEffect, useRef } from 'react';
import { enterSends } from './enter-sends.ts';

interface EditFieldProps {
  value: string;
  /** What is edited, as the name of the field. */
  label: string;
  className?: string | undefined;
  rows: number;
  onChange: (value: string) => void;
  /** Enter, as in the composer. */
  onSave: () => void;
  /** Escape, outside of an input method. */
  onCancel: () => void;
}

/** A field for words that exist already. It takes the focus, with the caret at the end of them. */
export function EditField(props: EditFieldProps): ReactElement {
  const { value, label, className, rows, onChange, onSave, onCancel } = props;
  const input = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    const field = input.current;
    field?.focus({ preventScroll: true });
    field?.setSelectionRange(field.value.length, field.value.length);
  }, []);
  return (
    <textarea
      ref={input}
      className={className}
      rows={rows}
      value={value}
      dir="auto"
      aria-label={label}
      onChange={(event) => onChange(event.target.value)}
      onKeyDown={(event) => {
        const { key, shiftKey, altKey, keyCode, nativeEvent } = event;
        const { isComposing } = nativeEvent;
        if (key === 'Escape' && !isComposing) {
          event.stopPropagation();
          onCancel();
        } else if (enterSends({ key, shiftKey, altKey, keyCode, isComposing })) {
          event.preventDefault();
          onSave();
        }
      }}
    />
  );
}
