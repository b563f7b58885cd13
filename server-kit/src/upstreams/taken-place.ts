import type { ErrorCode } from '@ziggie/llm-protocol';
import type { Clock } from '../clock.ts';
import type { Resident } from '../placement/eviction.ts';
import type { Place, PlaceAsk, PlaceOutcome } from './places.ts';
import type { ModelRuns, Upstream } from './upstream.ts';

/** What the keeper of places hears of one. */
export interface PlaceEvents {
  /** A load is over, or a server that was down answers again: there is room for others. */
  onWarm(): void;
  onOver(outcome: PlaceOutcome): void;
}

/** One place that is taken: counts on its upstream from its making to its release. */
export class TakenPlace implements Place {
  readonly upstream: Upstream;
  readonly model: string;
  readonly cold: boolean;
  readonly expectedWaitMs: number | undefined;
  readonly evicts: readonly string[];
  readonly #runs: ModelRuns;
  readonly #clock: Clock;
  readonly #takenAt: number;
  #isTrial: boolean;
  readonly #triesSlot: boolean;
  readonly #events: PlaceEvents;
  readonly #canonical: string;
  readonly #who: string;
  #beganAt: number | undefined;
  #isOver = false;

  constructor(
    upstream: Upstream,
    { model: canonical, principalKey }: PlaceAsk,
    clock: Clock,
    now: number,
    expectedWaitMs: number | undefined,
    evicts: readonly Resident[],
    events: PlaceEvents,
  ) {
    this.upstream = upstream;
    this.model = upstream.catalog.find(canonical)?.name ?? canonical;
    this.expectedWaitMs = expectedWaitMs;
    this.evicts = evicts
      .filter(({ isKept }) => !isKept)
      .map(({ name }) => upstream.catalog.find(name)?.name ?? name);
    this.#canonical = canonical;
    this.#who = principalKey;
    this.#clock = clock;
    this.#takenAt = now;
    this.#events = events;
    const runs = upstream.runs(canonical);
    this.#runs = runs;
    const memory = upstream.memoryOf(canonical);
    this.cold = memory === 'absent' || memory === 'loading';
    runs.inFlight++;
    upstream.totalInFlight++;
    upstream.attempts++;
    upstream.turns++;
    this.#isTrial = upstream.breaker.passed();
    this.#triesSlot = upstream.settings.slots === undefined && runs.learner.took(runs.inFlight);
    if (memory === 'absent') upstream.loads(canonical, evicts, now);
    runs.lastUsedAt = now;
  }

  began(): void {
    if (this.#beganAt !== undefined || this.#isOver) return;
    const now = this.#clock.now();
    const runs = this.#runs;
    this.#beganAt = now;
    this.upstream.isThere(this.#canonical, now);
    runs.writing++;
    const wasTrial = this.#isTrial;
    if (wasTrial) {
      this.#isTrial = false;
      this.upstream.breaker.ended('good', now, true);
    }
    if (this.cold || wasTrial) this.#events.onWarm();
    if (this.upstream.settings.slots !== undefined) return;
    runs.learner.began(runs.writing);
    if (this.#triesSlot) runs.learner.tryEnded(runs.writing > 1, now);
  }

  release(outcome: PlaceOutcome, code?: ErrorCode): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { upstream } = this;
    const runs = this.#runs;
    const now = this.#clock.now();
    runs.inFlight--;
    upstream.totalInFlight--;
    runs.lastUsedAt = now;
    if (this.#beganAt !== undefined) runs.writing--;
    if (outcome === 'done') {
      runs.serviceMs.add(now - (this.cold ? (this.#beganAt ?? this.#takenAt) : this.#takenAt));
      // The end of one while another waits to begin: the server has no slot for both.
      if (upstream.settings.slots === undefined) runs.learner.tryEnded(false, now);
    } else if (this.#triesSlot) runs.learner.tryEnded(this.#beganAt !== undefined, now);
    if (runs.inFlight === 0) runs.loadingSince = undefined;
    if (outcome === 'failed') runs.warmAt = Number.NEGATIVE_INFINITY;
    if (code === 'model_not_found') upstream.catalog.refused(this.#canonical);
    upstream.ends[outcome]++;
    upstream.ended(outcome, code, this.#isTrial, this.#who);
    this.#events.onOver(outcome);
  }
}
