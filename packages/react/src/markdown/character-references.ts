import type { Extension } from 'mdast-util-from-markdown';
import { decodeNumericCharacterReference } from 'micromark-util-decode-numeric-character-reference';
import { normalizeIdentifier } from 'micromark-util-normalize-identifier';
import type { Construct } from 'micromark-util-types';

/**
 * The names that models write. The parser's own list of thousands asks the browser by `innerHTML`, which pages with Trusted
 * Types forbid; a name that is not here shows as it is written.
 */
const names = new Map(
  (
    'amp& lt< gt> quot" apos\' nbsp\u00a0 copy© reg® trade™ hellip… mdash— ndash– lsquo‘ rsquo’ ldquo“ rdquo” laquo« raquo» ' +
    'bull• middot· times× divide÷ plusmn± minus− deg° micro\u00b5 para¶ sect§ euro€ pound£ yen¥ cent¢ larr← uarr↑ rarr→ ' +
    'darr↓ harr↔ rArr⇒ infin∞ ne≠ le≤ ge≥ asymp≈ frac12½ sup2² pi\u03c0 ouml\u00f6 auml\u00e4 uuml\u00fc szlig\u00df eacute\u00e9'
  )
    .split(' ')
    .map((entry) => [entry.slice(0, -1), entry.slice(-1)]),
);

/** `&amp;`, `&#38;` or `&#x26;`. */
export const characterReference: Construct = {
  tokenize(effects, ok, nok) {
    let digits: RegExp | null = null;
    let value = '';
    return (code) => {
      effects.enter('characterReference');
      effects.enter('characterReferenceMarker');
      effects.consume(code);
      effects.exit('characterReferenceMarker');
      return (next) => {
        if (next !== 35) return begin(next);
        digits = /^\d{1,7}$/;
        effects.enter('characterReferenceMarkerNumeric');
        effects.consume(next);
        effects.exit('characterReferenceMarkerNumeric');
        return (hex) => {
          if (hex !== 88 && hex !== 120) return begin(hex);
          digits = /^[\da-f]{1,6}$/i;
          effects.enter('characterReferenceMarkerHexadecimal');
          effects.consume(hex);
          effects.exit('characterReferenceMarkerHexadecimal');
          return begin;
        };
      };
    };
    function begin(code: number | null) {
      if (!isLetterOrDigit(code)) return nok(code);
      effects.enter('characterReferenceValue');
      return read(code);
    }
    function read(code: number | null): ReturnType<typeof ok> {
      if (isLetterOrDigit(code) && value.length < 8) {
        value += String.fromCharCode(code);
        effects.consume(code);
        return read;
      }
      if (code !== 59 || !(digits === null ? names.has(value) : digits.test(value))) return nok(code);
      effects.exit('characterReferenceValue');
      effects.enter('characterReferenceMarker');
      effects.consume(code);
      effects.exit('characterReferenceMarker');
      effects.exit('characterReference');
      return ok;
    }
  },
};

function isLetterOrDigit(code: number | null): code is number {
  return code !== null && code > 0 && /^[\da-z]$/i.test(String.fromCharCode(code));
}

/** What they stand for, in place of the parser's own reading. */
export const readReferences: Extension = {
  exit: {
    characterReferenceValue(token) {
      const value = this.sliceSerialize(token);
      const kind = this.data.characterReferenceType;
      this.data.characterReferenceType = undefined;
      const tail = this.stack.at(-1);
      if (tail === undefined || !('value' in tail)) return;
      tail.value +=
        kind === undefined
          ? (names.get(value) ?? '')
          : decodeNumericCharacterReference(value, kind === 'characterReferenceMarkerNumeric' ? 10 : 16);
    },
    labelText(token) {
      const label = this.sliceSerialize(token);
      // The link or image that the label may refer with.
      Object.assign(this.stack.at(-2) ?? {}, { label, identifier: normalizeIdentifier(label).toLowerCase() });
    },
  },
};
