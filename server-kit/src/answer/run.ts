import { ProtocolError, type StreamEventBody } from '@ziggie/llm-protocol';
import type { AnswerFilter } from '../content/content.ts';
import type { RequestContext } from '../context.ts';
import { asFailure, type KitFailure } from '../failure.ts';
import type { Settings } from '../kit-options.ts';
import type { Lease } from '../lease.ts';
import { outrunFailure } from '../limits/limit-failure.ts';
import type { AnswerMeter } from '../limits/meter.ts';
import type { PlaceInLine } from '../queue/place-in-line.ts';
import { recordFailure, streamFailure } from '../upstream/failures.ts';
import {
  type AttemptEvents,
  type AttemptParts,
  type AttemptRequest,
  Attempts,
} from '../upstreams/attempts.ts';
import type { Place } from '../upstreams/places.ts';
import type { Arrival } from '../upstreams/record-decoder.ts';
import type { Waiter } from '../waiter.ts';
import type { AnswerRun } from './answer-run.ts';
import { Continuation, type RestCall } from './continuation.ts';
import { PhaseClock } from './phase-clock.ts';

/** Longest time from the first token to the end, in ms: 15 min. */
const maxWritingMs = 900_000;
/** How often a model that loads is asked for, and how long a load must last to be worth telling, in ms. */
const loadTickMs = 1000;
const firstTickMs = 250;
/** How old a look at the memory may be by then: less than the first tick, and shared by streams that look together. */
const freshMs = 200;

/** What a run needs of the kit. */
export interface RunParts extends AttemptParts {
  settings: Settings;
  /** Answers that another server went on with after theirs had died. */
  continued: { count: number };
}

/** What is to be run. */
export interface RunRequest extends AttemptRequest {
  /** The model as the caller named it, and as the upstreams do. */
  asked: string;
  model: string;
  /** Whether Ollama may hold text back (tools, formats). */
  holdsBack: boolean;
  /** The request for the rest of an answer that has begun. Absent where nobody can go on. */
  restCall?: RestCall | undefined;
  /** Most tokens of the answer. */
  maxTokens: number;
  /** Tokens of the input, before anybody has counted them. */
  estimatedInputTokens: number;
  /** What the answer goes through before anybody sees it. */
  filter?: AnswerFilter | undefined;
  /** Counts the answer, and says when it is longer than its quota. */
  meter?: AnswerMeter | undefined;
}

/**
 * One generation as the kit sees it: its records, its clocks, its model's load. How it is written to the caller is the
 * business of a stream or of a complete answer.
 */
export class Run implements AnswerRun, Waiter {
  readonly request: RunRequest;
  /** In whose log line it stands. */
  context: RequestContext;
  readonly lease: Lease;
  readonly #parts: RunParts;
  readonly #meter: AnswerMeter | undefined;
  readonly #filter: AnswerFilter | undefined;
  readonly #clock: PhaseClock;
  readonly #attempts: Attempts;
  readonly #startedAt: number;
  #loading = false;
  readonly #askedAt: number;
  #placedAt: number | undefined;
  #failure: KitFailure | undefined;
  #firstTokenAt: number | undefined;
  /** Tries that the log knows of. */
  #told = 0;
  /** Events of a whole answer whose end is being waited for. */
  #last: StreamEventBody[] | undefined;
  /** What was said so far, where another server may go on with it. */
  readonly #continuation: Continuation | undefined;
  /** Another server goes on, and nothing of it is here yet. */
  #isGoingOn = false;
  /** Told when it is worth taking again after there was nothing. */
  waiter: Waiter | undefined;
  /** Called while the model is being loaded, about once a second. */
  onLoading: ((elapsedMs: number, typicalMs: number | null) => void) | undefined;
  /** Called while the request waits for a place, whenever its own changes. */
  onQueued: ((place: PlaceInLine) => void) | undefined;
  /** Called once it has a place. */
  onPlaced: (() => void) | undefined;

  constructor(parts: RunParts, request: RunRequest, context: RequestContext, lease: Lease) {
    const { settings } = parts;
    this.#parts = parts;
    this.request = request;
    this.context = context;
    this.lease = lease;
    this.#meter = request.meter;
    this.#filter = request.filter;
    this.#startedAt = settings.clock.now() - context.elapsedMs;
    this.#clock = new PhaseClock(settings.clock, lease);
    const { continuation } = settings;
    this.#continuation =
      continuation && request.restCall
        ? new Continuation(continuation.models, request.restCall, request.maxTokens)
        : undefined;
    const events: AttemptEvents = {
      onMove: (place) => {
        // What has begun to be written is not told to wait.
        if (!this.hasBegun) this.onQueued?.(place);
      },
      onPlace: this.#onPlace,
      onLoaded: this.#onLoaded,
    };
    this.#attempts = new Attempts(parts, request, lease, this.#clock, events, this);
    this.#askedAt = settings.clock.now();
  }

