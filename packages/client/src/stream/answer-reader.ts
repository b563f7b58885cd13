import type { StreamEventBody } from '@ziggie/llm-protocol';
import { MAX_ANSWER_BYTES, MAX_RECORD_BYTES, ProtocolError } from '@ziggie/llm-protocol/native';
import type { AnswerDecoder } from '../targets/target.ts';

/** How records stand in the lines of a body. Without one, each line is a record. */
export interface Framing {
  /** The next text with the line ends that count, or as much of it as can be told. */
  lines(text: string): string;
  /**
   * The record that this line completes.
   *
   * @param check Throws for a record that gets too long: called with what there is of one that goes on.
   */
  record(line: string, check: (begun: string) => void): string | undefined;
}

/**
 * The reading half of an attempt: pieces of a body to text to records to events. Knows nothing of time or connections.
 *
 * The work is linear in what arrives however small the pieces are, and no piece is held on to.
 */
export interface AnswerReader {
  /**
   * Adds the events of the next piece.
   *
   * @throws {ProtocolError} when it cannot be read. The events before that are added all the same.
   */
  push(piece: Uint8Array | string, events: StreamEventBody[]): void;
  /**
   * Adds what a last record without a line end says, and what only the end of the body tells. Browsers drop an event
   * without the blank line after it; model servers and relays forget that line, and the event is then the end of an answer.
   */
  end(events: StreamEventBody[]): void;
}

const nothing = new Uint8Array();

export function answerReader(decoder: AnswerDecoder, framing?: Framing): AnswerReader {
  // A byte order mark in the middle must stay what it is.
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  /** The last character, when it may go on in the next piece: then nothing is ever decoded twice, or by half. */
  let held = nothing;
  let failure: ProtocolError | undefined;
  let unfinished = '';
  let length = 0;

  function push(piece: Uint8Array | string, events: StreamEventBody[]): void {
    readText(typeof piece === 'string' ? piece : textOf(piece), events);
    if (failure) throw failure;
  }

  function textOf(piece: Uint8Array): string {
    let bytes = piece;
    if (held.length > 0) {
      bytes = new Uint8Array(held.length + piece.length);
      bytes.set(held);
      bytes.set(piece, held.length);
      held = nothing;
    }
    if ((bytes[bytes.length - 1] as number) >= 0x80) {
      const last = bytes.findLastIndex((byte) => byte >= 0xc0);
      // Four bytes are whole, or no character.
      if (last >= bytes.length - 3) {
        held = bytes.slice(last);
        bytes = bytes.subarray(0, last);
      }
    }
    return decode(bytes);
  }

  function decode(bytes: Uint8Array): string {
    try {
      return utf8.decode(bytes);
    } catch {
      failure = new ProtocolError('malformed_record', 'a line is not UTF-8');
      // The lines before the bad bytes are whole, and still delivered.
      let text = '';
      try {
        for (let from = 0, end = 0; ; from = end) {
          end = bytes.indexOf(10, from) + 1;
          if (end === 0) return text;
          text += utf8.decode(bytes.subarray(from, end));
        }
      } catch {
        return text;
      }
    }
  }

  function readText(given: string, events: StreamEventBody[]): void {
    length += given.length;
    if (length > MAX_ANSWER_BYTES) throw tooLarge('the answer', MAX_ANSWER_BYTES);
    const text = framing ? framing.lines(given) : given;
    let from = 0;
    // Only what is new is searched, and a line is put together once.
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', from)) {
      const line = unfinished + text.slice(from, end);
      unfinished = '';
      from = end + 1;
      const record = framing ? framing.record(line, checkRecord) : line;
      if (record !== undefined) readRecord(record, events);
    }
    if (from < text.length) {
      unfinished += text.slice(from);
      checkRecord(unfinished);
    }
  }

  function readRecord(record: string, events: StreamEventBody[]): void {
    if (decoder.ended) return;
    checkRecord(record);
    // Blank lines, a byte order mark, and what proxies put around records.
    const isBare = record.charCodeAt(0) === 0x7b && record.charCodeAt(record.length - 1) === 0x7d;
    const text = isBare ? record : record.trim();
    if (text !== '') decoder.read(text, events);
  }

  return {
    push,
    end(events) {
      push(`${decode(held)}\n\n`, events);
      decoder.end?.(events);
    },
  };
}

/** @throws {ProtocolError} for one that no honest server sends. */
function checkRecord(record: string): void {
  if (record.length > MAX_RECORD_BYTES) throw tooLarge('a record', MAX_RECORD_BYTES);
}

/** @param what Is longer. */
function tooLarge(what: string, limit: number): ProtocolError {
  return new ProtocolError('response_too_large', `${what} is longer than ${limit}`);
}
