import { MAX_ANSWER_BYTES, MAX_RECORD_BYTES, type StreamEventBody } from '@ziggie/llm-protocol';
import type { AnswerDecoder } from '../targets/target.ts';
import { tooLarge, utf8Lines } from './utf8-lines.ts';

/**
 * The reading half of an attempt: pieces of a body to text to records to events. Knows nothing of time or connections.
 *
 * Which framing it is, the content type says; where it says nothing (proxies forget it), the first character does. Of an
 * event stream only the `data` means anything to us, so it is read here, line by line, as the other framing is.
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

export function answerReader(decoder: AnswerDecoder, contentType = ''): AnswerReader {
  const bytes = utf8Lines();
  const saysSse = /^\s*text\/event-stream/i.test(contentType);
  /** Known with the first text. */
  let isSse: boolean | undefined;
  let unfinished = '';
  /** What the `data` lines of an event say so far. */
  let data: string | undefined;
  /** The last text ended with a CR: an LF at the start of the next one belongs to it. */
  let endedWithCr = false;
  let length = 0;

  function push(piece: Uint8Array | string, events: StreamEventBody[]): void {
    const text = typeof piece === 'string' ? piece : bytes.push(piece);
    if (text !== '') read(text, events);
    if (bytes.failure) throw bytes.failure;
  }

  function read(given: string, events: StreamEventBody[]): void {
    let text = given;
    length += text.length;
    if (length > MAX_ANSWER_BYTES) throw tooLarge('the answer', MAX_ANSWER_BYTES);
    if (isSse === undefined) {
      const start = text.trimStart();
      // Blank lines keep a connection open; they tell nothing yet.
      if (start === '') return;
      // A JSON body under the name of an event stream is what some servers answer when they fail.
      isSse = !start.startsWith('{') && (saysSse || /^(?:data|event|id|retry)?:/.test(start));
      bytes.endsWithCr = isSse;
      // A byte order mark, and blank lines.
      text = isSse ? text.replace(/^\ufeff/, '') : start;
    }
    if (isSse && (endedWithCr || text.includes('\r'))) {
      if (endedWithCr && text.startsWith('\n')) text = text.slice(1);
      endedWithCr = text.endsWith('\r');
      text = text.replace(/\r\n?/g, '\n');
    }
    if (unfinished !== '') text = unfinished + text;
    let from = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', from)) {
      const line = text.slice(from, end);
      if (isSse) readField(line, events);
      else readRecord(line, events);
      from = end + 1;
    }
    unfinished = from === text.length ? '' : text.slice(from);
  }

  /** One line of an event stream (WHATWG HTML, "Interpreting an event stream"). */
  function readField(line: string, events: StreamEventBody[]): void {
    if (line === '') {
      const record = data;
      data = undefined;
      if (record !== undefined) readRecord(record, events);
    } else if (line.startsWith('data') && (line[4] ?? ':') === ':') {
      const more = line.slice(line[5] === ' ' ? 6 : 5);
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
      push(`${bytes.end()}\n\n`, events);
      decoder.end?.(events);
    },
  };
}

function check(record: string): void {
  if (record.length > MAX_RECORD_BYTES) throw tooLarge('a record', MAX_RECORD_BYTES);
}