  readonly #onPlace = (place: Place): void => {
    if (!this.hasBegun) {
      const { clock, requestMetrics } = this.#parts.settings;
      this.#placedAt = clock.now();
      requestMetrics?.placed(this.request.model, this.#placedAt - this.#askedAt);
      this.onPlaced?.();
    }
    this.#clock.enter('first_token_timeout', this.#parts.settings.timeouts.firstTokenMs);
    // Mostly it is known to be there.
    if (place.upstream.catalog.isKnownLoaded(this.request.model) !== true) void this.#watchLoad(place);
  };

  readonly #onLoaded = (): void => {
    if (this.lease.signal.aborted) return;
    this.#clock.enter('first_token_timeout', this.#parts.settings.timeouts.firstTokenMs);
  };

  /** There may be more to take. */
  onReady(): void {
    this.waiter?.onReady();
  }

  /** Whether it wrote anything that was passed on. */
  get hasBegun(): boolean {
    return this.#firstTokenAt !== undefined;
  }

  /** Whether the model server was asked. */
  get wasSent(): boolean {
    return this.#attempts.wasSent;
  }

  /** Whether all that is here has been taken, and the waiter is told when there is more. */
  get isDry(): boolean {
    return this.#failure === undefined && this.#last === undefined && this.#attempts.isDry;
  }

  /** Whether the answer is whole. */
  get ended(): boolean {
    return this.#attempts.ended && this.#failure === undefined;
  }

  /** The place it runs on, once it has one. */
  get place(): Place | undefined {
    return this.#attempts.place;
  }

  /** Gives the place back. Harmless when repeated. */
  release(): void {
    this.#attempts.release(this.lease.failure ?? this.#failure);
    this.#tell();
  }

  /** Goes on for another request: what was done so far stands in the log line of the one before. */
  handTo(context: RequestContext): void {
    this.#tell();
    this.context = context;
  }

  #tell(): void {
    this.context.attempts += this.#attempts.tries - this.#told;
    this.#told = this.#attempts.tries;
    this.context.upstream = this.place?.upstream.id ?? this.context.upstream;
  }

  /**
   * The events that are here, maybe none; `undefined` while there is nothing to read: then the waiter is told when it
   * is worth asking again.
   *
   * @throws {KitFailure} behind everything that came before it.
   */
  take(): StreamEventBody[] | undefined {
    try {
      return this.#take();
    } catch (thrown) {
      this.#failure = asFailure(thrown);
      if (!this.#attempts.moves(this.#failure) && !this.#goesOn(this.#failure)) throw thrown;
      this.#failure = undefined;
      return this.take();
    }
  }

  /** Whether another server writes the rest. */
  #goesOn(failure: KitFailure): boolean {
    const { place } = this;
    const rest = place && this.#continuation?.rest(place.upstream, this.request.ask.model);
    if (!rest || !this.#attempts.goesOn(failure, rest)) return false;
    this.#isGoingOn = true;
    this.#parts.continued.count++;
    return true;
  }

  /** The next events, maybe none; waits for them where they are not here. Throws or rejects with a `KitFailure`. */
  next(): StreamEventBody[] | Promise<StreamEventBody[]> {
    return this.take() ?? this.#awaited();
  }

  async #awaited(): Promise<StreamEventBody[]> {
    for (;;) {
      await new Promise<void>((resolve) => {
        this.waiter = { onReady: resolve };
      });
      const events = this.take();
      if (events !== undefined) return events;
    }
  }

  #take(): StreamEventBody[] | undefined {
    if (this.#failure) throw this.#failure;
    if (this.#last) return this.#finish(this.#last);
    const records = this.#attempts.take();
    if (records === undefined) return undefined;
    const events: StreamEventBody[] = [];
    try {
      for (const record of records) {
        this.#read(record, events);
        if (this.#attempts.ended) return this.#finish(events);
      }
    } catch (thrown) {
      if (events.length === 0) throw thrown;
      // What came before it is passed on first.
      this.#failure = asFailure(thrown);
    }
    return events;
  }

  #finish(events: StreamEventBody[]): StreamEventBody[] | undefined {
    this.#last = events;
    return this.#attempts.isOver() ? events : undefined;
  }

  #read(arrival: Arrival, out: StreamEventBody[]): void {
    const before = out.length;
    try {
      if (typeof arrival === 'object') out.push(arrival);
      else this.#attempts.decoder?.read(arrival, out);
      for (let at = before; at < out.length; at++) {
        const event = out[at] as StreamEventBody;
        if (event.type === 'error') throw streamFailure(event.code, event.retryable);
        this.#see(event);
      }
      // What is beyond the quota is not passed on.
      if (this.#meter?.isOver) throw outrunFailure();
    } catch (thrown) {
      out.length = before;
      throw thrown instanceof ProtocolError ? recordFailure(thrown) : thrown;
    }
    const filter = this.#filter;
    if (filter) for (const event of filter.apply(out.splice(before))) out.push(event);
  }

  #see(event: StreamEventBody): void {
    if (this.#continuation) this.#sew(this.#continuation, event);
    else this.#meter?.see(event);
    switch (event.type) {
      case 'thinking-delta':
      case 'text-delta':
      case 'tool-call':
        if (this.#firstTokenAt === undefined) this.#begin();
        else this.#clock.touch();
        return;
      case 'usage':
        this.context.inputTokens = event.inputTokens;
        this.context.outputTokens = event.outputTokens;
        return;
      case 'done': {
        const { timings } = event;
        const { requestMetrics } = this.#parts.settings;
        requestMetrics?.answered(this.request.model, event, this.context.outputTokens ?? 0);
        const now = this.#parts.settings.clock.now();
        timings.totalMs = rounded(now - this.#startedAt);
        if (this.#firstTokenAt !== undefined) timings.ttftMs = rounded(this.#firstTokenAt - this.#startedAt);
        else this.#answers();
        if (this.#placedAt !== undefined && this.#placedAt > this.#askedAt) {
          timings.queueMs = rounded(this.#placedAt - this.#askedAt + (timings.queueMs ?? 0));
        }
        const { loadMs } = this.#attempts;
        if (loadMs !== undefined) timings.loadMs = rounded(loadMs);
        else if (this.#loading && timings.loadMs !== undefined) {
          this.place?.upstream.catalog.learnLoadTime(this.request.model, timings.loadMs);
        }
      }
    }
  }

  /** Keeps what is said, and counts two servers as one. */
  #sew(continuation: Continuation, event: StreamEventBody): void {
    continuation.see(event);
    if (this.#isGoingOn && event.type !== 'usage') {
      this.#isGoingOn = false;
      this.#answers();
      const { timeouts } = this.#parts.settings;
      this.#clock.enter('idle_timeout', this.request.holdsBack ? timeouts.idleWithToolsMs : timeouts.idleMs);
    }
    if (event.type === 'usage') continuation.addUp(event);
    this.#meter?.see(event);
    if (event.type === 'usage' && continuation.isSewn) event.source = 'estimated';
  }

  /** The model is in memory, whatever the list says. An answer without a token (vectors) shows it at its end. */
  #answers(): void {
    this.#attempts.began();
    this.place?.upstream.catalog.sawAnswer(this.request.model);
  }

  /** The first token is here: only silence and sheer length can end the answer now. */
  #begin(): void {
    const { clock, timeouts } = this.#parts.settings;
    this.#firstTokenAt = clock.now();
    this.#learnFirstToken(this.#firstTokenAt);
    this.#parts.settings.requestMetrics?.firstToken(this.request.model, this.#firstTokenAt - this.#startedAt);
    this.#answers();
    this.#clock.enter('idle_timeout', this.request.holdsBack ? timeouts.idleWithToolsMs : timeouts.idleMs);
    this.#clock.endAfter(maxWritingMs);
  }

  #learnFirstToken(now: number): void {
    const { hedging } = this.#parts;
    if (!hedging || this.#placedAt === undefined || this.#loading || this.#attempts.loadMs !== undefined)
      return;
    hedging.learn(this.request.model, now - this.#placedAt);
  }

  /** Tells while the model is brought into memory; that time is not the first token's. */
  async #watchLoad(place: Place): Promise<void> {
    const { settings } = this.#parts;
    const { catalog } = place.upstream;
    if ((await catalog.isLoaded(this.request.model)) !== false || !this.#waits(place)) return;
    this.#loading = true;
    this.#clock.enter('load_timeout', settings.timeouts.loadMs);
    const look = async () => {
      if (!this.#waits(place)) return;
      if ((await catalog.isLoaded(this.request.model, freshMs)) === true) {
        if (this.#waits(place)) this.#clock.enter('first_token_timeout', settings.timeouts.firstTokenMs);
        return;
      }
      if (!this.#waits(place)) return;
      this.onLoading?.(
        rounded(settings.clock.now() - this.#startedAt),
        catalog.typicalLoadMs(this.request.model),
      );
      this.lease.setTimer(() => void look(), loadTickMs);
    };
    this.lease.setTimer(() => void look(), firstTickMs);
  }

  #waits(place: Place): boolean {
    if (this.#firstTokenAt !== undefined || this.place !== place) return false;
    return !this.#attempts.ended && !this.lease.signal.aborted;
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
