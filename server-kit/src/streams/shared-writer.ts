import type { StreamEvent } from '@ziggie/llm-protocol';
import type { Clock } from '../clock.ts';
import { sizeOfEvent } from './event-size.ts';
import type { StreamBounds, StreamHead, StreamStore } from './stream-store.ts';

/** Events that go to the store in one call. */
const batch = 256;
/** A store that is away is tried again after this time, in ms. */
const retryMs = 500;

/** What {@link SharedWriter} needs. */
export interface SharedWriterOptions {
  store: StreamStore;
  id: string;
  head: StreamHead;
  bounds: StreamBounds;
  clock: Clock;
  /** Somebody asked in another process to stop this answer. */
  onStop: () => void;
  /** Nothing is left to be written, and nothing more will come. */
  onIdle: () => void;
}

/**
 * Copies the log of a run to the store that processes share, behind the run: a token never waits for the store, and a store
 * that is away for a moment gets later what it missed. One that is away for longer than the bound of the log has that
 * answer no more; the answer itself goes on.
 */
export class SharedWriter {
  readonly #options: SharedWriterOptions;
  #pending: StreamEvent[] = [];
  #bytes = 0;
  #isOpen = false;
  #busy = false;
  /** When the last writing is over. */
  #written: Promise<void> | undefined;
  #isLost = false;
  #hasEnded = false;
  #cancelRetry: (() => void) | undefined;

  constructor(options: SharedWriterOptions) {
    this.#options = options;
    this.#flush();
  }

  /** Whether it keeps up: it has not given the answer up. */
  get isLost(): boolean {
    return this.#isLost;
  }

  append(events: readonly StreamEvent[]): void {
    if (this.#isLost) return;
    for (const event of events) {
      this.#pending.push(event);
      this.#bytes += sizeOfEvent(event);
    }
    if (this.#bytes > this.#options.bounds.maxBytes) this.#lose();
    else this.#flush();
  }

  /** Nothing more will come. */
  end(): void {
    this.#hasEnded = true;
    this.#idleWhenDone();
  }

  /** Waits for what is on its way, tries once more where that has failed, and gives up what is left. */
  async close(): Promise<void> {
    await this.#written;
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    this.#flush();
    await this.#written;
    this.#lose();
  }

  #flush(): void {
    if (this.#busy || this.#isLost || this.#cancelRetry) return;
    this.#busy = true;
    this.#written = this.#write();
  }

  /** Writes what there is, and what comes meanwhile. */
  async #write(): Promise<void> {
    const { store, id, head, bounds, onStop, clock } = this.#options;
    try {
      if (!this.#isOpen) {
        if (!(await store.open(id, head, bounds))) this.#lose();
        this.#isOpen = true;
      }
      while (this.#pending.length > 0 && !this.#isLost) {
        const events = this.#pending.slice(0, batch);
        const news = await store.append(id, events, bounds);
        this.#pending.splice(0, events.length);
        for (const event of events) this.#bytes -= sizeOfEvent(event);
        if (news === 'stop') onStop();
        else if (news === 'lost') this.#lose();
      }
    } catch {
      this.#cancelRetry ??= clock.setTimer(() => {
        this.#cancelRetry = undefined;
        this.#flush();
      }, retryMs);
    } finally {
      this.#busy = false;
      this.#idleWhenDone();
    }
  }

  #lose(): void {
    this.#isLost = true;
    this.#pending = [];
    this.#bytes = 0;
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    this.#idleWhenDone();
  }

  #idleWhenDone(): void {
    if (this.#hasEnded && this.#pending.length === 0 && !this.#busy) this.#options.onIdle();
  }
}
