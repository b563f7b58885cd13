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
export interface Utf8Lines {
  /** Whether a CR alone may end a line, as in event streams. Looked for until it is known not to. */
  endsWithCr: boolean;
  /**
   * Why nothing can be read after the text that was given: `response_too_large` when a line is too long,
   * `malformed_record` when one is not UTF-8.
   */
  failure: ProtocolError | undefined;
  /** The text of all lines that end in this piece, empty when none does. Look at `failure` afterwards. */
  push(piece: Uint8Array): string;
  /** The text after the last line end. */
  end(): string;
}

export function utf8Lines(maxLineBytes = MAX_RECORD_BYTES): Utf8Lines {
  // The readers after this know about byte order marks; here one in the middle must stay what it is.
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let waiting = new Uint8Array(FIRST_SIZE);
  let length = 0;

  function take(): Uint8Array {
    const bytes = waiting.subarray(0, length);
    length = 0;
    return bytes;
  }

  function keep(piece: Uint8Array, from: number, end: number): void {
    const needed = length + end - from;
    if (needed > maxLineBytes) {
      lines.failure ??= tooLarge('a line', maxLineBytes);
      return;
    }
    if (needed > waiting.length) {
      const larger = new Uint8Array(needed * 2);
      larger.set(waiting.subarray(0, length));
      waiting = larger;
    }
    if (end - from > SMALL_PIECE) waiting.set(piece.subarray(from, end), length);
    else for (let at = from, to = length; at < end; at++, to++) waiting[to] = piece[at] as number;
    length = needed;
  }

  function decode(bytes: Uint8Array): string {
    let text = '';
    try {
      return utf8.decode(bytes);
    } catch {
      // The lines before the bad bytes are whole, and still delivered.
      for (let from = 0; ; ) {
        const end = bytes.indexOf(LF, from) + 1 || bytes.length;
        try {
          text += utf8.decode(bytes.subarray(from, end));
        } catch {
          lines.failure ??= new ProtocolError('malformed_record', 'a line is not UTF-8');
          return text;
        }
        from = end;
      }
    }
  }

  /** Where the last line that ends in these bytes ends; 0 when none does. */
  function endOfLines(piece: Uint8Array): number {
    const { endsWithCr } = lines;
    if (piece.length > SMALL_PIECE) {
      const afterLf = piece.lastIndexOf(LF) + 1;
      // Looked for after the last LF: next to nothing is left there.
      return endsWithCr && piece.indexOf(CR, afterLf) !== -1 ? piece.lastIndexOf(CR) + 1 : afterLf;
    }
    const other = endsWithCr ? CR : LF;
    for (let at = piece.length - 1; at >= 0; at--) {
      const byte = piece[at];
      if (byte === LF || byte === other) return at + 1;
    }
    return 0;
  }

  const lines: Utf8Lines = {
    endsWithCr: true,
    failure: undefined,
    push(piece) {
      const end = endOfLines(piece);
      let text = '';
      if (end > 0) {
        let whole = end === piece.length ? piece : piece.subarray(0, end);
        if (length > 0) {
          keep(piece, 0, end);
          whole = take();
        }
        text = decode(whole);
        if (waiting.length > LARGE_SIZE) waiting = new Uint8Array(FIRST_SIZE);
      }
      if (end < piece.length) keep(piece, end, piece.length);
      return text;
    },
    end: () => decode(take()),
  };
  return lines;
}

/** @param what Is longer. */
export function tooLarge(what: string, limit: number): ProtocolError {
  return new ProtocolError('response_too_large', `${what} is longer than ${limit}`);
}
