import { type KeyboardEvent, useCallback, useMemo } from 'react';
import { useLatest } from '../hooks/use-latest.ts';
import { type HotkeyName, type Hotkeys, hotkeyOf, keysOf } from './key-map.ts';
import { isApple } from './platform.ts';

/** What each key does; a missing one, or one that returns `false`, leaves the key to the browser. */
export type HotkeyActions = { readonly [Name in HotkeyName]?: (() => unknown) | undefined };

/** Keys of a chat, heard on its root only. Returns the map as it holds, for the sheet. */
export function useHotkeys(own: Hotkeys, actions: HotkeyActions) {
  const latest = useLatest(actions);
  const entries = JSON.stringify(own);
  const keys = useMemo(() => keysOf(JSON.parse(entries) as Hotkeys), [entries]);
  const onKeyDown = useCallback(
    (event: KeyboardEvent) => {
      if (event.defaultPrevented) return;
      const { key, shiftKey, altKey, ctrlKey, metaKey, keyCode, nativeEvent } = event;
      const pressed = {
        key,
        shiftKey,
        altKey,
        ctrlKey,
        metaKey,
        keyCode,
        isComposing: nativeEvent.isComposing,
        isAltGraph: event.getModifierState('AltGraph'),
      };
      const name = hotkeyOf(pressed, keys, isTyping(event.target), isApple());
      const act = name === null ? undefined : latest.current[name];
      if (act === undefined || act() === false) return;
      event.preventDefault();
      event.stopPropagation();
    },
    [keys, latest],
  );
  return { keys, onKeyDown };
}

function isTyping(target: EventTarget): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      target.closest('textarea, input, select, [role=listbox], [role=menu]') !== null)
  );
}
