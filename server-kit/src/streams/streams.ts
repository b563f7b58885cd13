import { randomBytes } from 'node:crypto';
import type { AnswerRun } from '../answer/answer-run.ts';
import { EventStream } from '../answer/event-stream.ts';
import type { Rights } from '../auth/permissions.ts';
import type { Clock } from '../clock.ts';
import type { Principal } from '../kit-types.ts';
import type { Lease, LeaseBook } from '../lease.ts';
import { asUnavailable } from '../limits/limit-failure.ts';
import { LogReader } from './log-reader.ts';
import { type LogSource, OwnSource, SharedSource } from './log-source.ts';
import { type LoggedEnd, LoggedRun } from './logged-run.ts';
import { MemoryStreamStore } from './memory-stream-store.ts';
import { ownerKeyOf } from './owner-key.ts';
import { noStream, tooManyReaders } from './stream-failures.ts';
import type { ResumeSettings } from './stream-settings.ts';
import type { Eventually, StreamBounds, StreamHead, StreamStore } from './stream-store.ts';
import { writerLifeMs } from './stream-store.ts';

/** Connections that may read one answer at once in this process. */
const maxReaders = 16;

/** What {@link Streams} needs of the kit. */
export interface StreamsParts {
  leases: LeaseBook;
  clock: Clock;
  /** The store that processes share, when there is one. */
  shared: StreamStore | undefined;
  /** Bound of what this process keeps in memory. */
  maxBytes: number | undefined;
}

/** How a run is to be logged. */
export interface LogWish {
  id?: string | undefined;
  /** Outlives its readers for the grace. */
  isResumable: boolean;
  settings: ResumeSettings;
  heartbeatMs: number;
  /** The lease of the first reader. */
  readerLease: Lease;
  onOver?: ((end: LoggedEnd) => void) | undefined;
}

/** From where an answer is read, and how. */
export interface ReadWish {
  /** The last event that the reader has. */
  after: number;
  /** Of the reader; closed with it. */
  lease: Lease;
  settings: ResumeSettings;
  heartbeatMs: number;
  /** Waits until there is something to read. */
  waits?: boolean | undefined;
  onOver: (how: 'end' | 'left' | 'cut') => void;
}

/** A run in its log, and its first reader. */
export interface LoggedStart {
  stream: EventStream;
  reader: LogReader;
}

/** An answer that somebody may read. */
export interface FoundStream {
  id: string;
  head: StreamHead;
  /** Whether this process writes it, or has written it. */
  isOwn: boolean;
}

/** Every answer that can be come back to: those that this process writes, and those it can read from the shared store. */
export class Streams {
  readonly #parts: StreamsParts;
  readonly local: MemoryStreamStore;
  readonly #running = new Map<string, LoggedRun>();
  /** Runs whose last events are not in the shared store yet. */
  readonly #writing = new Set<LoggedRun>();
  readonly #readers = new Map<string, number>();
  #shared: StreamStore | undefined;
  #stopListening: (() => void) | undefined;
  #cancelRenew: (() => void) | undefined;
  #bounds: StreamBounds | undefined;

  constructor(parts: StreamsParts) {
    this.#parts = parts;
    this.#shared = parts.shared;
    this.local = new MemoryStreamStore(parts.clock, { maxBytes: parts.maxBytes });
  }

  /** The store that keys are claimed in: the shared one, so that they hold in every process. */
  get claims(): StreamStore {
    return this.#shared ?? this.local;
  }

