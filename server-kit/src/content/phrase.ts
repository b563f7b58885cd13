import type { Detector } from './detectors.ts';

/** Signs that are not seen and would hide a phrase: soft hyphen, zero-width and direction marks. */
const unseen = '[\\u00ad\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u2064\\ufeff]*';
const space = '[\\s\\u00ad\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u2064\\ufeff]+';

/**
 * Finds a phrase however it is written: in any case, with any white space between its words, with unseen signs in it.
 *
 * @throws {TypeError} for a phrase without a word, or above 256 characters.
 */
export function phraseDetector(phrase: string): Detector {
  const words = phrase.normalize('NFC').trim().split(/\s+/u);
  if (words[0] === '' || phrase.length > 256) {
    throw new TypeError('A blocked phrase must have at least one word and at most 256 characters.');
  }
  const parts = words.flatMap((word, at) => {
    const signs = [...word].map(escaped);
    return at === 0 ? signs : [space, ...signs];
  });
  const whole = new RegExp(
    parts.reduce((sum, part) => joined(sum, part)),
    'giu',
  );
  const open = new RegExp(beginnings(parts), 'iu');
  // Unseen signs and white space may make it longer than it is.
  const reach = phrase.length * 4 + 64;
  return {
    find: (text) =>
      [...text.matchAll(whole)].map((match) => ({ start: match.index, end: match.index + match[0].length })),
    openAt(text) {
      const from = Math.max(0, text.length - reach);
      const at = text.slice(from).search(open);
      return at === -1 ? text.length : from + at;
    },
  };
}

/** A pattern for an end of a text that is a beginning of the phrase, and not the whole of it. */
function beginnings(parts: readonly string[]): string {
  let pattern = '$';
  for (let at = parts.length - 2; at >= 0; at--) {
    const [part, next] = [parts[at] as string, parts[at + 1] as string];
    const between = isSpace(part) || isSpace(next) ? '' : unseen;
    pattern = at === parts.length - 2 ? `${part}${between}$` : `${part}${between}(?:$|${pattern})`;
  }
  // A phrase of one sign has no beginning.
  return parts.length < 2 ? '(?!)' : pattern;
}

function isSpace(part: string | undefined): boolean {
  return part === space;
}

function joined(sum: string, part: string): string {
  return isSpace(part) || sum.endsWith(space) ? `${sum}${part}` : `${sum}${unseen}${part}`;
}

function escaped(sign: string): string {
  return sign.replace(/[\\^$.*+?()[\]{}|/-]/u, '\\$&');
}
