/** What is needed of a `keydown` to tell whether it sends. */
export interface EnterKey {
  key: string;
  shiftKey: boolean;
  altKey: boolean;
  isComposing: boolean;
  keyCode: number;
}

/**
 * Whether this key sends the message: Enter without Shift or Alt, and not the Enter that takes a word from an input
 * method.
 *
 * Chrome and Firefox mark that Enter by `isComposing`; Safari sends it after `compositionend`, when only the key code 229
 * tells (WebKit bug 165004). No state is kept over events: an input method that never ends its composition would
 * otherwise block Enter for good.
 */
export function enterSends({ key, shiftKey, altKey, isComposing, keyCode }: EnterKey): boolean {
  return key === 'Enter' && !shiftKey && !altKey && !isComposing && keyCode !== 229;
}
