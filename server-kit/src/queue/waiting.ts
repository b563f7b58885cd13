import type { KitFailure } from '../failure.ts';
import type { PlaceAsk } from '../upstreams/places.ts';
import type { LineJob, Priority } from './line-job.ts';
import type { PlaceInLine } from './place-in-line.ts';
import type { PlaceLease } from './place-lease.ts';

/** Who wants to run what, and how urgently. */
export interface QueueAsk {
  readonly place: PlaceAsk;
  readonly priority: Priority;
  /** Share of the principal beside others; 1 is usual. */
  readonly weight: number;
  /** Id of the request, as its answer and the log have it. */
  readonly requestId: string;
}

/** A request in a line. */
export class Waiting implements LineJob {
  readonly id: string;
  readonly ask: QueueAsk;
  readonly flowKey: string;
  readonly weight: number;
  readonly estimateMs: number;
  /** By the clock, and in ms since 1970. */
  readonly enteredAt: number;
  readonly enqueuedAtMs: number;
  priority: Priority;
  /** Loads of its model that were over when it came, in ms: they do not count as waiting. */
  readonly loadedMsBefore: number;
  /** Hears of every change of place. */
  onMove: ((place: PlaceInLine) => void) | undefined;
  /** Resolves when its turn has come. Rejects with the `KitFailure` that ended the wait. */
  readonly placed: Promise<PlaceLease>;
  #resolve!: (place: PlaceLease) => void;
  #reject!: (failure: KitFailure) => void;
  #told: PlaceInLine | undefined;

  constructor(
    id: string,
    ask: QueueAsk,
    estimateMs: number,
    entered: { at: number; wallMs: number },
    loadedMsBefore: number,
  ) {
    this.id = id;
    this.ask = ask;
    this.flowKey = ask.place.principalKey;
    this.weight = ask.weight;
    this.priority = ask.priority;
    this.estimateMs = estimateMs;
    this.enteredAt = entered.at;
    this.enqueuedAtMs = entered.wallMs;
    this.loadedMsBefore = loadedMsBefore;
    this.placed = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Nobody need be listening when a wait ends.
    this.placed.catch(() => {});
  }

  /** Tells its place if that is another than was told last. */
  move(place: PlaceInLine): void {
    const told = this.#told;
    if (told?.position === place.position && told.of === place.of) return;
    this.#told = place;
    this.onMove?.(place);
  }

  give(place: PlaceLease): void {
    this.#resolve(place);
  }

  end(failure: KitFailure): void {
    this.#reject(failure);
  }
}
