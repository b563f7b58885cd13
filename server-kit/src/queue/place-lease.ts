import type { ErrorCode } from '@ziggie/llm-protocol';
import type { Slotted } from '../open-set.ts';
import type { Place, PlaceOutcome, PlaceUpstream } from '../upstreams/places.ts';
import type { LineCharge } from './fair-line.ts';
import type { ModelLine } from './model-line.ts';

/** What the line hears of a place that it has given. */
export interface PlaceWatcher {
  /** A load has begun or is over: what comes after it is service. */
  warmed(place: PlaceLease): void;
  /** The place is about to be free. `servedMs` leaves out the load; it says little when the upstream failed. */
  ended(place: PlaceLease, servedMs: number, isTypical: boolean): void;
}

/** A place whose service is counted. */
export class PlaceLease implements Place, Slotted {
  slot = -1;
  /** The line it runs in, until it is over. */
  line: ModelLine | undefined;
  readonly #place: Place;
  readonly #watcher: PlaceWatcher;
  readonly #now: () => number;
  readonly charge: LineCharge;
  /** When service began: the load, if there is one, comes before. */
  servedSince: number;
  isLoading: boolean;
  #hasBegun = false;
  #isExcused = false;
  #isOver = false;

  constructor(place: Place, charge: LineCharge, watcher: PlaceWatcher, now: () => number) {
    this.#place = place;
    this.charge = charge;
    this.#watcher = watcher;
    this.#now = now;
    this.servedSince = now();
    this.isLoading = place.cold;
  }

  get upstream(): PlaceUpstream {
    return this.#place.upstream;
  }

  get model(): string {
    return this.#place.model;
  }

  get expectedWaitMs(): number | undefined {
    return this.#place.expectedWaitMs;
  }

  get cold(): boolean {
    return this.#place.cold;
  }

  get evicts(): readonly string[] {
    return this.#place.evicts ?? [];
  }

  /** The model must be loaded, though it was thought to be there. */
  loads(): void {
    if (this.isLoading || this.#isOver || this.#hasBegun) return;
    this.isLoading = true;
    this.#watcher.warmed(this);
  }

  /** What went wrong has been counted against the upstream already. */
  excuse(): void {
    this.#isExcused = true;
  }

  /** The load is over. */
  loaded(): void {
    if (!this.isLoading || this.#isOver) return;
    this.isLoading = false;
    this.servedSince = this.#now();
    this.#watcher.warmed(this);
  }

  began(): void {
    if (this.#hasBegun || this.#isOver) return;
    this.loaded();
    this.#hasBegun = true;
    this.#place.began();
  }

  release(outcome: PlaceOutcome, code?: ErrorCode): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const servedMs = this.isLoading ? 0 : Math.max(0, this.#now() - this.servedSince);
    this.#watcher.ended(this, servedMs, outcome === 'done' || (outcome === 'left' && this.#hasBegun));
    this.#place.release(outcome === 'failed' && this.#isExcused ? 'left' : outcome, code);
  }
}
