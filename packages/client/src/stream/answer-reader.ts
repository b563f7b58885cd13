import type { StreamEventBody } from '@ziggie/llm-protocol';
import { MAX_ANSWER_BYTES, MAX_RECORD_BYTES, ProtocolError } from '@ziggie/llm-protocol/native';
import type { AnswerDecoder } from '../targets/target.ts';

/**
 * The reading half of an attempt: pieces of a body to text to records to events. Knows nothing of time or connections.
 *
 * Which framing it is, the content type says; where it says nothing (proxies forget it), the first characters do. Of an
 * event stream only the `data` means anything to us, so it is read here, line by line, as the other framing is.
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

export function answerReader(decoder: AnswerDecoder, contentType = ''): AnswerReader {
  // A byte order mark in the middle must stay what it is.
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const saysSse = /^\s*text\/event-stream/i.test(contentType);
  /** The last character, when it may go on in the next piece: then nothing is ever decoded twice, or by half. */
  let held = nothing;
  let failure: ProtocolError | undefined;
  /** Known with the first characters. */
  let isSse: boolean | undefined;
  let unfinished = '';
  /** What the `data` lines of an event say so far. */
  let data: string | undefined;
  /** The last text ended with a CR: an LF at the start of the next one belongs to it. */
  let endedWithCr = false;
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
    let text = given;
    length += text.length;
    if (length > MAX_ANSWER_BYTES) throw tooLarge('the answer', MAX_ANSWER_BYTES);
    if (isSse === undefined) {
      text = unfinished + text;
      unfinished = '';
      const start = text.trimStart();
      if (start === '' || (!saysSse && start.length < 7 && !/^\{|[:\n]/.test(start))) {
        // Blank lines keep a connection open; they tell nothing yet, however many there are.
        unfinished = text.slice(-99);
        return;
      }
      // A JSON body under the name of an event stream is what some servers answer when they fail.
      isSse = !start.startsWith('{') && (saysSse || /^(?:data|event|id|retry)?:/.test(start));
      // A byte order mark, and blank lines.
      text = isSse ? text.replace(/^\ufeff/, '') : start;
    }
    if (isSse && (endedWithCr || text.includes('\r'))) {
      if (endedWithCr && text.startsWith('\n')) text = text.slice(1);
      endedWithCr = text.endsWith('\r');
      text = text.replace(/\r\n?/g, '\n');
    }
    let from = 0;
    // Only what is new is searched, and a line is put together once.
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', from)) {
      const line = unfinished + text.slice(from, end);
      unfinished = '';
      from = end + 1;
      if (isSse) readField(line, events);
      else readRecord(line, events);
    }
    if (from < text.length) {
      unfinished += text.slice(from);
      check(unfinished);
    }
  }

  /** One line of an event stream (WHATWG HTML, "Interpreting an event stream"). */
  function readField(line: string, events: StreamEventBody[]): void {
    if (line === '') {
      const record = data;
      data = undefined;
      if (record !== undefined) readRecord(record, events);
    } else if (line.slice(0, 5) === 'data:' || line === 'data') {
      const more = line.slice(line.charCodeAt(5) === 0x20 ? 6 : 5);
      data = data === undefined ? more : `${data}\n${more}`;
      check(data);
    }
  }

  function readRecord(record: string, events: StreamEventBody[]): void {
    if (decoder.ended) return;
    check(record);
    // Blank lines, and what proxies put around records.
    const text = record.charCodeAt(record.length - 1) === 0x7d ? record : record.trim();
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

function check(record: string): void {
  if (record.length > MAX_RECORD_BYTES) throw tooLarge('a record', MAX_RECORD_BYTES);
}

/** @param what Is longer. */
function tooLarge(what: string, limit: number): ProtocolError {
  return new ProtocolError('response_too_large', `${what} is longer than ${limit}`);
}
