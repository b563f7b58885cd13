import type { Admission, Admitted } from './auth/credential-watch.ts';
import type { Clock } from './clock.ts';
import { KitFailure, shuttingDown } from './failure.ts';
import { OpenSet, type Slotted } from './open-set.ts';
import { Stop, type StopSignal } from './stop.ts';

/** Why an upstream is let go of when all is well. One for all: to make an error takes longer than to close a lease. */
const isOver = new KitFailure('aborted', 'The request is over.');

/** Every admitted request that is not over, and what it holds. */
export class LeaseBook {
  readonly #clock: Clock;
  readonly #isDraining: () => boolean;
  readonly #leases = new OpenSet<Lease>();
  readonly #waitForIdle: (() => void)[] = [];
  /** Called when a lease is opened. */
  onOpen: () => void = () => {};
  timers = 0;

  constructor(clock: Clock, isDraining: () => boolean) {
    this.#clock = clock;
    this.#isDraining = isDraining;
  }

  get active(): number {
    return this.#leases.size;
  }

  [Symbol.iterator](): Iterator<Lease> {
    return this.#leases[Symbol.iterator]();
  }

  /**
   * Opens a lease. It must be closed; `client` closing its connection does that.
   *
   * @param settle Called once, when the lease closes: the one place where what the request used is settled.
   * @param admission Who it is for: it ends when that is taken back.
   * @throws {KitFailure} `shutting_down` when a drain began while the body was arriving.
   */
  open(client: StopSignal, settle: () => void, admission?: Admission): Lease {
    if (this.#isDraining()) throw shuttingDown();
    const lease = new Lease(this.#clock, client, this, () => {
      settle();
      this.#leases.delete(lease);
      if (this.#leases.size === 0 && this.#waitForIdle.length > 0) this.#tellIdle();
    });
    lease.admission = admission;
    this.#leases.add(lease);
    this.onOpen();
    if (client.aborted) lease.leave();
    return lease;
  }

  /** Resolves when no lease is open. */
  async idle(): Promise<void> {
    if (this.#leases.size === 0) return;
    await new Promise<void>((resolve) => this.#waitForIdle.push(resolve));
  }

  #tellIdle(): void {
    for (const resolve of this.#waitForIdle.splice(0)) resolve();
  }

  /** Ends every open request with this failure. */
  failAll(failure: KitFailure): void {
    for (const lease of this.#leases) lease.fail(failure);
  }
}

/**
 * What one admitted request holds: what its limits gave it, its timers, its upstream. Closed in one place, once, however the
 * request ends.
 */
export class Lease implements Slotted, Admitted {
  slot = -1;
  admission: Admission | undefined;
  readonly #clock: Clock;
  readonly #client: StopSignal;
  readonly #book: LeaseBook;
  readonly #onClose: () => void;
  readonly #upstream = new Stop();
  readonly #cancels = new Set<() => void>();
  /** When the request was admitted, by the clock. */
  readonly openedAt: number;
  #closed = false;
  #failure: KitFailure | undefined;
  #hasLeft = false;

  constructor(clock: Clock, client: StopSignal, book: LeaseBook, onClose: () => void) {
    this.#clock = clock;
    this.#client = client;
    this.#book = book;
    this.#onClose = onClose;
    this.openedAt = clock.now();
    client.addEventListener('abort', this.leave, { once: true });
  }

  /** Aborts when the upstream must be closed. Its reason is a `KitFailure`. */
  get signal(): StopSignal {
    return this.#upstream;
  }

  /** Why the request must end, when it was ended from outside: a clock, a drain, or the client that left. */
  get failure(): KitFailure | undefined {
    return this.#failure;
  }

  /** Whether it is over and what it held was given back. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** Whether the client has gone. */
  get hasLeft(): boolean {
    return this.#hasLeft;
  }

  /** The result of work that others share and that therefore goes on, unless the request ends first. @throws {KitFailure} */
  async during<T>(work: T | Promise<T>): Promise<T> {
    const { signal } = this;
    if (!(work instanceof Promise)) return work;
    let stop = () => {};
    try {
      return await new Promise<T>((resolve, reject) => {
        stop = () => reject(signal.reason);
        if (signal.aborted) stop();
        else signal.addEventListener('abort', stop);
        work.then(resolve, reject);
      });
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /** Calls back once, unless the lease is closed before. */
  setTimer(callback: () => void, delayMs: number): () => void {
    if (this.#closed) return () => {};
    this.#book.timers++;
    const forget = () => {
      if (!this.#cancels.delete(cancel)) return;
      this.#book.timers--;
    };
    const cancelTimer = this.#clock.setTimer(() => {
      forget();
      callback();
    }, delayMs);
    const cancel = () => {
      cancelTimer();
      forget();
    };
    this.#cancels.add(cancel);
    return cancel;
  }

  /** From here on the client may leave without ending this; whoever calls it ends it. */
  outlive(): void {
    this.#client.removeEventListener('abort', this.leave);
  }

  /** Ends the request with a failure that its writer will tell. The first one counts. */
  fail(failure: KitFailure): void {
    if (this.#closed || this.#failure) return;
    this.#failure = failure;
    this.#upstream.abort(failure);
  }

  /** The client has gone: the upstream is closed at once. */
  readonly leave = (): void => {
    if (this.#closed) return;
    this.#hasLeft = true;
    this.#failure = new KitFailure('aborted', 'The client closed the connection.');
    this.#upstream.abort(this.#failure);
    this.close();
  };

  /** Gives everything back. Harmless when repeated. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#client.removeEventListener('abort', this.leave);
    for (const cancel of [...this.#cancels]) cancel();
    this.#upstream.abort(isOver);
    this.#onClose();
  }
}
