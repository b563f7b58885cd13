import type { Clock } from '../../src/clock.ts';
import { Heap, type HeapItem } from '../../src/queue/heap.ts';

interface Timer extends HeapItem {
  at: number;
  order: number;
  run: () => void;
}

/** Time that jumps from one event to the next; all promises settle in between, however long their chain. */
export class VirtualClock implements Clock {
  #now = 0;
  #order = 0;
  readonly #timers = new Heap<Timer>((a, b) => a.at < b.at || (a.at === b.at && a.order < b.order));

  now = (): number => this.#now;
  wallNow = (): number => this.#now;

  setTimer(run: () => void, delayMs: number): () => void {
    const timer = { at: this.#now + Math.max(0, delayMs), order: this.#order++, run, heapIndex: -1 };
    this.#timers.add(timer);
    return () => this.#timers.remove(timer);
  }

  /** Runs until `isOver`, or until nothing is left to happen. */
  async run(isOver: () => boolean): Promise<void> {
    for (let timer = this.#timers.first; timer && !isOver(); timer = this.#timers.first) {
      this.#timers.remove(timer);
      this.#now = timer.at;
      timer.run();
      await new Promise(setImmediate);
    }
  }
}
