import { MAX_JSON_DEPTH } from '../limits.ts';
import { ProtocolError } from '../protocol-error.ts';

// Any escape that could spell `__proto__`. Rare in honest text, so the slow path is rare too.
const spellingEscape = /\\u00(?:5f|70|72|6f|74)/i;

/**
 * Parses JSON that came from outside.
 *
 * Members named `__proto__` are dropped: copied onto another object they would change its prototype.
 *
 * @param maxDepth Deepest nesting of arrays and objects; `Infinity` to skip the check.
 * @throws {ProtocolError} `malformed_record` when the text is not JSON or nests too deep. The message gives lengths,
 *   never the text.
 */
export function parseJson(text: string, maxDepth: number = MAX_JSON_DEPTH): unknown {
  const nestsTooDeep =
    maxDepth !== Infinity && opensMoreThan(text, maxDepth) && nestsDeeperThan(text, maxDepth);
  try {
    if (!nestsTooDeep) return maySpellProto(text) ? JSON.parse(text, withoutProto) : JSON.parse(text);
  } catch {
    // Its message quotes the text.
  }
  const found = nestsTooDeep
    ? `it nests deeper than ${maxDepth} levels`
    : `${text.length} characters are not a JSON value`;
  throw new ProtocolError('malformed_record', `Reading JSON: ${found}.`);
}

/** Two searches that the engine does many bytes at a time, instead of a pattern at every character of every record. */
function maySpellProto(text: string): boolean {
  return text.includes('__proto__') || (text.includes('\\u00') && spellingEscape.test(text));
}

function withoutProto(this: unknown, key: string, value: unknown): unknown {
  return key === '__proto__' ? undefined : value;
}

/** Whether there are enough opening brackets at all; a common record has two or three. */
function opensMoreThan(text: string, count: number): boolean {
  let left = count;
  for (const bracket of ['{', '[']) {
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) {
      if (--left < 0) return true;
    }
  }
  return false;
}

/** Counts brackets outside strings. For text that is not JSON the answer does not matter: parsing fails anyway. */
function nestsDeeperThan(text: string, maxDepth: number): boolean {
  let depth = 0;
  let inString = false;
  for (const [mark] of text.matchAll(/\\.|["[{}\]]/gs)) {
    if (mark === '"') inString = !inString;
    else if (!inString && mark.length === 1) depth += '[{'.includes(mark) ? 1 : -1;
    if (depth > maxDepth) return true;
  }
  return false;
}
