import { MAX_ANSWER_BYTES } from '@ziggie/llm-protocol/native';
import { StreamError } from '../errors/stream-error.ts';
import type { ByteSource, Piece } from '../http/transport.ts';

/**
 * Events the server may send before more are asked for. As many may wait here and as many with the reader, so at most 64
 * events are read ahead.
 */
export const CREDIT = 32;

/**
 * Events that may wait for their reader when a server sends without being asked. What stands for no part of the answer
 * (places in line, heartbeats) needs no credit, so it is well above that. Together they are no longer than a whole answer.
 */
const MAX_WAITING = 1024;

/** What a request needs of its socket. */
export interface RequestHost {
  /** Lets the server send so many events more. */
  grant(id: string, credit: number): void;
  /** The request is over for this side; the server is told unless it knows. */
  leave(id: string, isDone: boolean): void;
}

/** The answer to one request of a socket: lines wait here until they are read, and only then are more asked for. */
export class SocketRequest implements ByteSource {
  readonly id: string;
  readonly #host: RequestHost;
  #lines: string[] = [];
  #length = 0;
  #received = 0;
  #taken = 0;
  #state: 'open' | 'done' | 'left' = 'open';
  #failure: Error | undefined;
  #waiting: { resolve: (piece: Piece) => void; reject: (error: Error) => void } | undefined;
  #onFirst: (() => void) | undefined;

  constructor(id: string, host: RequestHost) {
    this.id = id;
    this.#host = host;
  }

  /** How many events have come. */
  get received(): number {
    return this.#received;
  }

  /** Resolves with the first event, or rejects with what came instead. */
  begun(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onFirst = () => (this.#failure ? reject(this.#failure) : resolve());
      if (this.#received > 0 || this.#failure) this.#onFirst();
    });
  }

  /** An event of the wire, as JSON. */
  receive(event: string): void {
    if (this.#state !== 'open') return;
    this.#received++;
    this.#lines.push(event);
    this.#length += event.length;
    if (this.#lines.length > MAX_WAITING || this.#length > MAX_ANSWER_BYTES) {
      const receivedEvents = this.#received;
      this.#leave(
        new StreamError('response_too_large', 'The server sent far more events than it was asked for.', {
          receivedEvents,
        }),
      );
      return;
    }
    this.#onFirst?.();
    this.#settle();
  }

  /** No more events will come. */
  fail(error: Error): void {
    if (this.#state === 'left') return;
    this.#failure ??= error;
    this.#onFirst?.();
    this.#settle();
  }

  read(): Promise<Piece> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#settle();
    });
  }

  close(): void {
    if (this.#state === 'open') this.#leave(new Error('The request was left.'));
  }

  #leave(why: Error): void {
    this.#state = 'left';
    this.#lines = [];
    this.#failure = why;
    this.#host.leave(this.id, false);
    this.#onFirst?.();
    this.#settle();
  }

  #settle(): void {
    const waiting = this.#waiting;
    if (!waiting) return;
    if (this.#lines.length > 0) {
      const lines = this.#lines;
      this.#lines = [];
      this.#length = 0;
      this.#waiting = undefined;
      this.#take(lines);
      waiting.resolve({ value: `${lines.join('\n')}\n` });
    } else if (this.#state === 'done') {
      this.#waiting = undefined;
      waiting.resolve({});
    } else if (this.#failure) {
      this.#waiting = undefined;
      waiting.reject(this.#failure);
    }
  }

  #take(lines: readonly string[]): void {
    const last = lines.at(-1) ?? '';
    if (isTerminalEvent(last)) {
      this.#state = 'done';
      this.#host.leave(this.id, true);
      return;
    }
    this.#taken += lines.length;
    // Not for every event: a frame of ours for each of theirs would double the traffic.
    if (this.#taken < CREDIT / 2) return;
    this.#host.grant(this.id, this.#taken);
    this.#taken = 0;
  }
}

/** Whether an event ends its stream. One in an unusual form is noticed later, when its reader closes the request. */
function isTerminalEvent(event: string): boolean {
  return /^\{(?:"seq":\d+,)?"type":"(?:done|error)"/.test(event);
}
