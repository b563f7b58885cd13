/** Deepest nesting of quotes, lists, brackets or emphasis that is parsed. */
export const MAX_NESTING = 64;

/** Most table cells of one block. Rows are filled up to the width of the head, so a few characters can ask for millions. */
const MAX_CELLS = 4_000;

/** Longest block that is parsed, in characters and in lines: parsing cannot be interrupted. */
const MAX_CHARACTERS = 20 * 1024;
const MAX_LINES = 1_000;

/**
 * Whether a block would cost far more to parse or to render than its length: nested beyond 64, longer
 * than 20 KiB or 1,000 lines, or a table of more than 4,000 cells. Looked at before parsing, in one pass. An estimate: what it
 * misses ends at the error boundary of the message.
 */
export function isTooHeavy(source: string): boolean {
  if (source.length > MAX_CHARACTERS) return true;
  let lines = 1;
  let widest = 0;
  let pipes = 0;
  let brackets = 0;
  let emphasis = 0;
  let containers = 0;
  let columns = 0;
  let inPrefix = true;
  for (let at = 0; at < source.length; at += 1) {
    const char = source[at];
    if (char === '\n') {
      lines += 1;
      if (lines > MAX_LINES) return true;
      pipes = 0;
      containers = 0;
      columns = 0;
      if (inPrefix) brackets = emphasis = 0;
      inPrefix = true;
      continue;
    }
    if (inPrefix) {
      // A list level takes two columns at least.
      if (char === '>') containers += 1;
      else if (char === '\t') columns += 4;
      else if (char === ' ' || isMarkerAt(source, at)) columns += 1;
      else inPrefix = false;
      if (containers + columns / 2 > MAX_NESTING) return true;
      if (inPrefix) continue;
    }
    if (char === '|') {
      pipes += 1;
      widest = Math.max(widest, pipes);
    } else if (char === '[' || char === '(') brackets += 1;
    else if (char === ']' || char === ')') brackets = Math.max(0, brackets - 1);
    else if (char === '*' || char === '_' || char === '~') {
      const before = source[at - 1];
      while (source[at + 1] === char) at += 1;
      const after = source[at + 1];
      if (isEdge(before) && !isBreak(after)) emphasis += 1;
      else if (!isBreak(before) && isEdge(after)) emphasis = Math.max(0, emphasis - 1);
    }
    if (brackets > MAX_NESTING || emphasis > MAX_NESTING) return true;
  }
  return widest > 2 && widest * lines > MAX_CELLS;
}

function isBreak(char: string | undefined): boolean {
  return char === undefined || char === ' ' || char === '\n' || char === '\t';
}

function isEdge(char: string | undefined): boolean {
  return isBreak(char) || /[\p{P}\p{S}]/u.test(char ?? '');
}

/** Whether a list marker, or a digit of one, stands here with a space or more of itself after it. */
function isMarkerAt(source: string, at: number): boolean {
  const char = source[at] ?? '';
  if (char === '-' || char === '*' || char === '+' || char === '.' || char === ')')
    return isBreak(source[at + 1]);
  return char >= '0' && char <= '9' && /[0-9.)]/.test(source[at + 1] ?? '');
}
