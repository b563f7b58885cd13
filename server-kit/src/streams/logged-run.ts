import { isTerminal, type StreamEvent } from '@ziggie/llm-protocol';
import type { EventSink, EventStream } from '../answer/event-stream.ts';
import type { Clock } from '../clock.ts';
import type { Lease } from '../lease.ts';
import { sizeOfEvent } from './event-size.ts';
import { LogReader } from './log-reader.ts';
import { OwnSource } from './log-source.ts';
import type { MemoryStreamStore } from './memory-stream-store.ts';
import { SharedWriter } from './shared-writer.ts';
import { stopped } from './stream-failures.ts';
import type { StreamBounds, StreamHead, StreamStore } from './stream-store.ts';

/** How a run ended: with its last event, a good or a failed one, or without, since nobody waits for it any more. */
export type LoggedEnd = 'done' | 'failed' | 'left';

/** What {@link LoggedRun} needs. */
export interface LoggedRunOptions {
  id: string;
  head: StreamHead;
  bounds: StreamBounds;
  /** Whether it outlives its readers for the grace, once its first token is out. */
  isResumable: boolean;
  /** The run's; it lives as long as the run. */
  lease: Lease;
  local: MemoryStreamStore;
  shared: StreamStore | undefined;
  clock: Clock;
  heartbeatMs: number;
  onOver: (end: LoggedEnd) => void;
  /** Everything is in the shared store, too. */
  onWritten: () => void;
}

/**
 * A run whose events go into a log, and from there to any number of readers. It ends when its model does, when somebody
 * stops it, or when nobody reads it: before its first token at once, after it when the grace is over, if it is resumable.
 */
export class LoggedRun implements EventSink {
  readonly #options: LoggedRunOptions;
  readonly #readers = new Set<LogReader>();
  readonly #shared: SharedWriter | undefined;
  #stream: EventStream | undefined;
  #hasBegun = false;
  #end: LoggedEnd | undefined;
  #isOver = false;
  /** Bytes written since the fastest reader last had all of it. */
  #aheadBytes = 0;
  #cancelGrace: (() => void) | undefined;

  constructor(options: LoggedRunOptions) {
    const { id, head, bounds, shared, clock, onWritten } = options;
    this.#options = options;
    this.#shared =
      shared &&
      new SharedWriter({
        store: shared,
        id,
        head,
        bounds,
        clock,
        onStop: () => this.stop(),
        onIdle: onWritten,
      });
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** Takes the events of a run from here on. */
  follow(stream: EventStream): void {
    this.#stream = stream;
    stream.attach(this);
  }

  /** Somebody reads from the event after this one. `lease` is the reader's own. */
  read(after: number, lease: Lease, onOver: (how: 'end' | 'left' | 'cut') => void = () => {}): LogReader {
    const { id, local, heartbeatMs, clock } = this.#options;
    this.#cancelGrace?.();
    this.#cancelGrace = undefined;
    const reader = new LogReader({
      id,
      source: new OwnSource(local, id),
      after,
      lease,
      heartbeatMs,
      now: () => clock.now(),
      onWaiting: this.#onWaiting,
      onOver: (how) => {
        this.#readers.delete(reader);
        onOver(how);
        this.#readerOver();
      },
    });
    this.#readers.add(reader);
    return reader;
  }

  /** Ends it at once, for all its readers, with a typed error. */
  stop(): void {
    this.#options.lease.fail(stopped());
  }

  write(events: readonly StreamEvent[]): void {
    const { local, id, bounds } = this.#options;
    let bytes = 0;
    for (const event of events) {
      bytes += sizeOfEvent(event);
      if (event.type === 'text-delta' || event.type === 'thinking-delta' || event.type === 'tool-call') {
        this.#hasBegun = true;
      }
      if (isTerminal(event)) this.#end = event.type === 'done' ? 'done' : 'failed';
    }
    this.#aheadBytes += bytes;
    this.#shared?.append(events);
    // Half of the log is for what has not been read; what comes at once and needs more must not push that out.
    const isLarge = bytes > bounds.maxBytes / 2;
    local.append(id, events, isLarge ? { ...bounds, maxBytes: bounds.maxBytes + bytes } : bounds);
    if (this.#end === undefined) this.#pullOn();
  }

  /** Readers have heartbeats of their own. */
  beat(): void {}

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { local, shared, id, onOver, onWritten } = this.#options;
    this.#cancelGrace?.();
    if (this.#end === undefined) {
      // Nothing that anybody could come back to: it is as if it had never been.
      local.drop(id);
      void Promise.resolve(shared?.drop(id)).catch(() => {});
    }
    onOver(this.#end ?? 'left');
    if (this.#shared) this.#shared.end();
    else onWritten();
  }

  /** Writes what the shared store does not have yet, if it can. */
  async close(): Promise<void> {
    await this.#shared?.close();
  }

  readonly #onWaiting = (): void => {
    this.#aheadBytes = 0;
    this.#stream?.pull();
  };

  /** On, unless those who read are so far behind that the log would begin to lose what they have not seen. */
  #pullOn(): void {
    const { bounds } = this.#options;
    if (this.#readers.size === 0 || this.#aheadBytes < bounds.maxBytes / 2) this.#stream?.pull();
  }

  #readerOver(): void {
    if (this.#readers.size > 0 || this.#end !== undefined || this.#isOver) return;
    if (!this.#hasBegun || !this.#options.isResumable) {
      this.#options.lease.leave();
      return;
    }
    this.#aheadBytes = 0;
    this.#wait(this.#options.bounds.graceMs);
    this.#stream?.pull();
  }

  #wait(graceMs: number): void {
    this.#cancelGrace = this.#options.lease.setTimer(() => void this.#onGrace(), graceMs);
  }

  async #onGrace(): Promise<void> {
    const { shared, id, lease } = this.#options;
    this.#cancelGrace = undefined;
    let stayMs = 0;
    try {
      if (shared && !this.#shared?.isLost) stayMs = await shared.readersStayMs(id);
    } catch {
      // Nobody can be reading from a store that is away.
    }
    if (this.#readers.size > 0 || this.#isOver) return;
    if (stayMs > 0) this.#wait(stayMs);
    else lease.leave();
  }
}
