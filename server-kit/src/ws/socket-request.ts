import { isTerminal, type StreamEvent } from '@ziggie/llm-protocol';
import type { EventSink } from '../answer/event-stream.ts';
import { failureEvent, KitFailure } from '../failure.ts';
import type { EventFeed } from '../streams/event-feed.ts';

/** How events are written on the socket; `undefined` for one that this form has no word for. */
export type EncodeFrame = (event: StreamEvent) => string | undefined;

/** What one request needs of its socket. */
export interface Outlet {
  send(text: string): void;
  /** Whether the socket takes more before what was sent has gone. */
  readonly hasRoom: boolean;
  /** The request is over, its id is free again. */
  onOver(): void;
  /** Begins the time after which a reader that takes nothing counts as gone; gives how to end it. */
  startStallTimer(onStall: () => void): () => void;
}

/**
 * One request of a socket: writes its events as far as the reader has given credit and the socket has room, and asks the
 * run for no more than that, so a slow reader slows the model server and nobody else.
 */
export class SocketRequest implements EventSink {
  readonly #outlet: Outlet;
  readonly #encode: EncodeFrame;
  readonly #leaving = new AbortController();
  readonly id: string;
  #credit: number;
  #queue: StreamEvent[] = [];
  #stream: EventFeed | undefined;
  #nextSeq = 0;
  #over = false;
  #cancelStallTimer: (() => void) | undefined;

  constructor(id: string, credit: number, outlet: Outlet, encode: EncodeFrame) {
    this.id = id;
    this.#credit = credit;
    this.#outlet = outlet;
    this.#encode = encode;
  }

  /** Aborts when the reader has gone. */
  get signal(): AbortSignal {
    return this.#leaving.signal;
  }

  /** It goes on after this event, so that its own failure is numbered right. */
  after(seq: number): void {
    this.#nextSeq = seq + 1;
  }

  /** The run's events are here. */
  begin(stream: EventFeed): void {
    this.#stream = stream;
    stream.attach(this);
  }

  /** The reader takes this many events more. */
  grant(credit: number): void {
    this.#credit = Math.min(this.#credit + credit, Number.MAX_SAFE_INTEGER);
    this.flush();
  }

  write(events: readonly StreamEvent[]): void {
    if (this.#over) return;
    this.#queue.push(...events);
    this.flush();
  }

  /** The socket's own pings are its sign of life. */
  beat(): void {}

  /** An answer that goes away without its last event is a broken one, and the socket has no other way to say so. */
  end(): void {
    const last = this.#queue.at(-1);
    if (this.#over || (last && isTerminal(last))) return;
    this.fail(new KitFailure('truncated', 'The answer broke off here. Come back for the rest.'), this.id);
  }

  /** Sends what may be sent, and asks for more when there is room for it. */
  flush(): void {
    if (this.#over) return;
    let sent = 0;
    for (const event of this.#queue) {
      const terminal = isTerminal(event);
      if (!terminal && this.#credit === 0) break;
      if (!terminal) this.#credit--;
      sent++;
      this.#send(event);
      if (terminal) {
        this.#finish();
        return;
      }
    }
    if (sent > 0) {
      this.#queue.splice(0, sent);
      this.#endStall();
    }
    if (this.#credit > 0 && this.#outlet.hasRoom) this.#stream?.pull();
    // Whoever takes nothing holds a place that others wait for.
    if (this.#credit === 0) this.#cancelStallTimer ??= this.#outlet.startStallTimer(this.#onStall);
    else this.#endStall();
  }

  /** The request ends with a failure: one that came before its first event, or the reader's own wish. */
  fail(failure: KitFailure, requestId: string): void {
    if (this.#over) return;
    this.#send({ ...failureEvent(failure, requestId), seq: this.#nextSeq });
    this.leave();
  }

  /** The reader has gone: the model server is let go at once and nothing more is written. */
  leave(): void {
    this.#finish();
    this.#leaving.abort(new DOMException('The reader has gone.', 'AbortError'));
  }

  /** Called when the reader has given no credit for too long. */
  onStall: () => void = () => {};
  readonly #onStall = (): void => this.onStall();

  #send(event: StreamEvent): void {
    this.#nextSeq = event.seq + 1;
    const text = this.#encode(event);
    if (text !== undefined) this.#outlet.send(text);
  }

  #endStall(): void {
    this.#cancelStallTimer?.();
    this.#cancelStallTimer = undefined;
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#queue = [];
    this.#endStall();
    this.#outlet.onOver();
  }
}
