import type { Clock } from '../../src/clock.ts';
import { Heap, type HeapItem } from '../../src/queue/heap.ts';

interface Timer extends HeapItem {
  dueMs: number;
  order: number;
  callback: () => void;
}

/** A clock of a simulation: hours pass as fast as their events are worked off. */
export class VirtualClock implements Clock {
  readonly #timers = new Heap<Timer>(
    (a, b) => a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order),
  );
  #nowMs = 0;
  #order = 0;

  now = (): number => this.#nowMs;
  wallNow = (): number => Date.UTC(2030, 0, 1) + this.#nowMs;

  get pending(): number {
    return this.#timers.size;
  }

  setTimer(callback: () => void, delayMs: number): () => void {
    const timer = {
      dueMs: this.#nowMs + Math.max(0, delayMs),
      order: this.#order++,
      callback,
      heapIndex: -1,
    };
    this.#timers.add(timer);
    return () => this.#timers.remove(timer);
  }

  /** Runs everything that is due until then; promises settle after each timer. */
  async runUntil(untilMs: number): Promise<void> {
    await settled();
    for (let next = this.#timers.first; next && next.dueMs <= untilMs; next = this.#timers.first) {
      this.#timers.remove(next);
      this.#nowMs = next.dueMs;
      next.callback();
      await settled();
    }
    this.#nowMs = untilMs;
  }
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await undefined;
}
