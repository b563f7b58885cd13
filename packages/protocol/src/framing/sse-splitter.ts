import { createParser } from 'eventsource-parser';
import { MAX_RECORD_BYTES } from '../limits.ts';
import { ProtocolError } from '../protocol-error.ts';

/** Called for each event, with its data and its type (`message` unless the sender named one). */
export type OnSseEvent = (data: string, type: string) => void;

/**
 * Cuts text that arrives in pieces into server-sent events, as browsers do (WHATWG HTML, "Interpreting an event
 * stream"): comments skipped, line ends of all three kinds, several `data` lines joined, one byte order mark dropped.
 *
 * One thing differs on purpose, see {@link SseSplitter.end}.
 */
export class SseSplitter {
  /** What a reconnecting reader would send as `Last-Event-ID`: the id of the last event, empty before the first. */
  lastEventId = '';
  /** The last valid `retry` of the sender, in milliseconds. */
  retryMs: number | undefined;
  readonly #feed: (piece: string) => void;
  #onEvent: OnSseEvent = () => {};

  /** @param maxEventLength Longest event in UTF-16 units, 16 Mi by default. */
  constructor(maxEventLength: number = MAX_RECORD_BYTES) {
    const tooLong = (): never => {
      throw new ProtocolError(
        'response_too_large',
        `Reading a stream: one event is longer than ${maxEventLength} characters. ` +
          'Raise the limit if the sender is to be trusted with such events.',
      );
    };
    this.#feed = createParser({
      maxBufferSize: maxEventLength,
      onEvent: ({ data, event = 'message' }) => {
        if (data.length > maxEventLength) tooLong();
        this.#onEvent(data, event);
      },
      onId: (id) => {
        this.lastEventId = id;
      },
      onRetry: (retryMs) => {
        this.retryMs = retryMs;
      },
      // Unknown fields and bad numbers are to be ignored; the parser tells of them all the same.
      onError: ({ type }) => {
        if (type === 'max-buffer-size-exceeded') tooLong();
      },
    }).feed;
  }

  /**
   * Takes the next piece and calls `onEvent` for each event that ends in it.
   *
   * @throws {ProtocolError} `response_too_large` when an event is longer than `maxEventLength`.
   */
  push(piece: string, onEvent: OnSseEvent): void {
    this.#onEvent = onEvent;
    this.#feed(piece);
  }

  /**
   * Hands out a last event that had no blank line after it. Browsers drop it; model servers and relays forget the blank
   * line, and the event is then the end of an answer. Whoever reads it must check that it is whole.
   */
  end(onEvent: OnSseEvent): void {
    this.push('\n\n', onEvent);
  }
}
