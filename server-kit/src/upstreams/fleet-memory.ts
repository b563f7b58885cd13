import type { Upstream } from './upstream.ts';

/** What is in memory where, or on its way there, at one moment: looked up once for all that a decision asks. */
export class FleetMemory {
  readonly #upstreams: readonly Upstream[];
  readonly #held = new Map<Upstream, ReadonlyMap<string, number>>();
  #homes: Map<string, number> | undefined;
  #hasTwin = false;

  constructor(upstreams: readonly Upstream[]) {
    this.#upstreams = upstreams;
  }

  /** Names of the models there, with their sizes in bytes. */
  on(upstream: Upstream): ReadonlyMap<string, number> {
    let held = this.#held.get(upstream);
    if (!held) {
      held = upstream.inMemory();
      this.#held.set(upstream, held);
    }
    return held;
  }

  /** On how many upstreams a model is. */
  homes(model: string): number {
    return this.#counted().get(model) ?? 0;
  }

  /** Whether some model is there more than once. */
  get hasTwin(): boolean {
    this.#counted();
    return this.#hasTwin;
  }

  /** How many answers of a model the upstreams other than this one write at once. */
  placesBeside(upstream: Upstream, model: string, now: number): number {
    // Most models have one home, and then there is nothing to count.
    if (this.homes(model) < 2) return 0;
    let places = 0;
    for (const other of this.#upstreams) {
      if (other === upstream || !this.on(other).has(model) || !other.isOpen(now)) continue;
      places += Math.min(other.slots(model, now), other.settings.maxInFlight);
    }
    return places;
  }

  #counted(): ReadonlyMap<string, number> {
    if (this.#homes) return this.#homes;
    this.#homes = new Map();
    for (const upstream of this.#upstreams) {
      for (const name of this.on(upstream).keys()) {
        const homes = (this.#homes.get(name) ?? 0) + 1;
        this.#homes.set(name, homes);
        this.#hasTwin ||= homes > 1;
      }
    }
    return this.#homes;
  }
}
