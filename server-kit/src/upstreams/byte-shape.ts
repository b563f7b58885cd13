import { parseJson } from '@ziggie/llm-protocol';

/** Longer records are not worth it, in UTF-16 units. */
const maxLength = 2048;
/** How many shapes are shared at most. */
const mostShared = 64;

const quote = 0x22;
const backslash = 0x5c;

/**
 * Knows a record by its bytes where it differs from an earlier one in nothing but a piece of text and one time.
 *
 * An answer is thousands of such records. What `JSON.parse` would give for one is known: the same object with another text;
 * so neither a string is made of its bytes nor an object of that. The comparison is exact, and any doubt leaves the record
 * to the parser.
 */
export class ByteShape {
  /** What stands before the time, or before the text where there is no time. */
  readonly #head: DataView;
  /** What follows the time, up to the text. Empty where there is no time. */
  readonly #middle: DataView;
  readonly #tail: DataView;
  readonly #key: string;
  /** What it parses to, and which part of that has the text. */
  readonly #record: Record<string, unknown>;
  readonly #holder: Record<string, unknown>;
  readonly #name: string;

  private constructor(
    head: string,
    middle: string,
    tail: string,
    record: Record<string, unknown>,
    name: string,
  ) {
    this.#head = bytesOf(head);
    this.#middle = bytesOf(middle);
    this.#tail = bytesOf(tail);
    this.#key = JSON.stringify([name, head, middle, tail]);
    this.#record = record;
    this.#holder = holderOf(record);
    this.#name = name;
  }

  /**
   * The shape of a record that was read the long way and said nothing but `text`, if it has one.
   *
   * @param name Name of the member that `text` came from.
   * @param varying Name of one string member before it whose value may differ and is of no interest, where there is one.
   */
  static of(record: string, text: string, name: string, varying?: string): ByteShape | undefined {
    const key = `"${name}":"`;
    const at = record.indexOf(key);
    if (at === -1 || record.length > maxLength || record.indexOf(key, at + 1) !== -1) return undefined;
    const from = at + key.length;
    const written = JSON.stringify(text).slice(1);
    if (!record.startsWith(written, from)) return undefined;
    const before = record.slice(0, from);
    const tail = record.slice(from + written.length - 1);
    // With one character more it is told from every other member that has the text, however the names are written.
    const parsed = parseJson(`${before}?${record.slice(from)}`) as Record<string, unknown>;
    if (holderOf(parsed)[name] !== `?${text}`) return undefined;
    // It was found right for the record that this is the shape of.
    if ('model' in parsed) parsed['model'] = undefined;
    const timeKey = `"${varying}":"`;
    const timeAt = varying === undefined ? -1 : before.indexOf(timeKey);
    if (timeAt === -1) return new ByteShape(before, '', tail, parsed, name);
    const valueAt = timeAt + timeKey.length;
    const valueEnd = before.indexOf('"', valueAt);
    if (valueEnd === -1 || before.slice(valueAt, valueEnd).includes('\\')) return undefined;
    return new ByteShape(before.slice(0, valueAt), before.slice(valueEnd), tail, parsed, name);
  }

  /** The text of a record of this shape, or `undefined`: read it the long way then. */
  textOf(bytes: Buffer, from: number, to: number): string | undefined {
    const head = this.#head;
    const tail = this.#tail;
    const end = to - tail.byteLength;
    let at = from + head.byteLength;
    if (at > end || !has(bytes, from, head) || !has(bytes, end, tail)) return undefined;
    const middle = this.#middle;
    if (middle.byteLength > 0) {
      at = endOfPlain(bytes, at, end);
      if (at + middle.byteLength > end || !has(bytes, at, middle)) return undefined;
      at += middle.byteLength;
    }
    return textBetween(bytes, at, end);
  }

  /** What a record of this shape parses to, but for its time and model. Good until the next one is asked for. */
  recordWith(text: string): unknown {
    this.#holder[this.#name] = text;
    return this.#record;
  }

  /**
   * The same shape, one for all answers that have it: with hundreds of them at once it is in the processor's cache for
   * each. Only for a shape that was of use, since the others may hold a piece of an answer.
   */
  get shared(): ByteShape {
    const known = sharedShapes.get(this.#key);
    if (known !== undefined) return known;
    for (const oldest of sharedShapes.keys()) {
      if (sharedShapes.size < mostShared) break;
      sharedShapes.delete(oldest);
    }
    sharedShapes.set(this.#key, this);
    return this;
  }
}

const sharedShapes = new Map<string, ByteShape>();

/** What of a record says something: Ollama's message, what is new of OpenAI's one choice, or the record itself. */
function holderOf(record: Record<string, unknown>): Record<string, unknown> {
  const { message, choices } = record;
  const choice = Array.isArray(choices) ? members(choices[0]) : undefined;
  return members(message) ?? members(choice?.['delta']) ?? choice ?? record;
}

function members(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}

/** Bytes as numbers of four, of the buffer that was asked about last: mostly it is the one that connections read into. */
let viewed: Buffer | undefined;
let view: DataView = new DataView(new ArrayBuffer(0));

/** Whether these bytes stand there; four at a time, as most of a record is compared. */
function has(bytes: Buffer, from: number, known: DataView): boolean {
  if (bytes !== viewed) {
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    viewed = bytes;
  }
  const { byteLength } = known;
  const fours = byteLength - 3;
  let at = 0;
  for (; at < fours; at += 4) if (view.getInt32(from + at, true) !== known.getInt32(at, true)) return false;
  for (; at < byteLength; at++) if (bytes[from + at] !== known.getUint8(at)) return false;
  return true;
}

function bytesOf(text: string): DataView {
  const bytes = Buffer.from(text);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Where a string of plain ASCII ends: at a quote, or at what is none. */
function endOfPlain(bytes: Buffer, from: number, to: number): number {
  let at = from;
  for (; at < to; at++) {
    const byte = bytes[at] as number;
    if (byte === quote || byte === backslash || byte < 0x20 || byte > 0x7e) break;
  }
  return at;
}

/** Bytes between two quotes of JSON as the text they stand for; `undefined` where they are not the inside of one string. */
function textBetween(bytes: Buffer, from: number, to: number): string | undefined {
  let all = 0;
  let hasEscapes = false;
  for (let at = from; at < to; at++) {
    const byte = bytes[at] as number;
    if (byte < 0x20 || (byte === quote && !hasEscapes)) return undefined;
    if (byte === backslash) hasEscapes = true;
    all |= byte;
  }
  if (all < 0x80 && !hasEscapes) return asciiText(bytes, from, to);
  const text = bytes.toString('utf8', from, to);
  // What is not UTF-8 gives replacement characters; so does a model that writes them.
  if (text.includes('\ufffd')) return undefined;
  return hasEscapes ? unescaped(text) : text;
}

/** What stands between two quotes of JSON, if it is nothing but the inside of one string. */
function unescaped(text: string): string | undefined {
  try {
    return JSON.parse(`"${text}"`);
  } catch {
    return undefined;
  }
}

/** For the few bytes of a token cheaper than the way through Node. */
function asciiText(bytes: Buffer, from: number, to: number): string {
  if (to - from > 12) return bytes.toString('latin1', from, to);
  let text = '';
  for (let at = from; at < to; at++) text += String.fromCharCode(bytes[at] as number);
  return text;
}
