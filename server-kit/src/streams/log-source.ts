import type { Clock } from '../clock.ts';
import type { Lease } from '../lease.ts';
import { lostWriter } from './stream-failures.ts';
import type { Eventually, StreamBounds, StreamPage, StreamStore } from './stream-store.ts';

/** Where a reader gets the events of one answer. */
export interface LogSource {
  /** Events after this one. `undefined`: there is no such log any more, or not what comes after. */
  read(after: number): Eventually<StreamPage | undefined>;
  /** Calls back when there may be more. */
  watch(onNews: () => void): () => void;
}

/** A log that this process writes: its memory is always up to date, and its writer is here. */
export class OwnSource implements LogSource {
  readonly #store: StreamStore;
  readonly #id: string;

  constructor(store: StreamStore, id: string) {
    this.#store = store;
    this.#id = id;
  }

  read(after: number): Eventually<StreamPage | undefined> {
    return this.#store.read(this.#id, after, 0);
  }

  watch(onNews: () => void): () => void {
    return this.#store.watch(this.#id, onNews);
  }
}

/** How often a log of another process is looked at when nobody says that there is something, in ms. */
const lookEveryMs = 1000;
/** For how long a store may be away before its readers are sent away, in ms; they come back. */
const patienceMs = 10_000;

/** A log that another process writes: read from the store they share, and closed when that process is gone. */
export class SharedSource implements LogSource {
  readonly #store: StreamStore;
  readonly #id: string;
  readonly #bounds: StreamBounds;
  readonly #lease: Lease;
  readonly #clock: Clock;
  #goodAt: number;

  constructor(store: StreamStore, id: string, bounds: StreamBounds, lease: Lease, clock: Clock) {
    this.#store = store;
    this.#id = id;
    this.#bounds = bounds;
    this.#lease = lease;
    this.#clock = clock;
    this.#goodAt = clock.now();
  }

  async read(after: number): Promise<StreamPage | undefined> {
    try {
      const page = await this.#read(after);
      this.#goodAt = this.#clock.now();
      return page;
    } catch {
      const isPatient = this.#clock.now() - this.#goodAt < patienceMs;
      return isPatient ? { events: [], writer: 'alive', next: after + 1 } : undefined;
    }
  }

  async #read(after: number): Promise<StreamPage | undefined> {
    const { graceMs } = this.#bounds;
    const last = { ...lostWriter(), seq: after + 1 };
    let page = await this.#store.read(this.#id, after, graceMs);
    if (page?.writer === 'gone' && page.events.length === 0) {
      await this.#store.bury(this.#id, last, this.#bounds);
      page = await this.#store.read(this.#id, after, graceMs);
    }
    // What the reader saw last has never reached the store, and now it will not.
    return page?.writer === 'done' && page.next < last.seq ? { ...page, events: [last] } : page;
  }

  watch(onNews: () => void): () => void {
    let cancel = () => {};
    const look = () => {
      cancel = this.#lease.setTimer(() => {
        onNews();
        look();
      }, lookEveryMs);
    };
    look();
    const stop = this.#store.watch(this.#id, onNews);
    return () => {
      cancel();
      stop();
    };
  }
}
