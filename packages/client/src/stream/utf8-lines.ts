import { MAX_RECORD_BYTES, ProtocolError } from '@ziggie/llm-protocol';

const LF = 10;
const CR = 13;
const FIRST_SIZE = 1024;
const LARGE_SIZE = 256 * 1024;
const SMALL_PIECE = 128;

/**
 * Turns bytes into text, up to the last line end that has come. What follows it waits, so no text ends inside a
 * character, and the decoder runs once per line instead of once per piece: streams often come in a few bytes at a time.
 *
 * The work is linear in what arrives however small the pieces are, and no piece is held on to.
 */
export class Utf8Lines {
  // The splitters after this know about byte order marks; here one in the middle must stay what it is.
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  readonly #maxLineBytes: number;
  /** Whether a CR alone may end a line, as in event streams. Looked for until it is known not to. */
  endsWithCr = true;
  #waiting = new Uint8Array(FIRST_SIZE);
  /** What waits is between these two. */
  #start = 0;
  #end = 0;

  constructor(maxLineBytes: number = MAX_RECORD_BYTES) {
    this.#maxLineBytes = maxLineBytes;
  }

  /**
   * The text of all lines that end in this piece, empty when none does.
   *
   * @throws {ProtocolError} `response_too_large` when a line is too long, `malformed_record` when one is not UTF-8. The
   *   lines before it have gone to `onGood` then.
   */
  push(piece: Uint8Array, onGood: (text: string) => void): void {
    const end = this.#endOfLines(piece);
    if (end === 0) {
      if (this.#end - this.#start + piece.length > this.#maxLineBytes) {
        throw new ProtocolError(
          'response_too_large',
          `Reading a stream: one line is longer than ${this.#maxLineBytes} bytes.`,
        );
      }
      this.#keep(piece);
      return;
    }
    if (this.#end === this.#start) {
      this.#decode(end === piece.length ? piece : piece.subarray(0, end), onGood);
      if (end < piece.length) this.#keep(piece.subarray(end));
      return;
    }
    this.#keep(piece);
    const wholeEnd = this.#end - piece.length + end;
    // Before anything can throw: what was read is not read again.
    const from = this.#start;
    this.#start = wholeEnd;
    this.#decode(this.#waiting.subarray(from, wholeEnd), onGood);
    if (this.#start === this.#end) this.#start = this.#end = 0;
    // A large record is rare: what it needed is not kept for the small ones after it.
    if (this.#waiting.length > LARGE_SIZE && this.#end - this.#start < FIRST_SIZE) this.#moveTo(FIRST_SIZE);
  }

  /** The text after the last line end. @throws {ProtocolError} `malformed_record` when it ends inside a character. */
  end(): string {
    const rest = this.#waiting.subarray(this.#start, this.#end);
    this.#start = this.#end = 0;
    return this.#text(rest);
  }

  #keep(piece: Uint8Array): void {
    if (this.#end + piece.length > this.#waiting.length) {
      const needed = this.#end - this.#start + piece.length;
      let size = this.#waiting.length;
      // Half of it stays free, so that what waits is moved once in many pieces.
      while (size < 2 * needed) size *= 2;
      this.#moveTo(size);
    }
    this.#waiting.set(piece, this.#end);
    this.#end += piece.length;
  }

  #moveTo(size: number): void {
    const rest = this.#waiting.subarray(this.#start, this.#end);
    if (size === this.#waiting.length) this.#waiting.copyWithin(0, this.#start, this.#end);
    else {
      this.#waiting = new Uint8Array(size);
      this.#waiting.set(rest);
    }
    this.#end = rest.length;
    this.#start = 0;
  }

  #decode(bytes: Uint8Array, onGood: (text: string) => void): void {
    let text: string;
    try {
      text = this.#utf8.decode(bytes);
    } catch {
      this.#decodeUntilBad(bytes, onGood);
      return;
    }
    onGood(text);
  }

  /** The lines before the bad bytes are whole, and still delivered. */
  #decodeUntilBad(bytes: Uint8Array, onGood: (text: string) => void): void {
    let from = 0;
    while (from < bytes.length) {
      const end = bytes.indexOf(LF, from) + 1 || bytes.length;
      onGood(this.#text(bytes.subarray(from, end)));
      from = end;
    }
  }

  #text(bytes: Uint8Array): string {
    try {
      return this.#utf8.decode(bytes);
    } catch {
      throw new ProtocolError('malformed_record', 'Reading a stream: a line is not UTF-8.');
    }
  }

  /** Where the last line that ends in these bytes ends; 0 when none does. */
  #endOfLines(piece: Uint8Array): number {
    if (piece.length <= SMALL_PIECE) return this.#endOfLinesIn(piece);
    const afterLf = piece.lastIndexOf(LF) + 1;
    if (!this.endsWithCr) return afterLf;
    // Looked for after the last LF: next to nothing is left there.
    return piece.indexOf(CR, afterLf) === -1 ? afterLf : piece.lastIndexOf(CR) + 1;
  }

  /** The same for a few bytes, where calls into the platform cost more than looking. */
  #endOfLinesIn(piece: Uint8Array): number {
    for (let at = piece.length - 1; at >= 0; at--) {
      const byte = piece[at];
      if (byte === LF || (byte === CR && this.endsWithCr)) return at + 1;
    }
    return 0;
  }
}
