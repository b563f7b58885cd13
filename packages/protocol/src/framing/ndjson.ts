import { MAX_RECORD_BYTES } from '../limits.ts';
import { ProtocolError } from '../protocol-error.ts';

/** Content type of newline-delimited JSON, as Ollama and the kit send it. */
export const NDJSON_CONTENT_TYPE = 'application/x-ndjson';

/** What stands on the wire between records to keep a silent connection open. Readers skip it. */
export const NDJSON_HEARTBEAT = '\n';

/** One record as it travels. */
export function encodeNdjson(record: unknown): string {
  return `${JSON.stringify(record)}\n`;
}

/**
 * Cuts text that arrives in pieces into whole lines.
 *
 * Blank lines, carriage returns before a line end, a byte order mark at the very beginning and a missing last line end
 * are tolerated: proxies add and remove them. A record is put together once, when its end is seen, so the work is linear
 * in what arrives however small the pieces are.
 *
 * @throws {ProtocolError} `response_too_large` when a record is longer than `maxRecordLength`.
 */
export class NdjsonSplitter {
  readonly #maxRecordLength: number;
  #pieces: string[] = [];
  #pendingLength = 0;
  #atStart = true;

  /** @param maxRecordLength Longest record in UTF-16 units, 16 Mi by default. */
  constructor(maxRecordLength: number = MAX_RECORD_BYTES) {
    this.#maxRecordLength = maxRecordLength;
  }

  /** Takes the next piece and calls `onLine` for each line that ends in it. */
  push(piece: string, onLine: (line: string) => void): void {
    if (piece.length === 0) return;
    let from = 0;
    if (this.#atStart) {
      this.#atStart = false;
      if (piece.charCodeAt(0) === 0xfeff) from = 1;
    }
    let end = piece.indexOf('\n', from);
    while (end !== -1) {
      this.#check(end - from);
      let line = piece.slice(from, end);
      if (this.#pendingLength > 0) {
        this.#pieces.push(line);
        line = this.#take();
      }
      emitTrimmed(line, onLine);
      from = end + 1;
      end = piece.indexOf('\n', from);
    }
    if (from < piece.length) {
      this.#check(piece.length - from);
      this.#pieces.push(from === 0 ? piece : piece.slice(from));
      this.#pendingLength += piece.length - from;
    }
  }

  /** Hands out a last line that had no line end. */
  end(onLine: (line: string) => void): void {
    if (this.#pendingLength > 0) emitTrimmed(this.#take(), onLine);
  }

  #take(): string {
    const line = this.#pieces.join('');
    this.#pieces = [];
    this.#pendingLength = 0;
    return line;
  }

  #check(more: number): void {
    if (this.#pendingLength + more > this.#maxRecordLength) {
      throw new ProtocolError(
        'response_too_large',
        `Reading a stream: one record is longer than ${this.#maxRecordLength} characters. ` +
          'Raise the limit if the sender is to be trusted with such records.',
      );
    }
  }
}

function emitTrimmed(line: string, onLine: (line: string) => void): void {
  const last = line.charCodeAt(line.length - 1);
  // Only a line that ends in white space can be blank or carry a carriage return: the common line is not touched.
  const text = last === 13 || last === 32 || last === 9 ? line.trimEnd() : line;
  if (text.length > 0) onLine(text);
}
