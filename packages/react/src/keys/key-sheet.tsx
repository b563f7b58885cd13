import { type ReactElement, useEffect, useRef } from 'react';
import { CloseIcon } from '../icons/action-icons.tsx';
import { useMoreText } from '../text/use-more-text.ts';
import { type HotkeyName, wordsOfKeys } from './key-map.ts';
import { isApple } from './platform.ts';

export interface KeySheetProps {
  keys: ReadonlyMap<HotkeyName, string>;
  onClose: () => void;
}

/** What the keys do, in a dialog. Escape and a click beside it close it, and the focus goes back. */
export function KeySheet({ keys, onClose }: KeySheetProps): ReactElement {
  const { strings } = useMoreText();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    // The browser keeps the focus inside and brings it back at the end.
    if (dialog.current?.open === false) dialog.current.showModal();
  }, []);
  const apple = isApple();
  const rows: [what: string, keys: string[]][] = [
    [strings.keySend, ['Enter']],
    [strings.keyNewLine, wordsOfKeys('Shift+Enter', apple)],
    [strings.keySendNow, wordsOfKeys('Mod+Enter', apple)],
    [strings.keyEditLast, ['↑']],
    [strings.keyStop, ['Esc']],
    [strings.keyCommands, ['/']],
    ...[...keys].map(([name, combination]): [string, string[]] => [
      strings.keyNames[name],
      wordsOfKeys(combination, apple),
    ]),
  ];
  return (
    <dialog
      ref={dialog}
      className="zg-dialog"
      aria-label={strings.keysTitle}
      onClose={onClose}
      onKeyDown={(event) => event.stopPropagation()}
      onClick={(event) => {
        if (event.target === dialog.current) dialog.current?.close();
      }}
    >
      <div className="zg-dialog-body">
        <div className="zg-template-head">
          <h2>{strings.keysTitle}</h2>
          <button
            type="button"
            className="zg-icon-button"
            aria-label={strings.close}
            onClick={() => dialog.current?.close()}
          >
            <CloseIcon />
          </button>
        </div>
        <dl className="zg-keys">
          {rows.map(([what, words]) => (
            <div key={what}>
              <dt>{what}</dt>
              <dd>
                {words.map((word) => (
                  <kbd key={word}>{word}</kbd>
                ))}
              </dd>
            </div>
          ))}
        </dl>
      </div>
    </dialog>
  );
}
