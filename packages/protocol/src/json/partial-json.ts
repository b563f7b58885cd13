import { MAX_JSON_DEPTH } from '../limits.ts';
import { ProtocolError } from '../protocol-error.ts';

type Container = Record<string, unknown> | unknown[];

/** What may come next. */
type Expected =
  | 'value'
  | 'value-or-end'
  | 'key'
  | 'key-or-end'
  | 'colon'
  | 'comma-or-end'
  | 'string'
  | 'escape'
  | 'unicode'
  | 'number'
  | 'literal'
  | 'nothing';

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};
const literals = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
]);
const wholeNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * Reads one JSON value while it is being written: every character once, whatever the size of the pieces, so the whole
 * costs the same as one pass over the text.
 *
 * As strict as `JSON.parse`, and gives at the end what `parseJson` gives: members named `__proto__` are dropped. What is
 * shown on the way is always a beginning of that: strings grow, numbers and literals appear when they are complete, half
 * a surrogate pair is held back. (A name that stands twice in one object is the exception: the later value replaces
 * the earlier one.)
 */
export class PartialJson {
  readonly #maxDepth: number;
  readonly #open: Container[] = [];
  /** The names that lead to the open containers, then the one being filled. */
  readonly #names: string[] = [];
  #root: unknown;
  #expected: Expected = 'value';
  /** The string, number or literal being read. */
  #text = '';
  #isName = false;
  /** Where the present string goes in its array, or -1 before it was put there. */
  #index = -1;
  #hex = '';
  /** The first half of a surrogate pair that came as an escape. */
  #half = '';
  #changed = false;
  #at = 0;

  /** @param maxDepth Deepest nesting of arrays and objects. Default 64. */
  constructor(maxDepth: number = MAX_JSON_DEPTH) {
    this.#maxDepth = maxDepth;
  }

  /**
   * What is known so far; `undefined` before the first value begins. The same object grows from one `push` to the next:
   * copy what you keep.
   */
  get value(): unknown {
    return this.#root;
  }

  /** Whether the value is whole. A number alone is only whole after `end()`: another digit could follow. */
  get complete(): boolean {
    return this.#expected === 'nothing';
  }

  /**
   * Takes the next piece of the text.
   *
   * @returns Whether `value` shows more than before.
   * @throws {ProtocolError} `malformed_record` when no JSON begins like this or it nests too deep. The message gives the
   *   place, never the text.
   */
  push(piece: string): boolean {
    this.#changed = false;
    let at = 0;
    while (at < piece.length) {
      // Strings are most of any text: whole runs at once, the rest unit by unit.
      at = this.#expected === 'string' ? this.#string(piece, at) : at + this.#unit(piece[at] as string);
    }
    this.#at += piece.length;
    if (this.#inString && !this.#isName) this.#showString();
    return this.#changed;
  }

  /** @throws {ProtocolError} `malformed_record` when the text ends inside the value. */
  end(): void {
    if (this.#expected === 'number' && this.#open.length === 0) this.#endNumber();
    if (!this.complete) throw this.#wrong('it ends before the value does');
  }

  get #inString(): boolean {
    return this.#expected === 'string' || this.#expected === 'escape' || this.#expected === 'unicode';
  }

  /** @returns Where to go on. */
  #string(piece: string, from: number): number {
    let at = from;
    for (; at < piece.length; at++) {
      const unit = piece.charCodeAt(at);
      if (unit === 0x22 || unit === 0x5c) break;
      if (unit < 0x20) throw this.#wrong('a control character stands in a string');
    }
    if (at > from) this.#append(piece.slice(from, at));
    if (at === piece.length) return at;
    if (piece[at] === '\\') this.#expected = 'escape';
    else this.#endString();
    return at + 1;
  }

