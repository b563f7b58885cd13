/** Letters typed to find a name, kept while they come in quick succession. */
export interface TypedLetters {
  text: string;
  at: number;
}

const TYPING_MS = 700;

/**
 * Where a key moves in a list, or `null` when it does not: arrows, Home, End, and the letters a name begins with.
 * Remembers the letters in `typed`.
 */
export function moveInList(
  key: string,
  active: number,
  names: readonly string[],
  typed: TypedLetters,
  now: number,
): number | null {
  const last = names.length - 1;
  if (key === 'ArrowDown') return Math.min(last, active + 1);
  if (key === 'ArrowUp') return Math.max(0, active - 1);
  if (key === 'Home') return 0;
  if (key === 'End') return last;
  if ([...key].length !== 1) return null;
  typed.text = now - typed.at > TYPING_MS ? key : typed.text + key;
  typed.at = now;
  const wanted = typed.text.toLowerCase();
  const found = names.findIndex((name) => name.toLowerCase().startsWith(wanted));
  return found < 0 ? active : found;
}
