import { isTerminal, type StreamEvent } from '@ziggie/llm-protocol';
import { sizeOfEvent } from './event-size.ts';
import type { StreamHead } from './stream-store.ts';

/** About how much one page of a log holds. */
const pageBytes = 64 * 1024;

/** The events of one answer in memory: a ring, of which the oldest go when it is full. */
export class MemoryLog {
  readonly id: string;
  readonly head: StreamHead;
  readonly watchers = new Set<() => void>();
  #events: StreamEvent[] = [];
  /** Where the ring begins in the list; cut off now and then, since a `shift` costs as much as the list is long. */
  #from = 0;
  #next = 0;
  bytes = 0;
  /** When its last event came, by the clock. */
  endedAt: number | undefined;
  aliveUntil = 0;
  readersUntil = 0;
  wantsStop = false;

  constructor(id: string, head: StreamHead) {
    this.id = id;
    this.head = head;
  }

  get hasEnded(): boolean {
    return this.endedAt !== undefined;
  }

  /** The number that the next event will have. */
  get next(): number {
    return this.#next;
  }

  /** Adds what is new. `false` for a gap, which a log never has. */
  add(events: readonly StreamEvent[], now: number): boolean {
    for (const event of events) {
      if (event.seq > this.#next) return false;
      if (event.seq < this.#next) continue;
      this.#events.push(event);
      this.#next++;
      this.bytes += sizeOfEvent(event);
      if (isTerminal(event)) this.endedAt = now;
    }
    return true;
  }

  /** Lets the oldest event go, never the newest. Whether there was one. */
  shrink(): boolean {
    if (this.#events.length - this.#from <= 1) return false;
    this.bytes -= sizeOfEvent(this.#events[this.#from] as StreamEvent);
    this.#from++;
    if (this.#from > 1024 && this.#from * 2 > this.#events.length) {
      this.#events.splice(0, this.#from);
      this.#from = 0;
    }
    return true;
  }

  /** The next events, or `undefined` when some of them are no longer there. */
  after(seq: number): readonly StreamEvent[] | undefined {
    const first = this.#next - (this.#events.length - this.#from);
    const wanted = Math.max(0, seq + 1);
    if (wanted < first) return undefined;
    const begin = this.#from + (wanted - first);
    if (begin === this.#events.length - 1) return [this.#events[begin] as StreamEvent];
    let bytes = 0;
    let end = begin;
    while (end < this.#events.length && bytes < pageBytes)
      bytes += sizeOfEvent(this.#events[end++] as StreamEvent);
    return this.#events.slice(begin, end);
  }

  wake(): void {
    for (const watcher of [...this.watchers]) watcher();
  }
}