  /** @returns 1 when the character is used up, 0 when it has to be looked at again. */
  #unit(unit: string): 0 | 1 {
    switch (this.#expected) {
      case 'escape':
        return this.#escape(unit);
      case 'unicode':
        return this.#unicode(unit);
      case 'number':
        if (/[\d.eE+-]/.test(unit)) this.#text += unit;
        else {
          this.#endNumber();
          return 0;
        }
        return 1;
      case 'literal':
        return this.#literal(unit);
      default:
        if (unit === ' ' || unit === '\n' || unit === '\r' || unit === '\t') return 1;
        this.#structure(unit);
        return 1;
    }
  }

  #structure(unit: string): void {
    const expected = this.#expected;
    const inside = this.#open.at(-1);
    if (unit === ',' && expected === 'comma-or-end') {
      this.#expected = Array.isArray(inside) ? 'value' : 'key';
    } else if (unit === ':' && expected === 'colon') this.#expected = 'value';
    else if (unit === ']' && Array.isArray(inside) && /end$/.test(expected)) this.#close();
    else if (unit === '}' && inside && !Array.isArray(inside) && /end$/.test(expected)) this.#close();
    else if (unit === '"' && expected.startsWith('key')) this.#begin('string', '', true);
    else if (!expected.startsWith('value')) throw this.#wrong('a character stands where none may');
    else if (unit === '"') this.#begin('string', '', false);
    else if (unit === '{') this.#enter({}, 'key-or-end');
    else if (unit === '[') this.#enter([], 'value-or-end');
    else if (unit === '-' || (unit >= '0' && unit <= '9')) this.#begin('number', unit, false);
    else if (unit === 't' || unit === 'f' || unit === 'n') this.#begin('literal', unit, false);
    else throw this.#wrong('no value begins like this');
  }

  #begin(what: Expected, text: string, isName: boolean): void {
    this.#expected = what;
    this.#text = text;
    this.#isName = isName;
    this.#index = -1;
    if (what === 'string' && !isName) this.#showString();
  }

  #enter(container: Container, next: Expected): void {
    if (this.#open.length >= this.#maxDepth) {
      throw this.#wrong(`it nests deeper than ${this.#maxDepth} levels`);
    }
    this.#index = -1;
    this.#show(container);
    this.#open.push(container);
    this.#names.push('');
    this.#expected = next;
  }

  #close(): void {
    this.#open.pop();
    this.#names.pop();
    this.#ended();
  }

  #ended(): void {
    this.#expected = this.#open.length === 0 ? 'nothing' : 'comma-or-end';
  }

  #append(text: string): void {
    this.#text += this.#half === '' ? text : this.#half + text;
    this.#half = '';
  }

  #escape(unit: string): 1 {
    if (unit === 'u') {
      this.#hex = '';
      this.#expected = 'unicode';
      return 1;
    }
    const meant = Object.hasOwn(escapes, unit) ? escapes[unit] : undefined;
    if (meant === undefined) throw this.#wrong('an escape does not exist');
    this.#append(meant);
    this.#expected = 'string';
    return 1;
  }

  #unicode(unit: string): 1 {
    if (!/[\da-fA-F]/.test(unit)) throw this.#wrong('an escape is not four hexadecimal digits');
    this.#hex += unit;
    if (this.#hex.length < 4) return 1;
    const meant = String.fromCharCode(Number.parseInt(this.#hex, 16));
    this.#expected = 'string';
    if (meant >= '\ud800' && meant <= '\udbff') {
      this.#append('');
      this.#half = meant;
    } else this.#append(meant);
    return 1;
  }

  #endString(): void {
    this.#append('');
    if (this.#isName) {
      this.#names[this.#names.length - 1] = this.#text;
      this.#expected = 'colon';
      return;
    }
    this.#showString();
    this.#ended();
  }

  #endNumber(): void {
    if (!wholeNumber.test(this.#text)) throw this.#wrong('a number is not one');
    this.#show(Number(this.#text));
    this.#ended();
  }

  #literal(unit: string): 1 {
    this.#text += unit;
    if (literals.has(this.#text)) {
      this.#show(literals.get(this.#text));
      this.#ended();
    } else if (!['true', 'false', 'null'].some((word) => word.startsWith(this.#text))) {
      throw this.#wrong('a word is none of true, false and null');
    }
    return 1;
  }

  #showString(): void {
    this.#show(this.#text);
  }

  /** Puts the present value in its place; a string that grows replaces what was there of it. */
  #show(value: unknown): void {
    const inside = this.#open.at(-1);
    const name = this.#names.at(-1) as string;
    if (inside === undefined) {
      this.#changed ||= this.#root !== value;
      this.#root = value;
    } else if (Array.isArray(inside)) {
      if (this.#index === -1) this.#index = inside.length;
      this.#changed ||= inside[this.#index] !== value;
      inside[this.#index] = value;
    } else if (name !== '__proto__') {
      this.#changed ||= inside[name] !== value || !Object.hasOwn(inside, name);
      inside[name] = value;
    }
  }

  #wrong(found: string): ProtocolError {
    return new ProtocolError(
      'malformed_record',
      `Reading JSON as it comes, after about ${this.#at} characters: ${found}.`,
    );
  }
}
