import { type ReactElement, useEffect, useRef, useState } from 'react';
import { useAnnounce } from '../announce/announce-context.ts';
import { useCell } from '../hooks/use-cell.ts';
import type { WritableCell } from '../hooks/value-cell.ts';
import { CloseIcon } from '../icons/action-icons.tsx';
import { useText } from '../text/text-context.ts';
import type { UndoOffer } from './chat-parts.ts';

/** How long what was deleted can come back, in ms; longer while the pointer or the focus is on the bar. */
const OFFER_MS = 10_000;

export interface UndoBarProps {
  offer: WritableCell<UndoOffer | null>;
  /** Puts the focus where it belongs now. */
  onClose: () => void;
}

/** Offers to bring back what was deleted. It gets the focus, since the button that deleted is gone. */
export function UndoBar({ offer: undo, onClose }: UndoBarProps): ReactElement | null {
  const { strings } = useText();
  const announce = useAnnounce();
  const offer = useCell(undo);
  const [held, setHeld] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (offer === null) return;
    announce(offer.label);
    button.current?.focus({ preventScroll: true });
  }, [offer, announce]);
  useEffect(() => {
    if (offer === null || held) return;
    const timer = setTimeout(() => undo.set(null), OFFER_MS);
    return () => clearTimeout(timer);
  }, [offer, held, undo]);
  if (offer === null) return null;
  const close = () => {
    undo.set(null);
    setHeld(false);
    onClose();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: only holds the time while somebody is here
    <div
      className="zg-undo"
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.stopPropagation();
        close();
      }}
    >
      <span>{offer.label}</span>
      <button
        ref={button}
        type="button"
        className="zg-button-text"
        onClick={() => {
          close();
          void offer.undo();
        }}
      >
        {strings.undo}
      </button>
      <button type="button" className="zg-icon-button" aria-label={strings.close} onClick={close}>
        <CloseIcon />
      </button>
    </div>
  );
}
