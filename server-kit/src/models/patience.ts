import type { Clock } from '../clock.ts';
import { KitFailure } from '../failure.ts';
import { Stop, type StopSignal } from '../stop.ts';
import { upstreamFailure } from '../upstream/failures.ts';

/** How long a model server may take. */
export interface Patience {
  clock: Clock;
  limitMs: number;
  /** Of the whole, or of a silence between two records. */
  of: 'all' | 'silence';
  /** What it ends with. */
  failure: () => KitFailure;
}

/** For a load, however it is asked for. */
export function patienceForLoad(clock: Clock, limitMs: number): Patience {
  const failure = () => upstreamFailure('load_timeout', `longer than ${limitMs} ms`);
  return { clock, limitMs, of: 'all', failure };
}

/** For what a model server does without thinking. */
export function patienceForVerb(clock: Clock, limitMs: number): Patience {
  const failure = () =>
    new KitFailure(
      'deadline_exceeded',
      'The model server did not say in time that it is done. GET /admin/models shows what became of it.',
      { reason: `longer than ${limitMs} ms` },
    );
  return { clock, limitMs, of: 'all', failure };
}

/** For what may take as long as it likes while it goes on. */
export function patienceForPull(clock: Clock, limitMs: number): Patience {
  const failure = () =>
    new KitFailure(
      'idle_timeout',
      'The model server said nothing of the pull for too long. Pull again: it goes on from what has arrived.',
      { reason: `silent for ${limitMs} ms` },
    );
  return { clock, limitMs, of: 'silence', failure };
}

/** A signal that also says when the time is over. */
export class TimedWait {
  readonly #patience: Patience;
  readonly #outer: StopSignal;
  readonly #stop = new Stop();
  #cancelTimer = () => {};

  constructor(outer: StopSignal, patience: Patience) {
    this.#outer = outer;
    this.#patience = patience;
    if (outer.aborted) this.#leave();
    else outer.addEventListener('abort', this.#leave, { once: true });
    this.#arm();
  }

  get signal(): StopSignal {
    return this.#stop;
  }

  /** Something came. */
  heard(): void {
    if (this.#patience.of === 'silence') this.#arm();
  }

  end(): void {
    this.#cancelTimer();
    this.#outer.removeEventListener('abort', this.#leave);
  }

  readonly #leave = (): void => this.#stop.abort(this.#outer.reason);

  #arm(): void {
    const { clock, limitMs, failure } = this.#patience;
    this.#cancelTimer();
    this.#cancelTimer = clock.setTimer(() => this.#stop.abort(failure()), limitMs);
  }
}
