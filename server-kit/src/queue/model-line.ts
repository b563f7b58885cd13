import { OpenSet } from '../open-set.ts';
import { expectedWaits } from './expected-waits.ts';
import { FairLine } from './fair-line.ts';
import type { PlaceInLine } from './place-in-line.ts';
import type { PlaceLease } from './place-lease.ts';
import type { ServiceTimes } from './service-times.ts';
import type { Waiting } from './waiting.ts';

/** One model: who waits for it, who is being served, and how long that takes. */
export class ModelLine {
  readonly model: string;
  readonly fair: FairLine<Waiting>;
  readonly times: ServiceTimes;
  readonly running = new OpenSet<PlaceLease>();
  /** Virtual time of the line among lines: which of several is asked first. */
  turn = 0;
  /** Since when nothing that has the model answers. */
  downSince: number | undefined;
  /** When places were last told. */
  toldAt = Number.NEGATIVE_INFINITY;
  cancelTelling: (() => void) | undefined;
  cancelWatch: (() => void) | undefined;
  #loadedMs = 0;
  #loadingSince: number | undefined;

  constructor(model: string, guardMs: number, times: ServiceTimes) {
    this.model = model;
    this.fair = new FairLine(guardMs);
    this.times = times;
  }

  get isIdle(): boolean {
    return this.fair.size === 0 && this.running.size === 0;
  }

  /** How long loads have held up the line until now, in ms. */
  loadedMs(now: number): number {
    return this.#loadedMs + (this.#loadingSince === undefined ? 0 : now - this.#loadingSince);
  }

  get isLoading(): boolean {
    return this.#loadingSince !== undefined;
  }

  /** The line is held up by a load while no place serves. */
  lookAtLoads(now: number): void {
    let isHeldUp = this.running.size > 0;
    for (const place of this.running) isHeldUp &&= place.isLoading;
    if (isHeldUp) this.#loadingSince ??= now;
    else if (this.#loadingSince !== undefined) {
      this.#loadedMs = this.loadedMs(now);
      this.#loadingSince = undefined;
    }
  }

  /** Where everybody stands, in the order of the line. */
  places(now: number): { job: Waiting; place: PlaceInLine }[] {
    const order = this.fair.order(now);
    const etas = this.etas(now, order);
    return order.map((job, at) => {
      const eta = etas[at] ?? null;
      return {
        job,
        place: { position: at + 1, of: order.length, etaMs: eta === null ? null : Math.round(eta) },
      };
    });
  }

  /** When each of these jobs will begin, in ms from now. */
  etas(now: number, order: readonly Waiting[] = this.fair.order(now)): (number | null)[] {
    if (!this.times.isKnown) return order.map(() => null);
    const rests = [...this.running].map(({ charge, servedSince, isLoading }) =>
      this.times.restsMs(charge.flowKey, isLoading ? 0 : now - servedSince),
    );
    const ofFlow = new Map<string, readonly number[]>();
    const services = order.map(({ flowKey }) => {
      const known = ofFlow.get(flowKey) ?? this.times.restsMs(flowKey, 0);
      ofFlow.set(flowKey, known);
      return known;
    });
    return expectedWaits(rests, services);
  }

  /** When there will be room for one more, as far as is known, in ms from now. */
  roomInMs(now: number): number | null {
    const [first] = this.fair.order(now);
    return first ? (this.etas(now, [first])[0] ?? null) : null;
  }
}
