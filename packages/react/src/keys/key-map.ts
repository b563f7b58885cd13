/** What keys can do in a chat, besides what every field and list does by itself. */
export type HotkeyName = keyof typeof defaultHotkeys;

/**
 * The keys of a chat. `Mod` is Command on Apple's systems and Control elsewhere. Keys without `Mod` and letters work only
 * while nothing is being typed. None works outside of the chat, but for the sheet's while nothing on the page has the focus and
 * there is one chat only; and none while an input method is composing.
 */
export const defaultHotkeys = {
  /** Shows what the keys do. */
  showKeys: '?',
  focusComposer: 'Shift+Escape',
  newChat: 'Mod+Shift+O',
  searchConversations: 'Mod+K',
  toggleConversations: 'Mod+B',
  pickModel: 'Mod+J',
  previousMessage: 'k',
  nextMessage: 'j',
  copyAnswer: 'c',
  answerAgain: 'r',
} as const satisfies Record<string, string>;

/** Keys of your own, `null` for none: `{ newChat: 'Mod+Shift+N', copyAnswer: null }`. */
export type Hotkeys = { readonly [Name in HotkeyName]?: string | null | undefined };

/** What is needed of a `keydown`. */
export interface PressedKey {
  readonly key: string;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly isComposing: boolean;
  readonly keyCode: number;
  /** `AltGraph` is how many keyboards type their third level, and looks like Control + Alt. */
  readonly isAltGraph: boolean;
}

/** The default keys with the host app's in place of them. */
export function keysOf(own: Hotkeys): ReadonlyMap<HotkeyName, string> {
  const map = new Map<HotkeyName, string>();
  for (const name of Object.keys(defaultHotkeys) as HotkeyName[]) {
    const keys = name in own && own[name] !== undefined ? own[name] : defaultHotkeys[name];
    if (keys !== null && keys !== undefined && keys !== '') map.set(name, keys);
  }
  return map;
}

/**
 * What a pressed key does, or `null`.
 *
 * @param isTyping Whether a text field has the focus: then only combinations with `Mod`, and Escape, are taken.
 * @param isApple Whether `Mod` is Command.
 */
export function hotkeyOf(
  pressed: PressedKey,
  keys: ReadonlyMap<HotkeyName, string>,
  isTyping: boolean,
  isApple: boolean,
): HotkeyName | null {
  if (pressed.isComposing || pressed.keyCode === 229 || pressed.isAltGraph) return null;
  for (const [name, combination] of keys) {
    const wanted = parseKeys(combination, isApple);
    if (isTyping && !wanted.ctrl && !wanted.meta && wanted.key !== 'escape') continue;
    if (matches(pressed, wanted)) return name;
  }
  return null;
}

interface Combination {
  key: string;
  shift: boolean;
  alt: boolean;
  ctrl: boolean;
  meta: boolean;
}

function parseKeys(combination: string, isApple: boolean): Combination {
  const parts = combination.split('+').map((part) => part.trim().toLowerCase());
  // `Mod++` is the plus key.
  const key = parts.at(-1) === '' ? '+' : (parts.pop() ?? '');
  const mod = parts.includes('mod');
  return {
    key,
    shift: parts.includes('shift'),
    alt: parts.includes('alt'),
    ctrl: parts.includes('ctrl') || (mod && !isApple),
    meta: parts.includes('meta') || (mod && isApple),
  };
}

function matches(pressed: PressedKey, wanted: Combination): boolean {
  const key = pressed.key.toLowerCase();
  // A sign such as `?` stands on another key in every layout; how it is typed does not matter.
  const isSign = key.length === 1 && !/[\p{L}\p{N}]/u.test(key);
  return (
    key === wanted.key &&
    (isSign || pressed.shiftKey === wanted.shift) &&
    pressed.altKey === wanted.alt &&
    pressed.ctrlKey === wanted.ctrl &&
    pressed.metaKey === wanted.meta
  );
}

/** `Ctrl + Shift + O`, or `⌘ ⇧ O`, as its parts. */
export function wordsOfKeys(combination: string, isApple: boolean): string[] {
  const names: Record<string, string> = isApple
    ? { mod: '⌘', meta: '⌘', ctrl: '⌃', shift: '⇧', alt: '⌥', escape: 'Esc' }
    : { mod: 'Ctrl', meta: 'Meta', ctrl: 'Ctrl', shift: 'Shift', alt: 'Alt', escape: 'Esc' };
  return combination.split('+').map((part) => {
    const word = part.trim();
    return names[word.toLowerCase()] ?? (word.length === 1 ? word.toUpperCase() : word);
  });
}
