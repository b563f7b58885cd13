import { KitFailure } from '../../src/failure.ts';
import { Dispatcher } from '../../src/queue/dispatcher.ts';
import type { Priority } from '../../src/queue/line-job.ts';
import type { PlaceLease } from '../../src/queue/place-lease.ts';
import { type QueueOptions, queueSettings } from '../../src/queue/queue-options.ts';
import { Waiting } from '../../src/queue/waiting.ts';
import type { ModelCatalog } from '../../src/upstream/model-catalog.ts';
import type { Transport } from '../../src/upstream/transport.ts';
import type { NoPlace, Place, PlaceAsk, Places } from '../../src/upstreams/places.ts';
import { VirtualClock } from './virtual-clock.ts';

/** Places that a test makes and takes away: so many per model. Nothing is ever sent. */
export class VirtualPlaces implements Places {
  readonly #listeners = new Set<() => void>();
  readonly free = new Map<string, number>();
  /** Answers instead of places. */
  instead: NoPlace | undefined;
  /** Models whose next place is cold. */
  readonly cold = new Set<string>();
  asked = 0;
  released: string[] = [];

  constructor(free: Readonly<Record<string, number>>) {
    for (const [model, count] of Object.entries(free)) this.free.set(model, count);
  }

  tryTake({ model, avoid }: PlaceAsk): Place | NoPlace {
    this.asked++;
    if (this.instead) return this.instead;
    const free = this.free.get(model);
    if (free === undefined) return 'unknown_model';
    if (free === 0 || avoid?.has('one')) return 'busy';
    this.free.set(model, free - 1);
    let isOver = false;
    return {
      upstream: {
        id: 'one',
        dialect: 'ollama',
        isSteady: true,
        transport: {} as Transport,
        catalog: {} as ModelCatalog,
      },
      model,
      cold: this.cold.delete(model),
      began() {},
      release: (outcome) => {
        if (isOver) return;
        isOver = true;
        this.released.push(outcome);
        this.add(model);
      },
    };
  }

  /** One more place for a model. */
  add(model: string): void {
    this.free.set(model, (this.free.get(model) ?? 0) + 1);
    this.tell();
  }

  tell(): void {
    for (const listener of this.#listeners) listener();
  }

  onFreed(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** A dispatcher over virtual places and time. */
export function startLines(free: Readonly<Record<string, number>>, options: QueueOptions = {}) {
  const clock = new VirtualClock();
  const places = new VirtualPlaces(free);
  const dispatcher = new Dispatcher(queueSettings(options), places, clock);
  const take = (
    principalKey: string,
    more: { model?: string; priority?: Priority; weight?: number; avoid?: ReadonlySet<string> } = {},
  ): PlaceLease | Waiting => {
    const { model = 'm', priority = 'interactive', weight = 1, avoid } = more;
    return dispatcher.take({ place: { model, principalKey, avoid }, priority, weight, requestId: 'req_1' });
  };
  const wait = (...asked: Parameters<typeof take>): Waiting => {
    const taken = take(...asked);
    if (!(taken instanceof Waiting)) throw new Error('There was a free place.');
    return taken;
  };
  const run = (...asked: Parameters<typeof take>): PlaceLease => {
    const taken = take(...asked);
    if (taken instanceof Waiting) throw new Error('There was no free place.');
    return taken;
  };
  return { clock, places, dispatcher, take, wait, run };
}

/** The client of a waiting request goes. */
export const gone = (): KitFailure => new KitFailure('aborted', 'The client closed the connection.');
