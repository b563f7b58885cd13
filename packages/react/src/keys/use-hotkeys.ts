import { type KeyboardEvent, useCallback, useEffect, useMemo } from 'react';
import { useLatest } from '../hooks/use-latest.ts';
import { type HotkeyName, type Hotkeys, hotkeyOf, keysOf } from './key-map.ts';
import { isApple } from './platform.ts';

/** What each key does; a missing one, or one that returns `false`, leaves the key to the browser. */
export type HotkeyActions = { readonly [Name in HotkeyName]?: (() => unknown) | undefined };

/** Chats on this page that have keys. */
let mounted = 0;

/**
 * Keys of a chat, heard on its root. While nothing of the page has the focus and the chat is the only one, the key of the
 * sheet is heard there, too. Returns the map as it holds, for the sheet.
 */
export function useHotkeys(own: Hotkeys, actions: HotkeyActions) {
  const latest = useLatest(actions);
  const entries = JSON.stringify(own);
  const keys = useMemo(() => keysOf(JSON.parse(entries) as Hotkeys), [entries]);
  const take = useCallback(
    (event: globalThis.KeyboardEvent, only?: HotkeyName): boolean => {
      const { key, shiftKey, altKey, ctrlKey, metaKey, keyCode, isComposing } = event;
      const isAltGraph = event.getModifierState('AltGraph');
      const pressed = { key, shiftKey, altKey, ctrlKey, metaKey, keyCode, isComposing, isAltGraph };
      const name = hotkeyOf(pressed, keys, isTyping(event.target), isApple());
      if (name === null || (only !== undefined && name !== only)) return false;
      const act = latest.current[name];
      return act !== undefined && act() !== false;
    },
    [keys, latest],
  );
  useEffect(() => {
    mounted += 1;
    const hear = (event: globalThis.KeyboardEvent) => {
      const isFree = event.target === document.body || event.target === document.documentElement;
      if (!event.defaultPrevented && isFree && mounted === 1 && take(event, 'showKeys'))
        event.preventDefault();
    };
    document.addEventListener('keydown', hear);
    return () => {
      mounted -= 1;
      document.removeEventListener('keydown', hear);
    };
  }, [take]);
  const onKeyDown = useCallback(
    (event: KeyboardEvent) => {
      if (event.defaultPrevented || !take(event.nativeEvent)) return;
      event.preventDefault();
      event.stopPropagation();
    },
    [take],
  );
  return { keys, onKeyDown };
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      target.closest('textarea, input, select, [role=listbox], [role=menu]') !== null)
  );
}
