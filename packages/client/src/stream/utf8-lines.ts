import { MAX_RECORD_BYTES, ProtocolError } from '@ziggie/llm-protocol';

const LF = 10;
const CR = 13;
const FIRST_SIZE = 1024;
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
  #length = 0;

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
      if (this.#length + piece.length > this.#maxLineBytes) {
        throw new ProtocolError(
          'response_too_large',
          `Reading a stream: one line is longer than ${this.#maxLineBytes} bytes.`,
        );
      }
      this.#keep(piece);
      return;
    }
    if (this.#length === 0) {
      this.#decode(end === piece.length ? piece : piece.subarray(0, end), onGood);
      if (end < piece.length) this.#keep(piece.subarray(end));
      return;
    }
    const before = this.#length;
    this.#keep(piece);
    const whole = this.#waiting.subarray(0, before + end);
    this.#decode(whole, onGood);
    this.#waiting.copyWithin(0, before + end, this.#length);
    this.#length -= before + end;
    // A large record is rare: what it needed is not kept for the small ones after it.
    if (this.#waiting.length > 256 * 1024 && this.#length < FIRST_SIZE) {
      const rest = this.#waiting.subarray(0, this.#length);
      this.#waiting = new Uint8Array(FIRST_SIZE);
      this.#waiting.set(rest);
    }
  }

  /** The text after the last line end. @throws {ProtocolError} `malformed_record` when it ends inside a character. */
  end(): string {
    const rest = this.#waiting.subarray(0, this.#length);
    this.#length = 0;
    return this.#text(rest);
  }

  #keep(piece: Uint8Array): void {
    const needed = this.#length + piece.length;
    if (needed > this.#waiting.length) {
      let size = this.#waiting.length * 2;
      while (size < needed) size *= 2;
      const larger = new Uint8Array(size);
      larger.set(this.#waiting.subarray(0, this.#length));
      this.#waiting = larger;
    }
    this.#waiting.set(piece, this.#length);
    this.#length = needed;
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
