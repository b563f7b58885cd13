import type { PhaseClock } from '../answer/phase-clock.ts';
import { UpstreamRecords } from '../answer/upstream-records.ts';
import { type KitFailure, shuttingDown } from '../failure.ts';
import type { Lease } from '../lease.ts';
import type { PlaceInLine } from '../queue/place-in-line.ts';
import type { PlaceLease } from '../queue/place-lease.ts';
import type { QueueAsk } from '../queue/waiting.ts';
import type { Stop } from '../stop.ts';
import type { Waiter } from '../waiter.ts';
import { type CacheSalts, withCacheSalt } from './cache-salt.ts';
import { faultsOf } from './faults.ts';
import type { Hedging } from './hedging.ts';
import type { Place, PlaceAsk, PlaceOutcome } from './places.ts';
import { type Leg, type LegLease, legLease, Race } from './race.ts';
import type { Arrival, RecordDecoder } from './record-decoder.ts';
import type { RetryBudget } from './retry-budget.ts';
import type { UpstreamCall } from './upstream-call.ts';
import type { UpstreamDialect } from './upstream-settings.ts';

/** What the tries of one request need of the kit. */
export interface AttemptParts {
  /**
   * Gives a place: now where one is free, else in its turn; `onMove` hears where it stands until then. Throws or rejects
   * with a `KitFailure` when there is none.
   */
  takePlace: (
    ask: QueueAsk,
    lease: Lease,
    onMove: (place: PlaceInLine) => void,
  ) => PlaceLease | Promise<PlaceLease>;
  /** Brings the model of a place into memory, if it must be. `undefined` when it is there. Rejects with a `KitFailure`. */
  load: (place: PlaceLease, lease: Lease) => Promise<number | undefined> | undefined;
  /** Asks all upstreams but these whether they live, and resolves when each has answered or failed. */
  prove: (avoid: ReadonlySet<string>) => Promise<void>;
  budget: RetryBudget;
  salts: CacheSalts;
  /** When a second upstream is asked while the first is silent. Default never. */
  hedging?: Hedging | undefined;
  /** A place beside the one that a request has, if one is free that nobody waits for and the model is there. */
  takeExtra: (ask: QueueAsk) => PlaceLease | undefined;
}

/** What is to be run, wherever that will be. */
export interface AttemptRequest {
  ask: PlaceAsk;
  /** How it stands in a line. */
  turn: Omit<QueueAsk, 'place'>;
  callFor(dialect: UpstreamDialect, model: string): UpstreamCall;
  decoderFor(dialect: UpstreamDialect): RecordDecoder;
  /** Whether asking twice does no harm and is worth while: an answer is written. */
  isWritten: boolean;
}

/** The rest of an answer that has begun. */
export interface RestOfAnswer {
  call: UpstreamCall;
  /** The file of the model that must write it. */
  digest: string;
}

/** What whoever reads an answer hears of its tries. */
export interface AttemptEvents {
  /** The request waits, and where. */
  onMove: (place: PlaceInLine) => void;
  /** A place was taken; nothing is sent yet. */
  onPlace: (place: Place) => void;
  /** The model was brought into memory. */
  onLoaded: () => void;
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
  readonly #events: AttemptEvents;
  readonly #waiter: Waiter;
  /** A place or a load is being waited for, or that has failed. */
  #waits: { failure?: unknown } | undefined;
  #place: PlaceLease | undefined;
  #records: UpstreamRecords | undefined;
  #decoder: RecordDecoder | undefined;
  #avoid: Set<string> | undefined;
  #tries = 0;
  #wasSent = false;
  #loadMs: number | undefined;
  #hasBegun = false;
  /** Ends the present try alone, where there may be a second beside it. */
  #stop: Stop | undefined;
  #race: Race | undefined;
  #cancelHedge: (() => void) | undefined;
  /** What is left of an answer whose server died in the middle. */
  #rest: RestOfAnswer | undefined;
  #firstFailure: KitFailure | undefined;

