/** What a {@link Heap} keeps of an item: where it stands. */
export interface HeapItem {
  /** Index in the heap, -1 outside of it. Written by the heap alone. */
  heapIndex: number;
}

/** The least of many items, in O(log n) for every change. An item knows its index, so any of them can be moved or taken out. */
export class Heap<T extends HeapItem> {
  readonly #items: T[] = [];
  readonly #isLess: (a: T, b: T) => boolean;

  constructor(isLess: (a: T, b: T) => boolean) {
    this.#isLess = isLess;
  }

  get size(): number {
    return this.#items.length;
  }

  get first(): T | undefined {
    return this.#items[0];
  }

  /** All items, in no order. */
  values(): readonly T[] {
    return this.#items;
  }

  add(item: T): void {
    item.heapIndex = this.#items.length;
    this.#items.push(item);
    this.#up(item.heapIndex);
  }

  /** Puts an item right whose order has changed. Nothing when it is not in the heap. */
  moved(item: T): void {
    if (item.heapIndex < 0) return;
    this.#up(item.heapIndex);
    this.#down(item.heapIndex);
  }

  remove(item: T): void {
    const at = item.heapIndex;
    if (at < 0) return;
    const last = this.#items.pop() as T;
    item.heapIndex = -1;
    if (last === item) return;
    this.#put(last, at);
    this.moved(last);
  }

  #up(from: number): void {
    const item = this.#items[from] as T;
    let at = from;
    while (at > 0) {
      const above = this.#items[(at - 1) >> 1] as T;
      if (!this.#isLess(item, above)) break;
      this.#put(above, at);
      at = (at - 1) >> 1;
    }
    this.#put(item, at);
  }

  #down(from: number): void {
    const item = this.#items[from] as T;
    let at = from;
    for (;;) {
      const left = this.#items[2 * at + 1];
      if (left === undefined) break;
      const right = this.#items[2 * at + 2];
      const least = right !== undefined && this.#isLess(right, left) ? right : left;
      if (!this.#isLess(least, item)) break;
      const next = least.heapIndex;
      this.#put(least, at);
      at = next;
    }
    this.#put(item, at);
  }

  #put(item: T, at: number): void {
    this.#items[at] = item;
    item.heapIndex = at;
  }
}
