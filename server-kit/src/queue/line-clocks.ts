import type { Clock } from '../clock.ts';
import type { KitFailure } from '../failure.ts';
import type { ModelLine } from './model-line.ts';
import { noPlaceFailure, queueTimeout } from './queue-failure.ts';
import type { Waiting } from './waiting.ts';

/** Places are told at most this often per model, in ms. */
const tellEveryMs = 250;
/** How long those who wait bear it that nothing that has their model answers, in ms: a restart takes less. */
const bearDownMs = 15_000;
/** While a load holds a line up, or nothing answers, it is looked at this often at most, in ms. */
const lookAgainMs = 1000;

/** What the clocks of a line need of whoever keeps the lines. */
export interface LineKeeper {
  /** The longest wait, loads not counted, in ms. It may change. */
  maxWaitMs(): number;
  /** When an upstream that is down is tried again, in ms from now. */
  reopensInMs(): number | undefined;
  leave(waiting: Waiting, failure: KitFailure): boolean;
  /** Gives the places that there are now. */
  serve(): void;
}

/** What time does to lines: those who wait hear where they stand, and nobody waits for ever. */
export class LineClocks {
  readonly #clock: Clock;
  readonly #keeper: LineKeeper;
  #timers = 0;

  constructor(clock: Clock, keeper: LineKeeper) {
    this.#clock = clock;
    this.#keeper = keeper;
  }

  /** Timers that run. */
  get timers(): number {
    return this.#timers;
  }

  /** Tells everybody in a line where they stand now, soon and not too often. */
  tellSoon(line: ModelLine): void {
    if (line.cancelTelling) return;
    const waitMs = Math.max(0, line.toldAt + tellEveryMs - this.#clock.now());
    line.cancelTelling = this.#setTimer(() => {
      line.cancelTelling = undefined;
      const now = this.#clock.now();
      line.toldAt = now;
      for (const { job, place } of line.places(now)) job.move(place);
    }, waitMs);
  }

  /** Watches how long a line waits. */
  watch(line: ModelLine): void {
    line.cancelWatch?.();
    line.cancelWatch = undefined;
    const restMs = this.#restMs(line, this.#clock.now());
    if (restMs === undefined) return;
    line.cancelWatch = this.#setTimer(
      () => {
        line.cancelWatch = undefined;
        this.#endWaits(line);
        // One that was down may be tried again by now, and nobody else may come to do it.
        if (line.downSince !== undefined) this.#keeper.serve();
        if (line.fair.size > 0) this.watch(line);
      },
      Math.max(line.isLoading || line.downSince !== undefined ? lookAgainMs : 1, restMs),
    );
  }

  stop(line: ModelLine): void {
    line.cancelTelling?.();
    line.cancelTelling = undefined;
    line.cancelWatch?.();
    line.cancelWatch = undefined;
  }

  /** How long it is until somebody in a line must be told that it was too long. */
  #restMs(line: ModelLine, now: number): number | undefined {
    const oldest = line.fair.jobs().next().value;
    if (oldest === undefined) return undefined;
    const restMs = this.#keeper.maxWaitMs() - waitedMs(line, oldest, now);
    if (line.downSince === undefined) return restMs;
    const reopensInMs = this.#keeper.reopensInMs() ?? Number.POSITIVE_INFINITY;
    return Math.min(restMs, line.downSince + bearDownMs - now, reopensInMs);
  }

  #endWaits(line: ModelLine): void {
    const now = this.#clock.now();
    const isDown = line.downSince !== undefined && now - line.downSince >= bearDownMs;
    for (const waiting of [...line.fair.jobs()]) {
      if (!isDown && waitedMs(line, waiting, now) < this.#keeper.maxWaitMs()) return;
      const failure = isDown
        ? noPlaceFailure('none_healthy', this.#keeper.reopensInMs())
        : queueTimeout(line.places(now).find(({ job }) => job === waiting)?.place.etaMs ?? null);
      this.#keeper.leave(waiting, failure);
    }
  }

  #setTimer(callback: () => void, delayMs: number): () => void {
    this.#timers++;
    let isOver = false;
    const over = () => {
      if (isOver) return;
      isOver = true;
      this.#timers--;
    };
    const cancel = this.#clock.setTimer(() => {
      over();
      callback();
    }, delayMs);
    return () => {
      cancel();
      over();
    };
  }
}

/** Waiting time without the loads that held the line up. */
function waitedMs(line: ModelLine, { enteredAt, loadedMsBefore }: Waiting, now: number): number {
  return now - enteredAt - (line.loadedMs(now) - loadedMsBefore);
}
