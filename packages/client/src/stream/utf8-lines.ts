import { MAX_RECORD_BYTES, ProtocolError } from '@ziggie/llm-protocol';

const LF = 10;
const CR = 13;
const FIRST_SIZE = 1024;
/** Above it, what one record needed is not kept for the small ones after it. */
const LARGE_SIZE = 256 * 1024;
/** Up to so many bytes, calls into the platform cost more than a loop. */
const SMALL_PIECE = 128;

/**
 * Turns bytes into text, up to the last line end that has come. What follows it waits, so no text ends inside a
 * character, and the decoder runs once per line instead of once per piece: streams often come in a few bytes at a time.
 *
 * The work is linear in what arrives however small the pieces are, and no piece is held on to.
 */
export class Utf8Lines {
  /** Whether a CR alone may end a line, as in event streams. Looked for until it is known not to. */
  endsWithCr = true;
  /**
   * Why nothing can be read after the text that was given: `response_too_large` when a line is too long,
   * `malformed_record` when one is not UTF-8.
   */
  failure: ProtocolError | undefined;
  // The readers after this know about byte order marks; here one in the middle must stay what it is.
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  readonly #maxLineBytes: number;
  #waiting = new Uint8Array(FIRST_SIZE);
  #length = 0;

  constructor(maxLineBytes: number = MAX_RECORD_BYTES) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** The text of all lines that end in this piece, empty when none does. Look at `failure` afterwards. */
  push(piece: Uint8Array): string {
    const end = this.#endOfLines(piece);
    let text = '';
    if (end > 0) {
      let lines = end === piece.length ? piece : piece.subarray(0, end);
      if (this.#length > 0) {
        this.#keep(piece, 0, end);
        lines = this.#take();
      }
      text = this.#decode(lines);
      if (this.#waiting.length > LARGE_SIZE) this.#waiting = new Uint8Array(FIRST_SIZE);
    }
    if (end < piece.length) this.#keep(piece, end, piece.length);
    return text;
  }

  /** The text after the last line end. */
  end(): string {
    return this.#decode(this.#take());
  }

  #take(): Uint8Array {
    const bytes = this.#waiting.subarray(0, this.#length);
    this.#length = 0;
    return bytes;
  }

  #keep(piece: Uint8Array, from: number, end: number): void {
    const length = this.#length + end - from;
    if (length > this.#maxLineBytes) {
      this.failure ??= tooLarge('a line', this.#maxLineBytes);
      return;
    }
    if (length > this.#waiting.length) {
      const larger = new Uint8Array(length * 2);
      larger.set(this.#waiting.subarray(0, this.#length));
      this.#waiting = larger;
    }
    const waiting = this.#waiting;
    if (end - from > SMALL_PIECE) waiting.set(piece.subarray(from, end), this.#length);
    else for (let at = from, to = this.#length; at < end; at++, to++) waiting[to] = piece[at] as number;
    this.#length = length;
  }

  #decode(bytes: Uint8Array): string {
    let text = '';
    try {
      return this.#utf8.decode(bytes);
    } catch {
      // The lines before the bad bytes are whole, and still delivered.
      for (let from = 0; ; ) {
        const end = bytes.indexOf(LF, from) + 1 || bytes.length;
        try {
          text += this.#utf8.decode(bytes.subarray(from, end));
        } catch {
          this.failure ??= new ProtocolError('malformed_record', 'a line is not UTF-8');
          return text;
        }
        from = end;
      }
    }
  }

  /** Where the last line that ends in these bytes ends; 0 when none does. */
  #endOfLines(piece: Uint8Array): number {
    if (piece.length > SMALL_PIECE) {
      const afterLf = piece.lastIndexOf(LF) + 1;
      // Looked for after the last LF: next to nothing is left there.
      return this.endsWithCr && piece.indexOf(CR, afterLf) !== -1 ? piece.lastIndexOf(CR) + 1 : afterLf;
    }
    const other = this.endsWithCr ? CR : LF;
    for (let at = piece.length - 1; at >= 0; at--) {
      const byte = piece[at];
      if (byte === LF || byte === other) return at + 1;
    }
    return 0;
  }
}

/** @param what Is longer. */
export function tooLarge(what: string, limit: number): ProtocolError {
  return new ProtocolError('response_too_large', `${what} is longer than ${limit}`);
}
