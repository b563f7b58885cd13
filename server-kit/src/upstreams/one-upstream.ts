import type { Place, PlaceAsk, Places, PlaceUpstream } from './places.ts';

/** The places of a single upstream, with as many of them as are asked for unless `slots` says otherwise. */
export class OneUpstream implements Places {
  readonly #upstream: PlaceUpstream;
  readonly #slots: number;
  readonly #taken = new Map<string, number>();
  readonly #listeners = new Set<() => void>();

  constructor(upstream: PlaceUpstream, slots: number = Number.POSITIVE_INFINITY) {
    this.#upstream = upstream;
    this.#slots = slots;
  }

  tryTake({ model, avoid }: PlaceAsk): Place | 'busy' | 'none_healthy' {
    if (avoid?.has(this.#upstream.id)) return 'none_healthy';
    const taken = this.#taken.get(model) ?? 0;
    if (taken >= this.#slots) return 'busy';
    this.#taken.set(model, taken + 1);
    let isOver = false;
    return {
      upstream: this.#upstream,
      model,
      cold: false,
      began() {},
      release: () => {
        if (isOver) return;
        isOver = true;
        this.#taken.set(model, (this.#taken.get(model) ?? 1) - 1);
        for (const listener of this.#listeners) listener();
      },
    };
  }

  onFreed(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