  /** @param waiter Told when it is worth asking for records again after there were none. */
  constructor(
    parts: AttemptParts,
    request: AttemptRequest,
    lease: Lease,
    clock: PhaseClock,
    events: AttemptEvents,
    waiter: Waiter,
  ) {
    this.#parts = parts;
    this.#request = request;
    this.#lease = lease;
    this.#clock = clock;
    this.#events = events;
    this.#waiter = waiter;
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

  /** Whether a model server was asked to answer. */
  get wasSent(): boolean {
    return this.#wasSent;
  }

  /** How long the model was brought into memory before it was asked, in ms. */
  get loadMs(): number | undefined {
    return this.#loadMs;
  }

  /** How many tries there were. */
  get tries(): number {
    return this.#tries;
  }

  /**
   * The records of the present try that are here, `undefined` while there are none; a place is taken for it first.
   *
   * @throws {KitFailure}
   */
  take(): Arrival[] | undefined {
    if (!this.#records) this.#open();
    if (this.#race) return this.#takeFrom(this.#race);
    return this.#records?.take();
  }

  /** Whether all that is here of the present try has been taken; the waiter is told when there is more. */
  get isDry(): boolean {
    return this.#records?.isDry ?? false;
  }

  /** Whether the end that follows a whole answer is here; if not, the waiter is told when it is or after a moment. */
  isOver(): boolean {
    return this.#records?.isOver() ?? true;
  }

  /** The first token is here: from now on the answer stays where it is. */
  began(): void {
    this.#hasBegun = true;
    this.#cancelHedge?.();
    this.#place?.began();
  }

  /**
   * Whether the request may be tried on another upstream after this failure; then the next {@link Attempts.take} does so.
   * The failed one is let go of either way.
   */
  moves(failure: KitFailure): boolean {
    const { mayMove } = faultsOf(failure.code);
    this.#cancelHedge?.();
    this.#firstFailure ??= failure;
    this.release(failure);
    if (!mayMove || this.#hasBegun || this.#lease.signal.aborted) return false;
    if (this.#tries >= mostTries || !this.#place) return false;
    this.#leave(this.#place);
    return true;
  }

  /**
   * Lets another upstream write the rest of an answer that has begun, once, if the budget has a try for it; then the next
   * {@link Attempts.take} does so. The failed one has been let go of.
   */
  goesOn(failure: KitFailure, rest: RestOfAnswer): boolean {
    if (!faultsOf(failure.code).mayMove || this.#rest || !this.#place || this.#lease.signal.aborted)
      return false;
    if (this.#parts.budget.left < 1) return false;
    this.#rest = rest;
    this.#firstFailure = failure;
    this.#leave(this.#place);
    return true;
  }

  /** Gives the place back, saying how it ended. Harmless when repeated. */
  release(failure: KitFailure | undefined): void {
    this.#cancelHedge?.();
    this.#race?.end(failure);
    this.#race = undefined;
    const { code } = failure ?? {};
    const outcome: PlaceOutcome =
      code === undefined ? (this.ended ? 'done' : 'left') : faultsOf(code).isFault ? 'failed' : 'left';
    this.#place?.release(outcome, code);
  }

  #leave({ upstream }: PlaceLease): void {
    this.#avoid ??= new Set();
    this.#avoid.add(upstream.id);
    this.#records?.cancel();
    this.#stop = undefined;
    this.#records = undefined;
    this.#decoder = undefined;
    this.#place = undefined;
  }

  #open(): void {
    if (this.#waits) {
      const { failure } = this.#waits;
      if (failure === undefined) return;
      this.#waits = undefined;
      throw failure;
    }
    const { ask, turn } = this.#request;
    const { priority, weight, requestId } = turn;
    try {
      const ready = this.#avoid
        ? this.#openAgain(this.#avoid)
        : this.#openWith({ place: ask, priority, weight, requestId });
      if (ready !== undefined) this.#await(ready);
    } catch (thrown) {
      throw this.#truer(thrown);
    }
  }

  #openWith(wanted: QueueAsk): Promise<void> | undefined {
    const taken = this.#parts.takePlace(wanted, this.#lease, this.#events.onMove);
    return taken instanceof Promise
      ? taken.then((place) => this.#prepare(place, wanted))
      : this.#prepare(taken, wanted);
  }

  /**
   * Beyond the budget only what has just shown that it lives may be tried: one look at it serves all who want to know.
   * Whoever has been let down has waited already.
   */
  async #openAgain(avoid: ReadonlySet<string>): Promise<void> {
    const steadyOnly = this.#parts.budget.left < 1;
    if (steadyOnly) await this.#lease.during(this.#parts.prove(avoid));
    const { ask, turn } = this.#request;
    const digest = this.#rest?.digest;
    await this.#openWith({ ...turn, place: { ...ask, avoid, steadyOnly, digest }, priority: 'urgent' });
  }

  #await(ready: Promise<void>): void {
    this.#waits = {};
    void ready
      .then(
        () => {
          this.#waits = undefined;
        },
        (thrown: unknown) => {
          this.#waits = { failure: this.#truer(thrown) };
        },
      )
      .then(() => this.#waiter.onReady());
  }

  /** Where there is no second place, what the first one said is the truer reason. */
  #truer(thrown: unknown): unknown {
    const isSecond = this.#tries > 0 && !this.#place && !this.#lease.signal.aborted;
    return (isSecond ? this.#firstFailure : undefined) ?? thrown ?? shuttingDown();
  }

  /** Loads the model if it must be, then asks; a promise only where that takes time. */
  #prepare(place: PlaceLease, { place: { avoid, steadyOnly } }: QueueAsk): Promise<void> | undefined {
    const { signal } = this.#lease;
    if (signal.aborted) {
      place.release('left');
      throw signal.reason ?? shuttingDown();
    }
    if (avoid && !steadyOnly) this.#parts.budget.spend();
    this.#tries++;
    this.#place = place;
    this.#decoder = this.#request.decoderFor(place.upstream.dialect);
    this.#events.onPlace(place);
    const loading = this.#parts.load(place, this.#lease);
    if (loading === undefined) {
      this.#send(place);
      return undefined;
    }
    this.#clock.resume();
    return loading.then((loadMs) => {
      this.#loadMs = loadMs;
      this.#events.onLoaded();
      this.#send(place);
    });
  }

  #send(place: PlaceLease): void {
    this.#wasSent = true;
    const delayMs = this.#hedgeAfterMs(place);
    if (delayMs === undefined) {
      this.#records = this.#ask(place, this.#decoder, this.#lease);
      return;
    }
    const { lease, stop } = legLease(this.#lease);
    this.#stop = stop;
    this.#records = this.#ask(place, this.#decoder, lease);
    this.#cancelHedge = this.#lease.setTimer(() => this.#hedge(), delayMs);
  }

  #ask(
    { upstream, model }: PlaceLease,
    decoder: RecordDecoder | undefined,
    lease: LegLease,
  ): UpstreamRecords {
    const { ask, isWritten } = this.#request;
    const plain = this.#rest?.call ?? this.#request.callFor(upstream.dialect, model);
    const salt = isWritten ? this.#parts.salts.of(upstream.cacheSalt, ask) : undefined;
    const call = salt === undefined ? plain : withCacheSalt(plain, salt);
    return new UpstreamRecords(upstream, call, decoder, lease, this.#clock, this.#waiter);
  }

  /** How long the first try is waited for; a load takes its time everywhere, so nothing is gained there. */
  #hedgeAfterMs(place: PlaceLease): number | undefined {
    const { hedging } = this.#parts;
    const mayBe = hedging && this.#request.isWritten && this.#tries === 1;
    return mayBe && !place.cold && this.#loadMs === undefined ? hedging.delayMs(place.model) : undefined;
  }

  /** The first is silent: a second one that has the model is asked beside it, if that is in nobody's way. */
  #hedge(): void {
    const [place, records, decoder, stop] = [this.#place, this.#records, this.#decoder, this.#stop];
    const { budget, hedging, takeExtra } = this.#parts;
    if (!place || !records || !decoder || !stop || this.#hasBegun || this.#lease.signal.aborted) return;
    if (budget.left < 1) return;
    const { ask, turn } = this.#request;
    const extra = takeExtra({ ...turn, place: { ...ask, avoid: new Set([place.upstream.id]) } });
    if (extra === undefined) return;
    budget.spend();
    this.#tries++;
    if (hedging) hedging.sent++;
    const own = legLease(this.#lease);
    const other = this.#request.decoderFor(extra.upstream.dialect);
    const second: Leg = {
      place: extra,
      records: this.#ask(extra, other, own.lease),
      decoder: other,
      stop: own.stop,
    };
    this.#race = new Race({ place, records, decoder, stop }, second, (leg) =>
      this.#request.decoderFor(leg.place.upstream.dialect),
    );
    this.#waiter.onReady();
  }

  #takeFrom(race: Race): Arrival[] | undefined {
    const won = race.take();
    // Whoever asks where it runs is told of one that does.
    const leg = won?.leg ?? race.legs[0];
    if (leg && leg.place !== this.#place) {
      this.#place = leg.place;
      this.#records = leg.records;
      this.#decoder = leg.decoder;
      this.#stop = leg.stop;
    }
    if (!won) return undefined;
    if (this.#parts.hedging && won.leg.place !== race.first.place) this.#parts.hedging.won++;
    this.#race = undefined;
    return won.records;
  }
}
