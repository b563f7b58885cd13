import type { Clock } from '../clock.ts';
import type { KitFailure } from '../failure.ts';
import { newId } from '../request/request-id.ts';
import type { NoPlace, Place, Places } from '../upstreams/places.ts';
import type { LineCharge } from './fair-line.ts';
import { LineClocks } from './line-clocks.ts';
import type { Priority } from './line-job.ts';
import { ModelLine } from './model-line.ts';
import type { PlaceInLine } from './place-in-line.ts';
import { PlaceLease, type PlaceWatcher } from './place-lease.ts';
import { noPlaceFailure, queueFull } from './queue-failure.ts';
import type { QueueSettings } from './queue-options.ts';
import { ServiceTimes } from './service-times.ts';
import { type QueueAsk, Waiting } from './waiting.ts';

/** Models whose service times are remembered while nobody asks for them. */
const maxKnownModels = 512;

/** A waiting request, as lists show it. */
export interface QueueEntry extends PlaceInLine {
  id: string;
  requestId: string;
  model: string;
  principalKey: string;
  priority: Priority;
  /** When it came, in ms since 1970. */
  enqueuedAtMs: number;
}

/**
 * Gives places to requests: at once where one is free and nobody waits for the model, else in the order of its line. A line
 * whose model is busy never holds up another whose model is not.
 *
 * Everything happens when somebody asks, leaves or gives a place back; nothing is polled.
 */
export class Dispatcher implements PlaceWatcher {
  readonly #clock: Clock;
  readonly #lines = new Map<string, ModelLine>();
  readonly #lineOf = new Map<Waiting, ModelLine>();
  readonly #byId = new Map<string, Waiting>();
  readonly #times = new Map<string, ServiceTimes>();
  readonly #now = (): number => this.#clock.now();
  readonly #clocks: LineClocks;
  #settings: QueueSettings;
  #places: Places;
  #stopListening: () => void;
  #turn = 0;
  #isServing = false;
  #mustServeAgain = false;
  #closedBy: KitFailure | undefined;

