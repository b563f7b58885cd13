import { type ReactElement, useRef } from 'react';
import { AttachIcon } from '../icons/action-icons.tsx';
import { useText } from '../text/text-context.ts';
import type { AttachmentRules } from './attachment-rules.ts';

interface AttachButtonProps {
  rules: AttachmentRules;
  onFiles: (files: readonly File[]) => Promise<void>;
}

/** Opens the file dialog of the system. */
export function AttachButton({ rules, onFiles }: AttachButtonProps): ReactElement {
  const { strings } = useText();
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        type="file"
        className="zg-sr"
        hidden
        multiple
        accept={rules.accept}
        aria-label={strings.attach}
        onChange={(event) => {
          const files = [...(event.target.files ?? [])];
          // The same file may be picked again.
          event.target.value = '';
          void onFiles(files);
        }}
      />
      <button
        type="button"
        className="zg-icon-button"
        aria-label={strings.attach}
        title={strings.attach}
        onClick={() => input.current?.click()}
      >
        <AttachIcon />
      </button>
    </>
  );
}
