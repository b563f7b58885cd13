import type { PhaseClock } from '../answer/phase-clock.ts';
import { UpstreamRecords } from '../answer/upstream-records.ts';
import { type KitFailure, shuttingDown } from '../failure.ts';
import type { Lease } from '../lease.ts';
import { faultsOf } from './faults.ts';
import type { Place, PlaceAsk, PlaceOutcome } from './places.ts';
import type { RetryBudget } from './retry-budget.ts';
import { decoderFor, type RecordDecoder, type UpstreamCall } from './upstream-call.ts';
import type { UpstreamDialect } from './upstream-settings.ts';

/** What the tries of one request need of the kit. */
export interface AttemptParts {
  /** Gives a place: now where one is free, else in its turn. Throws or rejects with a `KitFailure` when there is none. */
  takePlace: (ask: PlaceAsk, lease: Lease) => Place | Promise<Place>;
  budget: RetryBudget;
}

/** What is to be run, wherever that will be. */
export interface AttemptRequest {
  ask: PlaceAsk;
  callFor(dialect: UpstreamDialect, model: string): UpstreamCall;
}

/** Tries of one request: the first, and one more before anything was passed on. */
const mostTries = 2;

/**
 * Where one request runs: the place it has, and the way to another when the first upstream fails before its first token.
 * Whoever reads decides what is passed on; until {@link Attempts.began} nothing is.
 */
export class Attempts {
  readonly #parts: AttemptParts;
  readonly #request: AttemptRequest;
  readonly #lease: Lease;
  readonly #clock: PhaseClock;
  readonly #onPlace: (place: Place) => void;
  #place: Place | undefined;
  #records: UpstreamRecords | undefined;
  #decoder: RecordDecoder | undefined;
  #avoid: Set<string> | undefined;
  #tries = 0;
  #hasBegun = false;
  #firstFailure: KitFailure | undefined;

  /** @param onPlace Called for every place that is taken, before anything is sent. */
  constructor(
    parts: AttemptParts,
    request: AttemptRequest,
    lease: Lease,
    clock: PhaseClock,
    onPlace: (place: Place) => void,
  ) {
    this.#parts = parts;
    this.#request = request;
    this.#lease = lease;
    this.#clock = clock;
    this.#onPlace = onPlace;
    parts.budget.earn();
  }

  get place(): Place | undefined {
    return this.#place;
  }

  /** The reader of the present try's records. */
  get decoder(): RecordDecoder | undefined {
    return this.#decoder;
  }

  get ended(): boolean {
    return this.#decoder?.ended ?? false;
  }

  /** How many tries there were. */
  get tries(): number {
    return this.#tries;
  }

  /** The next records of the present try, maybe none; taken a place for first, if there is none yet. @throws {KitFailure} */
  next(): Promise<unknown[]> {
    return this.#records ? this.#records.next() : this.#open();
  }

  /** Waits a moment for the end of a whole answer. */
  async tail(): Promise<void> {
    await this.#records?.tail();
  }

  /** The first token is here: from now on the answer stays where it is. */
  began(): void {
    this.#hasBegun = true;
    this.#place?.began();
  }

  /**
   * Whether the request may be tried on another upstream after this failure; then the next {@link Attempts.next} does so.
   * The failed one is let go of either way.
   */
  moves(failure: KitFailure): boolean {
    const { mayMove } = faultsOf(failure.code);
    this.#firstFailure ??= failure;
    this.release(failure);
    if (!mayMove || this.#hasBegun || this.#lease.signal.aborted) return false;
    if (this.#tries >= mostTries || !this.#place || !this.#parts.budget.spend()) return false;
    this.#avoid ??= new Set();
    this.#avoid.add(this.#place.upstream.id);
    this.#records?.cancel();
    this.#records = undefined;
    this.#decoder = undefined;
    this.#place = undefined;
    return true;
  }

  /** Gives the place back, saying how it ended. Harmless when repeated. */
  release(failure: KitFailure | undefined): void {
    const { code } = failure ?? {};
    const outcome: PlaceOutcome =
      code === undefined ? (this.ended ? 'done' : 'left') : faultsOf(code).isFault ? 'failed' : 'left';
    this.#place?.release(outcome, code);
  }

  async #open(): Promise<unknown[]> {
    const { ask } = this.#request;
    try {
      const taken = this.#parts.takePlace(this.#avoid ? { ...ask, avoid: this.#avoid } : ask, this.#lease);
      const place = taken instanceof Promise ? await taken : taken;
      if (this.#lease.signal.aborted) {
        place.release('left');
        throw this.#lease.signal.reason ?? shuttingDown();
      }
      return await this.#send(place);
    } catch (thrown) {
      // There is no second place: what the first one said is the truer reason.
      if (this.#tries > 0 && !this.#place && this.#firstFailure && !this.#lease.signal.aborted) {
        throw this.#firstFailure;
      }
      throw thrown;
    }
  }

  #send(place: Place): Promise<unknown[]> {
    const { upstream, model } = place;
    this.#tries++;
    this.#place = place;
    this.#decoder = decoderFor(upstream.dialect);
    this.#onPlace(place);
    const call = this.#request.callFor(upstream.dialect, model);
    this.#records = new UpstreamRecords(upstream, call, this.#lease, this.#clock);
    return this.#records.next();
  }
}