  constructor(settings: QueueSettings, places: Places, clock: Clock) {
    this.#settings = settings;
    this.#places = places;
    this.#clock = clock;
    this.#clocks = new LineClocks(clock, {
      maxWaitMs: () => this.#settings.maxWaitMs,
      reopensInMs: () => this.#places.reopensInMs?.(),
      leave: (waiting, failure) => this.leave(waiting, failure),
      serve: () => this.#serveAll(),
    });
    this.#stopListening = places.onFreed(this.#serveAll);
  }

  /** How many wait. */
  get waiting(): number {
    return this.#byId.size;
  }

  get timers(): number {
    return this.#clocks.timers;
  }

  /** Other options: whoever waits keeps its turn and gets a place of the new ones. */
  reload(settings: QueueSettings, places: Places): void {
    this.#settings = settings;
    if (places === this.#places) return;
    this.#stopListening();
    this.#places = places;
    this.#stopListening = places.onFreed(this.#serveAll);
    this.#serveAll();
  }

  /**
   * A place, or a turn in the line when there is none.
   *
   * @throws {KitFailure} `queue_full`, `model_not_found`, `upstream_unreachable`
   */
  take(ask: QueueAsk): PlaceLease | Waiting {
    const { model, principalKey: flowKey } = ask.place;
    const line = this.#lineFor(model);
    const { weight, priority } = ask;
    if (line.fair.size === 0) {
      const place = this.#places.tryTake(ask.place);
      if (typeof place !== 'string') {
        const estimateMs = line.times.expectedMs(flowKey);
        return this.#begin(line, place, line.fair.charge({ flowKey, weight, estimateMs, priority }));
      }
      if (place !== 'busy') {
        this.#forgetIfIdle(line);
        throw noPlaceFailure(place, this.#places.reopensInMs?.());
      }
    }
    return this.#enter(line, ask);
  }

  /** A second place for a request that has one: only where it is in nobody's way. */
  takeExtra(ask: QueueAsk): PlaceLease | undefined {
    const { model, principalKey: flowKey } = ask.place;
    const line = this.#lineFor(model);
    const place = line.fair.size === 0 ? this.#places.tryTake({ ...ask.place, warmOnly: true }) : undefined;
    if (place === undefined || typeof place === 'string') {
      this.#forgetIfIdle(line);
      return undefined;
    }
    const { weight, priority } = ask;
    const estimateMs = line.times.expectedMs(flowKey);
    return this.#begin(line, place, line.fair.charge({ flowKey, weight, estimateMs, priority }));
  }

  /** Somebody who waits has gone, or must go. Its place is free at once. */
  leave(waiting: Waiting, failure: KitFailure): boolean {
    const line = this.#lineOf.get(waiting);
    if (!line) return false;
    line.fair.leave(waiting);
    this.#forget(waiting);
    waiting.end(failure);
    this.#changed(line);
    return true;
  }

  /** Ends every wait. */
  endAll(failure: KitFailure): void {
    for (const waiting of [...this.#byId.values()]) this.leave(waiting, failure);
  }

  /** Ends every wait, those to come as well. A place that is free is still given. */
  close(failure: KitFailure): void {
    this.#closedBy = failure;
    this.#stopListening();
    this.endAll(failure);
  }

  find(id: string): Waiting | undefined {
    return this.#byId.get(id);
  }

  reprioritise(waiting: Waiting, priority: Priority): void {
    const line = this.#lineOf.get(waiting);
    if (!line || waiting.priority === priority) return;
    line.fair.reprioritise(waiting, priority, this.#clock.now());
    this.#changed(line);
  }

  /** Where a request stands now, `undefined` when it waits no more. */
  placeOf(waiting: Waiting): PlaceInLine | undefined {
    const line = this.#lineOf.get(waiting);
    return line?.places(this.#clock.now()).find(({ job }) => job === waiting)?.place;
  }

  /** How many wait for a model. */
  waitingFor(model: string): number {
    return this.#lines.get(model)?.fair.size ?? 0;
  }

  /** What is waited for, and in which class. */
  *waits(): Iterable<{ model: string; priority: Priority }> {
    for (const { ask, priority } of this.#byId.values()) yield { model: ask.place.model, priority };
  }

  /** All who wait, or those of one principal, line by line and in its order. */
  list(principalKey?: string): QueueEntry[] {
    const now = this.#clock.now();
    const entries: QueueEntry[] = [];
    for (const line of this.#lines.values()) {
      if (line.fair.size === 0) continue;
      for (const { job, place } of line.places(now)) {
        if (principalKey !== undefined && job.flowKey !== principalKey) continue;
        const { id, flowKey, priority, enqueuedAtMs } = job;
        entries.push({
          id,
          requestId: job.ask.requestId,
          model: line.model,
          principalKey: flowKey,
          priority,
          enqueuedAtMs,
          ...place,
        });
      }
    }
    return entries;
  }

  warmed(place: PlaceLease): void {
    place.line?.lookAtLoads(this.#clock.now());
  }

  ended(place: PlaceLease, servedMs: number, isTypical: boolean): void {
    const { line } = place;
    if (!line) return;
    place.line = undefined;
    line.running.delete(place);
    if (isTypical) line.times.learn(place.charge.flowKey, servedMs);
    line.fair.settle(place.charge, servedMs);
    line.lookAtLoads(this.#clock.now());
    if (line.fair.size > 0) this.#changed(line);
    else this.#forgetIfIdle(line);
  }

  #enter(line: ModelLine, ask: QueueAsk): Waiting {
    if (this.#closedBy) {
      this.#forgetIfIdle(line);
      throw this.#closedBy;
    }
    const now = this.#clock.now();
    const { model, principalKey } = ask.place;
    if (line.fair.size >= this.#settings.maxPerModel) {
      const full = queueFull(line.roomInMs(now));
      const victim = line.fair.victimFor({ flowKey: principalKey, priority: ask.priority });
      if (victim === undefined || this.#settings.maxPerModel === 0) {
        this.#forgetIfIdle(line);
        throw full;
      }
      this.leave(victim, full);
    }
    const waiting = new Waiting(
      newId('wait'),
      ask,
      line.times.expectedMs(principalKey),
      { at: now, wallMs: this.#clock.wallNow() },
      line.loadedMs(now),
    );
    // Leaving may have emptied the line, and an empty one is forgotten.
    const kept = this.#lineFor(model, line);
    kept.fair.enter(waiting, now);
    this.#lineOf.set(waiting, kept);
    this.#byId.set(waiting.id, waiting);
    // One more who waits may make it worth while to load the model in a second place.
    if (kept.fair.size > 1) this.#serveAll();
    if (kept.fair.size > 0) {
      this.#clocks.watch(kept);
      this.#changed(kept);
    }
    return waiting;
  }

  #begin(line: ModelLine, place: Place, charge: LineCharge): PlaceLease {
    const lease = new PlaceLease(place, charge, this, this.#now);
    lease.line = line;
    line.running.add(lease);
    if (place.cold || line.isLoading) line.lookAtLoads(this.#clock.now());
    line.downSince = undefined;
    return lease;
  }

  readonly #serveAll = (): void => {
    if (this.#byId.size === 0) return;
    if (this.#isServing) {
      this.#mustServeAgain = true;
      return;
    }
    this.#isServing = true;
    try {
      do {
        this.#mustServeAgain = false;
        const lines = [...this.#lines.values()].filter(({ fair }) => fair.size > 0);
        lines.sort((a, b) => a.turn - b.turn);
        for (const line of lines) while (this.#serve(line));
      } while (this.#mustServeAgain);
    } finally {
      this.#isServing = false;
    }
  };

  /** Gives one place to a line, if there is one. */
  #serve(line: ModelLine): boolean {
    const now = this.#clock.now();
    const first = line.fair.first(now);
    if (first === undefined) return false;
    const found = this.#tryTake(line, first);
    if (typeof found === 'string') return this.#unplaced(line, first, found, now);
    this.#give(line, first, found, now);
    return true;
  }

  /** Nothing for the first of the line; whoever stands behind one that avoids upstreams may still find a place. */
  #unplaced(line: ModelLine, first: Waiting, why: NoPlace, now: number): boolean {
    const isChoosy = (first.ask.place.avoid?.size ?? 0) > 0;
    if (why === 'unknown_model' || (why === 'none_healthy' && isChoosy)) {
      this.leave(first, noPlaceFailure(why, this.#places.reopensInMs?.()));
      return true;
    }
    if (why === 'none_healthy') {
      line.downSince ??= now;
      this.#clocks.watch(line);
      return false;
    }
    line.downSince = undefined;
    if (!isChoosy) return false;
    for (const job of line.fair.order(now)) {
      if (job.ask.place.avoid?.size) continue;
      const found = this.#tryTake(line, job);
      if (typeof found === 'string') return false;
      this.#give(line, job, found, now);
      return true;
    }
    return false;
  }

  #tryTake(line: ModelLine, { ask }: Waiting): Place | NoPlace {
    return this.#places.tryTake({ ...ask.place, ahead: line.fair.size - 1 });
  }

  #give(line: ModelLine, waiting: Waiting, place: Place, now: number): void {
    const { flows } = line.fair;
    this.#turn = Math.max(this.#turn, line.turn);
    line.turn = this.#turn + waiting.estimateMs / Math.max(1, flows);
    const charge = line.fair.begin(waiting, now);
    this.#forget(waiting);
    waiting.give(this.#begin(line, place, charge));
    this.#changed(line);
  }

  /** Tells everybody in a line where they stand now, soon and not too often. */
  #changed(line: ModelLine): void {
    if (line.fair.size === 0) {
      this.#clocks.stop(line);
      this.#forgetIfIdle(line);
      return;
    }
    this.#clocks.tellSoon(line);
  }

  #forget(waiting: Waiting): void {
    this.#lineOf.delete(waiting);
    this.#byId.delete(waiting.id);
  }

  #lineFor(model: string, known?: ModelLine): ModelLine {
    let line = this.#lines.get(model) ?? known;
    if (line === undefined) line = new ModelLine(model, this.#settings.batchGuardMs, this.#timesOf(model));
    if (this.#lines.get(model) !== line) this.#lines.set(model, line);
    return line;
  }

  #timesOf(model: string): ServiceTimes {
    const times = this.#times.get(model) ?? new ServiceTimes();
    this.#times.delete(model);
    this.#times.set(model, times);
    if (this.#times.size > maxKnownModels) this.#times.delete(this.#times.keys().next().value as string);
    return times;
  }

  #forgetIfIdle(line: ModelLine): void {
    if (!line.isIdle) return;
    this.#clocks.stop(line);
    this.#lines.delete(line.model);
  }
}
