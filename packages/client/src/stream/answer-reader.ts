import {
  MAX_ANSWER_BYTES,
  MAX_RECORD_BYTES,
  type SseSplitter,
  type StreamEventBody,
} from '@ziggie/llm-protocol';
import type { AnswerDecoder } from '../targets/target.ts';
import { tooLarge, Utf8Lines } from './utf8-lines.ts';

const eventStream = /^\s*text\/event-stream/i;

/**
 * The reading half of an attempt: pieces of a body to text to records to events. Knows nothing of time or connections.
 *
 * Which framing it is, the content type says; where it says nothing (proxies forget it), the first character does.
 */
export class AnswerReader {
  /** Text of an event stream that waits for what splits it: give that to `splitWith`. */
  held = '';
  readonly #decoder: AnswerDecoder;
  readonly #bytes = new Utf8Lines();
  readonly #isSse: boolean;
  #framing: 'lines' | 'sse' | undefined;
  #sse: SseSplitter | undefined;
  #unfinished = '';
  #length = 0;
  #events: StreamEventBody[] = [];
  readonly #onRecord = (record: string): void => this.#record(record);

  constructor(decoder: AnswerDecoder, contentType: string | undefined) {
    this.#decoder = decoder;
    this.#isSse = eventStream.test(contentType ?? '');
  }

  /** Whether the terminal record was seen. */
  get ended(): boolean {
    return this.#decoder.ended;
  }

  /**
   * Adds the events of the next piece.
   *
   * @throws {ProtocolError} when it cannot be read. The events before that are added all the same.
   */
  push(piece: Uint8Array | string, events: StreamEventBody[]): void {
    this.#take(typeof piece === 'string' ? piece : this.#bytes.push(piece), events);
  }

  /** Adds what a last record without a line end says, and what only the end of the body tells. */
  end(events: StreamEventBody[]): void {
    this.#take(this.#bytes.end(), events);
    if (this.held !== '') return;
    this.#sse?.end(this.#onRecord);
    if (this.#unfinished !== '') this.#lines('\n');
    this.#decoder.end?.(events);
  }

  /** Adds the events of the text that was held. */
  splitWith(splitter: SseSplitter, events: StreamEventBody[]): void {
    const text = this.held;
    this.held = '';
    this.#sse = splitter;
    this.#events = events;
    splitter.push(text, this.#onRecord);
  }

  #take(text: string, events: StreamEventBody[]): void {
    this.#events = events;
    if (text !== '') this.#text(text);
    if (this.#bytes.failure) throw this.#bytes.failure;
  }

  #text(text: string): void {
    this.#length += text.length;
    if (this.#length > MAX_ANSWER_BYTES) throw tooLarge('the answer', MAX_ANSWER_BYTES);
    if (this.#framing === 'lines') this.#lines(text);
    else if (this.#sse) this.#sse.push(text, this.#onRecord);
    else if (this.#framing) this.held += text;
    else {
      this.#framing = this.#framingOf(text);
      // A byte order mark, and blank lines.
      if (this.#framing === 'lines') this.#lines(text.trimStart());
      else if (this.#framing) this.held = text;
    }
  }

  #framingOf(text: string): 'lines' | 'sse' | undefined {
    const start = text.trimStart();
    // Blank lines keep a connection open; they tell nothing yet.
    if (start === '' && !this.#isSse) return undefined;
    // A JSON body under the name of an event stream is what some servers answer when they fail.
    if (!start.startsWith('{') && (this.#isSse || /^(?:data|event|id|retry)?:/.test(start))) return 'sse';
    this.#bytes.endsWithCr = false;
    return 'lines';
  }

  #lines(given: string): void {
    const text = this.#unfinished === '' ? given : this.#unfinished + given;
    let from = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', from)) {
      this.#record(text.slice(from, end));
      from = end + 1;
    }
    this.#unfinished = from === text.length ? '' : text.slice(from);
  }

  #record(record: string): void {
    if (this.#decoder.ended) return;
    if (record.length > MAX_RECORD_BYTES) throw tooLarge('a record', MAX_RECORD_BYTES);
    // Blank lines, and what proxies put around records.
    const text = record.charCodeAt(record.length - 1) === 0x7d ? record : record.trim();
    if (text !== '') this.#decoder.read(text, this.#events);
  }
}
