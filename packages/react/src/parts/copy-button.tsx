import { type ReactElement, useEffect, useRef, useState } from 'react';
import { useAnnounce } from '../announce/announce-context.ts';
import { CheckIcon, CopyIcon } from '../icons/icons.tsx';
import { useText } from '../text/text-context.ts';
import { copyText } from './copy-text.ts';

/** How long the button says that it copied. */
const COPIED_MS = 2_000;

interface CopyButtonProps {
  /** The text, or what makes it when it is asked for. */
  text: string | (() => string);
  /** What is copied, as the name of the button. */
  label: string;
  /** Whether words stand beside the icon, or which. */
  caption?: boolean | string | undefined;
}

/** Copies a text and says so, on the button and to screen readers. */
export function CopyButton({ text, label, caption = false }: CopyButtonProps): ReactElement {
  const { strings } = useText();
  const announce = useAnnounce();
  const [copied, setCopied] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);

  const copy = async (button: HTMLElement) => {
    const done = await copyText(typeof text === 'string' ? text : text(), button);
    announce(done ? strings.copied : strings.copyFailed);
    if (!done) return;
    clearTimeout(timer.current);
    setCopied(true);
    timer.current = setTimeout(() => setCopied(false), COPIED_MS);
  };

  return (
    <button
      type="button"
      className={caption === false ? 'zg-icon-button' : 'zg-button-quiet zg-copy'}
      aria-label={copied ? strings.copied : label}
      title={caption === true ? undefined : label}
      data-copied={copied ? '' : undefined}
      onClick={(event) => void copy(event.currentTarget)}
    >
      {copied ? <CheckIcon /> : <CopyIcon />}
      {caption === false ? null : (
        <span aria-hidden="true">{copied ? strings.copied : caption === true ? strings.copy : caption}</span>
      )}
    </button>
  );
}
