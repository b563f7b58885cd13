/**
 * Formulas travel through the markdown parser as code: as a code span that begins with one of the first two marks, or as a
 * fence whose language is the last. All three are private-use characters, which no language has.
 */
export const INLINE_MARK = '\uE000';
export const WIDE_MARK = '\uE001';
export const FENCE_MARK = '\uE002';

/** The formula in a code span, or `null` when it is code. */
export function readMathSpan(text: string): { tex: string; display: boolean } | null {
  const mark = text[0];
  if (mark !== INLINE_MARK && mark !== WIDE_MARK) return null;
  return { tex: text.slice(1), display: mark === WIDE_MARK };
}

/** Shortest run of backticks that does not occur in a text, and at least `least`. */
export function ticksAround(text: string, least: number): string {
  let longest = least - 1;
  for (const run of text.match(/`+/g) ?? []) longest = Math.max(longest, run.length);
  return '`'.repeat(longest + 1);
}
