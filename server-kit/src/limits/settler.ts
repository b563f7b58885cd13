import type { Clock } from '../clock.ts';
import type { Logger } from '../log/logger.ts';
import type { Charge, LimitStore } from './limit-store.ts';

const retryMs = 2000;
const giveUpMs = 600_000;
const maxWaiting = 10_000;
/** A third of what a hold lives, so that two renewals may fail. */
const renewEveryMs = 30_000;

interface Waiting {
  charges: readonly Charge[];
  since: number;
}

/**
 * Ends holds and keeps the open ones alive. A store that is away gets what it missed when it is back, for ten minutes;
 * after that its own expiry has given the reservation back.
 */
export class Settler {
  readonly #store: LimitStore;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #open = new Set<string>();
  readonly #waiting = new Map<string, Waiting>();
  /** What the store has been told and has not confirmed. */
  readonly #onTheirWay = new Set<Promise<void>>();
  #cancelRetry: (() => void) | undefined;
  #cancelRenew: (() => void) | undefined;

  constructor(store: LimitStore, clock: Clock, logger: Logger) {
    this.#store = store;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** A hold that has to be kept alive until it is settled. */
  opened(holdId: string): void {
    this.#open.add(holdId);
    this.#cancelRenew ??= this.#clock.setTimer(() => this.#renew(), renewEveryMs);
  }

  settle(holdId: string, charges: readonly Charge[]): void {
    this.#open.delete(holdId);
    if (this.#open.size === 0) {
      this.#cancelRenew?.();
      this.#cancelRenew = undefined;
    }
    this.#try(holdId, charges, undefined);
  }

  /** Waits for what is on its way, tries once more for everything that is left, then forgets it. */
  async close(): Promise<void> {
    await Promise.all(this.#onTheirWay);
    this.#cancelRetry?.();
    this.#cancelRenew?.();
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    await Promise.allSettled(waiting.map(async ([id, { charges }]) => this.#store.settle(id, charges)));
  }

  /** @param waits What is known of one that was tried before. */
  #try(holdId: string, charges: readonly Charge[], waits: Waiting | undefined): void {
    let done: void | Promise<void>;
    try {
      done = this.#store.settle(holdId, charges);
    } catch {
      this.#keep(holdId, waits ?? { charges, since: this.#clock.now() });
      return;
    }
    if (done instanceof Promise) {
      const waiting = waits ?? { charges, since: this.#clock.now() };
      const told = done
        .then(
          () => void this.#waiting.delete(holdId),
          () => this.#keep(holdId, waiting),
        )
        .finally(() => this.#onTheirWay.delete(told));
      this.#onTheirWay.add(told);
    } else if (this.#waiting.size > 0) this.#waiting.delete(holdId);
  }

  #keep(holdId: string, waiting: Waiting): void {
    const isNew = !this.#waiting.has(holdId);
    if (this.#clock.now() - waiting.since > giveUpMs || (isNew && this.#waiting.size >= maxWaiting)) {
      this.#waiting.delete(holdId);
      this.#logger.error({ limits: waiting.charges.length }, 'What an answer used could not be charged.');
      return;
    }
    this.#waiting.set(holdId, waiting);
    this.#cancelRetry ??= this.#clock.setTimer(() => {
      this.#cancelRetry = undefined;
      for (const [id, one] of [...this.#waiting]) this.#try(id, one.charges, one);
    }, retryMs);
  }

  #renew(): void {
    this.#cancelRenew = undefined;
    if (this.#open.size === 0) return;
    this.#cancelRenew = this.#clock.setTimer(() => this.#renew(), renewEveryMs);
    // A failed renewal is made up for by the next one.
    Promise.resolve()
      .then(() => this.#store.renew([...this.#open]))
      .catch(() => {});
  }
}
