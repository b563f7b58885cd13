import type { Clock } from '../types.ts';
import type { ConversationRecord, ConversationStorage } from './storage-port.ts';

/** Shortest time between two saves while an answer is written: what a crash of the page can cost. */
export const SAVE_INTERVAL_MS = 1000;

interface SaverOptions {
  id: string;
  storage: ConversationStorage;
  clock: Clock;
  /** Taken when a save begins, so that it holds the newest state. */
  snapshot: () => ConversationRecord;
  /** Called after each save with its outcome: a failure, or what the storage made of it together with others' changes. */
  onSaved: (error: unknown | undefined, kept: ConversationRecord | undefined) => void;
}

/** Writes to the storage one operation after the other: a save that is under way never overtakes a removal. */
export class Saver {
  readonly #options: SaverOptions;
  #tail: Promise<void> = Promise.resolve();
  /** The save that waits for its turn; a newer wish is served by it. */
  #waiting: object | null = null;
  #cancelTimer: (() => void) | null = null;

  constructor(options: SaverOptions) {
    this.#options = options;
  }

  /** Saves within a second, once for all wishes until then. */
  soon(): void {
    if (this.#waiting !== null) return;
    this.#cancelTimer ??= this.#options.clock.setTimer(() => this.now(), SAVE_INTERVAL_MS);
  }

  /** Saves as soon as earlier operations are through. */
  now(): void {
    this.#clearTimer();
    if (this.#waiting !== null) return;
    const ticket = {};
    this.#waiting = ticket;
    this.#tail = this.#tail.then(async () => {
      if (this.#waiting !== ticket) return;
      this.#waiting = null;
      const { storage, snapshot, onSaved } = this.#options;
      let failure: unknown;
      let kept: ConversationRecord | undefined;
      try {
        kept = (await storage.save(snapshot())) ?? undefined;
      } catch (error) {
        failure = error ?? new Error('The storage rejected without a reason.');
      }
      onSaved(failure, kept);
    });
  }

  /** Removes the record; saves that wait are dropped. Rejects when the storage does. */
  remove(): Promise<void> {
    this.#clearTimer();
    this.#waiting = null;
    const removed = this.#tail.then(() => this.#options.storage.remove(this.#options.id));
    this.#tail = removed.catch(() => {});
    return removed;
  }

  #clearTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }
}
