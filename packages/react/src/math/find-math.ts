/** Longest formula that is looked for, in characters: in a line of text, and on lines of its own. */
const MAX_INLINE = 1_000;
const MAX_DISPLAY = 8_000;

/** What begins at a place of a text. `wait`: what comes next decides. */
export type Finding =
  | { kind: 'math'; tex: string; end: number; display: boolean }
  | { kind: 'text' }
  | {
      kind: 'wait' /** Whether it looks enough like a formula that its half need not be shown. */;
      likely: boolean;
    };

const text: Finding = { kind: 'text' };

/**
 * Reads a formula that begins at `start`: `$…$`, `$$…$$`, `\(…\)` or `\[…\]`.
 *
 * A `$` is money more often than not. Pandoc's rules tell them apart: no space after the opening sign, none before the
 * closing one, and no digit after it; a `$` after a space in between ends the search. Beyond those, a text that begins with
 * a digit and holds spaces must also hold a sign of mathematics, and a `$` right after a letter or digit opens nothing.
 *
 * @param isWhole Whether nothing comes after the end of `source`.
 * @see Pandoc User's Guide, extension `tex_math_dollars`.
 */
export function findMath(source: string, start: number, isWhole: boolean): Finding {
  if (source[start] === '\\') {
    const display = source[start + 1] === '[';
    return findClosed(source, start + 2, display ? '\\]' : '\\)', display, isWhole);
  }
  if (source[start + 1] === '$') return findClosed(source, start + 2, '$$', true, isWhole);
  return findDollar(source, start, isWhole);
}

function findClosed(
  source: string,
  from: number,
  closer: string,
  display: boolean,
  isWhole: boolean,
): Finding {
  const limit = from + (display ? MAX_DISPLAY : MAX_INLINE);
  for (let at = from; at < source.length; at += 1) {
    if (at > limit) return text;
    if (source.startsWith(closer, at)) {
      const tex = source.slice(from, at).trim();
      return tex === '' ? text : { kind: 'math', tex, end: at + closer.length, display };
    }
    if (source[at] === '\\') at += 1;
    else if (isBlankLineAfter(source, at)) return text;
  }
  return isWhole ? text : { kind: 'wait', likely: true };
}

function findDollar(source: string, start: number, isWhole: boolean): Finding {
  const before = source[start - 1];
  if (before !== undefined && /[\p{L}\p{N}$]/u.test(before)) return text;
  const first = source[start + 1];
  if (first === undefined) return isWhole ? text : { kind: 'wait', likely: false };
  if (/\s/.test(first)) return text;
  const limit = start + MAX_INLINE;
  for (let at = start + 1; at < source.length; at += 1) {
    if (at > limit) return text;
    const char = source[at];
    if (char === '\\') at += 1;
    else if (isBlankLineAfter(source, at)) return text;
    else if (char === '$') {
      const after = source[at + 1];
      if (/\s/.test(source[at - 1] ?? '')) return text;
      if (after === undefined && !isWhole) return { kind: 'wait', likely: !isDigit(first) };
      if (after !== undefined && (isDigit(after) || after === '$')) return text;
      const tex = source.slice(start + 1, at);
      if (isDigit(first) && /\s/.test(tex) && !/[=^_\\+<>{}]/.test(tex)) return text;
      return { kind: 'math', tex, end: at + 1, display: false };
    }
  }
  return isWhole ? text : { kind: 'wait', likely: !isDigit(first) };
}

function isBlankLineAfter(source: string, at: number): boolean {
  if (source[at] !== '\n') return false;
  let next = at + 1;
  while (source[next] === ' ' || source[next] === '\t' || source[next] === '>') next += 1;
  return source[next] === '\n';
}

function isDigit(char: string): boolean {
  return char >= '0' && char <= '9';
}
