import {
  MAX_ANSWER_BYTES,
  NdjsonSplitter,
  ProtocolError,
  SSE_CONTENT_TYPE,
  SseSplitter,
  type StreamEventBody,
} from '@ziggie/llm-protocol';
import type { AnswerDecoder } from '../targets/target.ts';
import { Utf8Lines } from './utf8-lines.ts';

/**
 * The reading half of an attempt: pieces of a body to text to records to events. Knows nothing of time or connections.
 *
 * Which framing it is, the content type says; where it says nothing (proxies forget it), the first character does.
 */
export class AnswerReader {
  readonly #decoder: AnswerDecoder;
  readonly #bytes = new Utf8Lines();
  readonly #isSse: boolean;
  #splitter: NdjsonSplitter | SseSplitter | undefined;
  #length = 0;
  #events: StreamEventBody[] = [];
  readonly #onText = (text: string): void => this.#text(text);
  readonly #onRecord = (record: string): void => this.#record(record);

  constructor(decoder: AnswerDecoder, contentType: string | undefined) {
    this.#decoder = decoder;
    this.#isSse = contentType?.trimStart().toLowerCase().startsWith(SSE_CONTENT_TYPE) ?? false;
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
    this.#events = events;
    if (typeof piece === 'string') this.#text(piece);
    else this.#bytes.push(piece, this.#onText);
  }

  /** Adds what a last record without a line end says, and what only the end of the body tells. */
  end(events: StreamEventBody[]): void {
    this.#events = events;
    const rest = this.#bytes.end();
    if (rest !== '') this.#text(rest);
    this.#splitter?.end(this.#onRecord);
    this.#decoder.end?.(events);
  }

  #text(text: string): void {
    if (this.#splitter === undefined) {
      this.#splitter = this.#splitterFor(text);
      this.#bytes.endsWithCr = !(this.#splitter instanceof NdjsonSplitter);
    }
    this.#splitter?.push(text, this.#onRecord);
  }

  #splitterFor(text: string): NdjsonSplitter | SseSplitter | undefined {
    const start = text.trimStart();
    // A JSON body under the name of an event stream is what some servers answer when they fail.
    if (start.startsWith('{')) return new NdjsonSplitter();
    if (this.#isSse) return new SseSplitter();
    // Blank lines keep a connection open; they tell nothing yet.
    if (start === '') return undefined;
    return /^(?:data|event|id|retry)?:/.test(start) ? new SseSplitter() : new NdjsonSplitter();
  }

  #record(record: string): void {
    if (this.#decoder.ended) return;
    this.#length += record.length;
    if (this.#length > MAX_ANSWER_BYTES) {
      throw new ProtocolError(
        'response_too_large',
        `the answer is longer than ${MAX_ANSWER_BYTES} characters`,
      );
    }
    this.#decoder.read(record, this.#events);
  }
}
