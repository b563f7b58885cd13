import type { Clock } from '../clock.ts';
import type { Logger } from '../log/logger.ts';
import type { KeyStore } from './key-store.ts';

const flushEveryMs = 30_000;

/** Collects when keys were used and writes it down twice a minute, not once per request. */
export class LastUsed {
  readonly #store: KeyStore;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #noted = new Map<string, number>();
  #cancel: (() => void) | undefined;

  constructor(store: KeyStore, clock: Clock, logger: Logger) {
    this.#store = store;
    this.#clock = clock;
    this.#logger = logger;
  }

  note(id: string, atMs: number): void {
    this.#noted.set(id, atMs);
    this.#cancel ??= this.#clock.setTimer(() => void this.flush(), flushEveryMs);
  }

  /** Writes down what was noted. A store that fails loses it: it is for people to look at and nothing is decided by it. */
  async flush(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    const noted = this.#noted;
    if (noted.size === 0) return;
    this.#noted = new Map();
    try {
      await this.#store.touch(noted);
    } catch {
      this.#logger.warn({ keys: noted.size }, 'The last use of API keys could not be written down.');
    }
  }
}
