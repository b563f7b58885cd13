import { isTerminal, type StreamEvent } from '@ziggie/llm-protocol';
import type { EventSink } from '../answer/event-stream.ts';
import { failureEvent, type KitFailure } from '../failure.ts';
import type { Lease } from '../lease.ts';
import type { EventFeed } from './event-feed.ts';
import type { LogSource } from './log-source.ts';
import type { StreamPage } from './stream-store.ts';

/** What a reader of a log needs. */
export interface LogReaderOptions {
  id: string;
  source: LogSource;
  /** Number of the last event that the reader has. */
  after: number;
  /** The reader's own; closed when it is over. */
  lease: Lease;
  heartbeatMs: number;
  /** Monotonic milliseconds. */
  now: () => number;
  /** Called when the reader waits for what is not written yet. */
  onWaiting?: (() => void) | undefined;
  /** Called once: it has read the last event, has left, or was cut off. */
  onOver: (how: 'end' | 'left' | 'cut') => void;
}

/**
 * Reads a log from any event on, and goes on with what is written meanwhile, to the last event. A log that goes away under
 * it ends the connection without one: that is a broken answer for every client, which comes back and is told.
 */
export class LogReader implements EventFeed {
  readonly id: string;
  readonly #options: LogReaderOptions;
  readonly #stopWatching: () => void;
  #sink: EventSink | undefined;
  #after: number;
  #pulling = false;
  #reading = false;
  #hasNews = false;
  #over = false;
  #cutOff = false;
  /** How it was ended for this reader alone, to be told once there is a sink. */
  #ownEnd: StreamEvent | undefined;
  #lastWriteAt: number;

  constructor(options: LogReaderOptions) {
    this.id = options.id;
    this.#options = options;
    this.#after = options.after;
    this.#lastWriteAt = options.now();
    this.#stopWatching = options.source.watch(this.#onNews);
    options.lease.signal.addEventListener('abort', this.#onAbort, { once: true });
    this.#beat(options.heartbeatMs);
  }

  /** Whether it has asked for more than there is. */
  get isWaiting(): boolean {
    return this.#pulling && !this.#reading;
  }

  /** Number of the last event that it has handed on. */
  get after(): number {
    return this.#after;
  }

  attach(sink: EventSink): void {
    this.#sink = sink;
    if (this.#cutOff) {
      if (this.#ownEnd) sink.write([this.#ownEnd]);
      sink.end();
    } else this.pull();
  }

  readonly pull = (): void => {
    if (this.#pulling || this.#over || this.#sink === undefined) return;
    this.#pulling = true;
    this.#read();
  };

  #read(): void {
    this.#reading = true;
    this.#hasNews = false;
    const page = this.#options.source.read(this.#after);
    if (page instanceof Promise) page.then(this.#take, () => this.#cut());
    else this.#take(page);
  }

  readonly #take = (page: StreamPage | undefined): void => {
    this.#reading = false;
    if (this.#over) return;
    if (page === undefined) this.#cut();
    else if (page.events.length > 0) this.#write(page.events);
    else if (page.writer === 'done') this.#cut();
    else if (this.#hasNews) this.#read();
    else this.#options.onWaiting?.();
  };

  #write(events: readonly StreamEvent[]): void {
    const last = events.at(-1) as StreamEvent;
    this.#after = last.seq;
    this.#lastWriteAt = this.#options.now();
    // Before the write: a sink with room asks for more while it takes this.
    this.#pulling = false;
    this.#sink?.write(events);
    if (isTerminal(last) && this.#close('end')) this.#sink?.end();
  }

  readonly #onNews = (): void => {
    this.#hasNews = true;
    if (this.#pulling && !this.#reading && !this.#over) this.#read();
  };

  #beat(delayMs: number): void {
    const { lease, heartbeatMs, now } = this.#options;
    lease.setTimer(() => {
      const restMs = heartbeatMs - (now() - this.#lastWriteAt);
      if (restMs <= 0) {
        this.#sink?.beat();
        this.#lastWriteAt = now();
      }
      this.#beat(restMs > 0 ? restMs : heartbeatMs);
    }, delayMs);
  }

  readonly #onAbort = (): void => {
    const { hasLeft, failure } = this.#options.lease;
    if (hasLeft) this.leave();
    else this.#cut(failure);
  };

  readonly leave = (): void => {
    if (this.#close('left')) this.#sink?.end();
  };

  /**
   * Ends the connection. Without a last event, so that whoever can comes back; a reader whose credential was taken back is
   * told.
   */
  #cut(failure?: KitFailure): void {
    if (!this.#close('cut')) return;
    this.#cutOff = true;
    if (failure?.code === 'unauthorized') {
      const { requestId = '' } = this.#options.lease.admission ?? {};
      this.#ownEnd = { ...failureEvent(failure, requestId), seq: this.#after + 1 };
      this.#sink?.write([this.#ownEnd]);
    }
    this.#sink?.end();
  }

  #close(how: 'end' | 'left' | 'cut'): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#stopWatching();
    const { lease, onOver } = this.#options;
    lease.close();
    onOver(how);
    return true;
  }
}
