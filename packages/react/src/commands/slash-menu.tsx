import {
  type KeyboardEvent,
  type ReactElement,
  type Ref,
  useEffect,
  useId,
  useImperativeHandle,
  useState,
} from 'react';
import { useAnnounce } from '../announce/announce-context.ts';
import type { ComposerView } from '../composer/use-composer.ts';
import { useMoreText } from '../text/use-more-text.ts';
import { readSlash } from './read-slash.ts';
import { type SlashEntry, useSlashEntries } from './use-commands.ts';

/** What the composer asks of the list before it takes a key itself. */
export interface SlashMenuHandle {
  /** Whether the key was for the list. */
  onKeyDown(event: KeyboardEvent): boolean;
}

export interface SlashMenuProps {
  handle: Ref<SlashMenuHandle>;
  composer: ComposerView;
  /** The field that is typed in; it keeps the focus and names the active option. */
  field: { readonly current: HTMLTextAreaElement | null };
}

/** The commands and templates whose names begin with what was typed after the slash, or hold it. */
export function SlashMenu({ handle, composer, field }: SlashMenuProps): ReactElement | null {
  const { strings, format } = useMoreText();
  const announce = useAnnounce();
  const id = useId();
  const draft = readSlash(composer.text);
  const entries = useSlashEntries(composer);
  const [active, setActive] = useState(0);
  const [closedAt, setClosedAt] = useState<string | null>(null);
  const name = draft?.name ?? '';
  const found =
    draft === null ? [] : draft.argument === null ? matching(entries, name) : named(entries, name);
  const isOpen = found.length > 0 && closedAt !== composer.text;
  const at = Math.min(active, found.length - 1);
  const choose = (entry: SlashEntry) => {
    setActive(0);
    entry.act(draft?.argument?.trim() ?? '');
  };

  useImperativeHandle(handle, () => ({
    onKeyDown(event) {
      const { key, shiftKey, altKey, ctrlKey, metaKey, keyCode, nativeEvent } = event;
      if (!isOpen || nativeEvent.isComposing || keyCode === 229 || altKey || ctrlKey || metaKey) return false;
      const step = { ArrowDown: 1, ArrowUp: -1 }[key];
      if (step !== undefined) setActive((at + step + found.length) % found.length);
      else if (key === 'Escape') setClosedAt(composer.text);
      else if ((key === 'Enter' || key === 'Tab') && !shiftKey) choose(found[at] as SlashEntry);
      else return false;
      event.preventDefault();
      event.stopPropagation();
      return true;
    },
  }));
  useEffect(() => {
    const element = field.current;
    if (element === null || !isOpen) return;
    element.setAttribute('aria-autocomplete', 'list');
    element.setAttribute('aria-controls', id);
    element.setAttribute('aria-activedescendant', `${id}-${at}`);
    return () => {
      for (const name of ['autocomplete', 'controls', 'activedescendant'])
        element.removeAttribute(`aria-${name}`);
    };
  }, [field, isOpen, id, at]);
  useEffect(() => {
    if (isOpen) announce(strings.commandsFound(found.length, format.count(found.length)));
  }, [isOpen, found.length, announce, strings, format]);

  if (!isOpen) return null;
  return (
    <div className="zg-popover zg-slash">
      {/* What scrolls can be reached; while it is open, Tab in the field chooses, so nobody comes here by it. */}
      <div id={id} className="zg-options" role="listbox" tabIndex={0} aria-label={strings.commandsList}>
        {found.map((entry, index) => (
          // biome-ignore lint/a11y/useFocusableInteractive: the composer has the focus and names the active option
          // biome-ignore lint/a11y/useKeyWithClickEvents: keys are handled in the composer
          <div
            key={`${entry.kind} ${entry.name}`}
            id={`${id}-${index}`}
            className="zg-option"
            role="option"
            aria-selected={index === at}
            data-active={index === at ? '' : undefined}
            ref={index === at ? intoView : undefined}
            onPointerMove={() => setActive(index)}
            // The composer keeps the focus.
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => choose(entry)}
          >
            <span className="zg-option-text">
              <span className="zg-option-name">/{entry.name}</span>
              <span className="zg-option-detail">{entry.description}</span>
            </span>
          </div>
        ))}
      </div>
    </div>
  );
}

function intoView(element: HTMLElement | null): void {
  element?.scrollIntoView({ block: 'nearest' });
}

function named(entries: readonly SlashEntry[], name: string): SlashEntry[] {
  return entries.filter((entry) => entry.name === name).slice(0, 1);
}

/** Those that begin with it before those that hold it. */
function matching(entries: readonly SlashEntry[], typed: string): SlashEntry[] {
  const begins = entries.filter(({ name }) => name.startsWith(typed));
  return [...begins, ...entries.filter((entry) => !begins.includes(entry) && entry.name.includes(typed))];
}
