import { callOutside } from './call-outside.ts';
import type { Cell } from './types.ts';

/** A {@link Cell} with its writing end. */
export class ValueCell<T> implements Cell<T> {
  #value: T;
  readonly #watchers = new Set<{ listener: () => void }>();

  constructor(value: T) {
    this.#value = value;
  }

  get = (): T => this.#value;

  subscribe = (listener: () => void): (() => void) => {
    // Wrapped: the same function may watch twice, and each watch ends on its own.
    const watcher = { listener };
    this.#watchers.add(watcher);
    return () => {
      this.#watchers.delete(watcher);
    };
  };

  /** Puts a value in without a word to the watchers. Returns whether it is another one. */
  put(value: T): boolean {
    if (Object.is(this.#value, value)) return false;
    this.#value = value;
    return true;
  }

  /** Calls the watchers, all of them even when one throws. */
  notify(): void {
    for (const watcher of [...this.#watchers]) {
      // An earlier one may have ended this one's watch.
      if (this.#watchers.has(watcher)) callOutside(watcher.listener);
    }
  }

  set(value: T): void {
    if (this.put(value)) this.notify();
  }

  /** Lets go of all watchers. */
  release(): void {
    this.#watchers.clear();
  }
}