  /** Another shared store, for answers that begin from now on. */
  share(store: StreamStore | undefined): void {
    if (store === this.#shared) return;
    this.#stopListening?.();
    this.#stopListening = undefined;
    this.#shared = store;
  }

  /** Begins to log a run. `undefined` when its owner has too many unfinished ones. */
  begin(run: AnswerRun, wish: LogWish): LoggedStart | undefined {
    const { clock } = this.#parts;
    const { settings, isResumable, heartbeatMs, readerLease, id = newStreamId() } = wish;
    const { bounds } = settings;
    const head = headOf(run);
    if (!this.local.open(id, head, bounds)) return undefined;
    const shared = this.#listening();
    const logged: LoggedRun = new LoggedRun({
      id,
      head,
      bounds,
      isResumable,
      lease: run.lease,
      local: this.local,
      shared,
      clock,
      heartbeatMs,
      onOver: (end) => {
        this.#running.delete(id);
        wish.onOver?.(end);
      },
      onWritten: () => this.#writing.delete(logged),
    });
    this.#running.set(id, logged);
    if (shared) this.#writing.add(logged);
    this.#bounds = bounds;
    this.#cancelRenew ??= clock.setTimer(this.#renew, writerLifeMs / 3);
    run.lease.outlive();
    const reader = logged.read(-1, readerLease);
    if (readerLease.signal.aborted) reader.leave();
    const stream = new EventStream(run, heartbeatMs, clock, { id, isResumable });
    logged.follow(stream);
    return { stream, reader };
  }

  /** Looks for an answer of this principal. @throws {KitFailure} `not_found`, or `store_unavailable`. */
  async find(id: string, principal: Principal, rights: Rights): Promise<FoundStream> {
    const own = this.local.find(id);
    const head = own ?? (await stored(() => this.#shared?.find(id)));
    if (head === undefined || head.ownerKey !== ownerKeyOf(principal)) throw noStream();
    if (!rights.mayUse('chat', head.model)) throw noStream();
    return { id, head, isOwn: own !== undefined };
  }

  /**
   * Reads an answer from the event after this one.
   *
   * @throws {KitFailure} `not_found` when there is nothing (any more) to read; the lease stays open then.
   */
  async read({ id, isOwn }: FoundStream, wish: ReadWish): Promise<LogReader> {
    const { after, lease, settings, heartbeatMs, onOver } = wish;
    const { bounds } = settings;
    const { clock } = this.#parts;
    if ((this.#readers.get(id) ?? 0) + (this.#running.get(id)?.readers ?? 0) >= maxReaders)
      throw tooManyReaders();
    const shared = this.#shared;
    if (!isOwn && shared === undefined) throw noStream();
    const source: LogSource = isOwn
      ? new OwnSource(this.local, id)
      : new SharedSource(shared as StreamStore, id, bounds, lease, clock);
    let page = await lease.during(Promise.resolve(source.read(after)));
    while (wish.waits && page?.events.length === 0 && page.writer === 'alive') {
      await lease.during(newsOf(source));
      page = await lease.during(Promise.resolve(source.read(after)));
    }
    if (page === undefined || (page.events.length === 0 && page.writer === 'done')) throw noStream();
    const running = this.#running.get(id);
    if (running) return running.read(after, lease, onOver);
    this.#count(id, 1);
    return new LogReader({
      id,
      source,
      after,
      lease,
      heartbeatMs,
      now: () => clock.now(),
      onOver: (how) => {
        this.#count(id, -1);
        onOver(how);
      },
    });
  }

  /** Ends an answer at once, wherever it is written. @throws {KitFailure} `not_found` when there is nothing to end. */
  async stop({ id, isOwn }: FoundStream): Promise<void> {
    const running = this.#running.get(id);
    if (running) {
      running.stop();
      return;
    }
    if (isOwn || !(await stored(() => this.#shared?.stop(id)))) throw noStream();
  }

  /** Makes room for an answer in the store that processes share, before anybody is told of it. @throws {KitFailure} */
  async announce(id: string, head: StreamHead, { bounds }: ResumeSettings): Promise<void> {
    await stored(() => this.claims.open(id, head, bounds));
  }

  /** As if there had never been such an answer. */
  async forget(id: string): Promise<void> {
    this.local.drop(id);
    await stored(() => this.#shared?.drop(id)).catch(() => {});
  }

  /** Writes what is left to the shared store, and forgets everything. */
  async close(): Promise<void> {
    this.#cancelRenew?.();
    this.#stopListening?.();
    await Promise.all([...this.#writing].map((run) => run.close()));
    this.local.close();
  }

  /** The shared store, once it tells this process who wants what to stop. */
  #listening(): StreamStore | undefined {
    const shared = this.#shared;
    if (shared) this.#stopListening ??= shared.onStop((id) => this.#running.get(id)?.stop());
    return shared;
  }

  #count(id: string, by: number): void {
    const count = (this.#readers.get(id) ?? 0) + by;
    if (count > 0) this.#readers.set(id, count);
    else this.#readers.delete(id);
  }

  readonly #renew = (): void => {
    this.#cancelRenew = undefined;
    if (this.#running.size === 0 || this.#bounds === undefined) return;
    this.#cancelRenew = this.#parts.clock.setTimer(this.#renew, writerLifeMs / 3);
    const ids = [...this.#running.keys()];
    this.local.renew(ids);
    const bounds = this.#bounds;
    const shared = this.#shared;
    if (shared === undefined) return;
    // A renewal that fails is made up for by the next one.
    void Promise.resolve()
      .then(() => shared.renew(ids, bounds))
      .then((wanted) => {
        for (const id of wanted) this.#running.get(id)?.stop();
      })
      .catch(() => {});
  };
}

/** Whose a run is, and which model answers. */
function headOf({ context, request }: AnswerRun): StreamHead {
  return { ownerKey: ownerKeyOf(context.principal ?? { id: '' }), model: request.model };
}

/** An id that nobody guesses: 128 random bits. */
export function newStreamId(): string {
  return `run_${randomBytes(16).toString('hex')}`;
}

function newsOf(source: LogSource): Promise<void> {
  return new Promise((resolve) => {
    const stop = source.watch(() => {
      stop();
      resolve();
    });
  });
}

/** What a store says. @throws {KitFailure} `store_unavailable` */
export async function stored<T>(ask: () => Eventually<T>): Promise<T> {
  try {
    return await ask();
  } catch (thrown) {
    throw asUnavailable(thrown);
  }
}
