/** What an {@link OpenSet} can hold, in one of them at a time. It keeps the place where it stands; -1 is none. */
export interface Slotted {
  slot: number;
}

/** A callback that can be held. */
export class Watcher implements Slotted {
  slot = -1;
  readonly call: () => void;

  constructor(call: () => void) {
    this.call = call;
  }
}

/**
 * What is open right now, in no order: a `Set` for things that come and go with every request.
 *
 * A `Set` or `Map` of V8 grows into a new table now and then, and the table it leaves behind points to the new one. Once one
 * of them is old, all that come after it look alive to the collector of young objects, and with them what they held: half of
 * all requests with everything that hung on them was copied twice and kept until the next full collection. Measured on small
 * requests, that was a third of their CPU time.
 */
export class OpenSet<T extends Slotted> implements Iterable<T> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  add(item: T): void {
    if (item.slot !== -1) return;
    item.slot = this.#items.length;
    this.#items.push(item);
  }

  /** Whether it was there. */
  delete(item: T): boolean {
    const { slot } = item;
    if (slot === -1) return false;
    item.slot = -1;
    const last = this.#items.pop() as T;
    if (last === item) return true;
    this.#items[slot] = last;
    last.slot = slot;
    return true;
  }

  /** As they are now: what is added or taken out meanwhile changes nothing of it. */
  [Symbol.iterator](): Iterator<T> {
    return this.#items.slice()[Symbol.iterator]();
  }
}
