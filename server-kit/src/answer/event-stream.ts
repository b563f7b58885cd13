import type { StreamEvent, StreamEventBody } from '@ziggie/llm-protocol';
import type { Clock } from '../clock.ts';
import { asFailure, failureEvent, type KitFailure } from '../failure.ts';
import type { PlaceInLine } from '../queue/place-in-line.ts';
import { newId } from '../request/request-id.ts';
import type { Waiter } from '../waiter.ts';
import type { AnswerRun } from './answer-run.ts';

/** Where the events of a stream go: a body of bytes, or one request of a WebSocket. */
export interface EventSink {
  /** Takes events in order. It asks for more with {@link EventStream.pull} when it has room. */
  write(events: readonly StreamEvent[]): void;
  /** Nothing was written for the heartbeat's time. A sink with a sign of life of its own ignores it. */
  beat(): void;
  /** The last event has been written. */
  end(): void;
}

/** Where events come from. */
export interface EventSource {
  /** Says where the events go; they flow from here on. */
  attach(sink: EventSink): void;
  /** The sink has room for more. */
  pull(): void;
  /** The reader has gone. */
  leave(): void;
}

/** What a stream says of itself. */
export interface StreamNature {
  id?: string | undefined;
  /** Whether a reader may come back. Default not. */
  isResumable?: boolean | undefined;
}

/**
 * When `start` goes out by itself, in ms: a reader who waits longer wants to know that the model has the question. Until
 * then a failure keeps its HTTP status, and most refusals of a model server come within a few milliseconds.
 */
const startAfterMs = 500;

/**
 * A run as numbered events, `start` first, exactly one `done` or `error` last. Pulled: what its sink does not ask for is
 * not read from the model server.
 *
 * The first event is read ahead, because it decides the status line: a failure before it keeps its real HTTP status, one
 * after it is an `error` event. Without one, `start` goes out alone after half a second.
 */
export class EventStream implements EventSource, Waiter {
  readonly #run: AnswerRun;
  readonly #heartbeatMs: number;
  readonly #clock: Clock;
  readonly #isResumable: boolean;
  readonly id: string;
  #sink: EventSink | undefined;
  /** What was read before there was a sink. */
  #waiting: StreamEvent[] = [];
  #isWanted = false;
  #isFlowing = false;
  #seq = 0;
  #over = false;
  #lastWriteAt: number;
  #settleFirst: (failure: KitFailure | undefined) => void = () => {};

  constructor(
    run: AnswerRun,
    heartbeatMs: number,
    clock: Clock,
    { id = newId('run'), isResumable = false }: StreamNature = {},
  ) {
    this.id = id;
    this.#isResumable = isResumable;
    this.#run = run;
    this.#heartbeatMs = heartbeatMs;
    this.#clock = clock;
    this.#lastWriteAt = run.lease.openedAt;
    run.onLoading = this.#onLoading;
    run.onQueued = this.#onQueued;
    run.waiter = this;
    run.lease.signal.addEventListener('abort', this.#onAbort, { once: true });
    this.#beat(Math.max(0, Math.min(startAfterMs, heartbeatMs) - (clock.now() - run.lease.openedAt)));
    this.pull();
  }

  /** Resolves when the status line may go out: `undefined` for 200, else the failure to answer with. */
  readonly first = new Promise<KitFailure | undefined>((resolve) => {
    this.#settleFirst = resolve;
  });

  /** Says where the events go; they flow from here on. */
  attach(sink: EventSink): void {
    this.#sink = sink;
    const waiting = this.#waiting;
    this.#waiting = [];
    if (waiting.length > 0) sink.write(waiting);
    if (this.#over) sink.end();
    else if (waiting.length === 0) this.pull();
  }

  /** Asks for more: at least one event will be written, or the stream ends. Harmless while that goes on. */
  pull(): void {
    this.#isWanted = true;
    this.#flow();
  }

  /** The run may have more. */
  onReady(): void {
    this.#flow();
  }

  /** Writes what is here while somebody wants it. No promise and no closure per token. */
  #flow(): void {
    // A sink with room asks for more while it takes what it is given: the loop goes on then.
    if (this.#isFlowing) return;
    this.#isFlowing = true;
    const run = this.#run;
    try {
      while (this.#isWanted && !this.#over) {
        const events = run.take();
        if (events === undefined) break;
        if (events.length > 0) {
          this.#isWanted = false;
          this.#write(events);
        }
        // It is not asked twice per token.
        if (run.isDry) break;
        if (run.ended) this.#finish('ok', 200);
      }
    } catch (thrown) {
      this.#fail(asFailure(thrown));
    } finally {
      this.#isFlowing = false;
    }
  }

  #write(events: readonly StreamEventBody[]): void {
    if (this.#over) return;
    let numbered = events as StreamEvent[];
    const isFirst = this.#seq === 0;
    if (isFirst) numbered = [this.#startEvent() as StreamEvent, ...numbered];
    // In place: nobody else has these objects.
    for (const event of numbered) event.seq = this.#seq++;
    this.#lastWriteAt = this.#clock.now();
    if (this.#sink) this.#sink.write(numbered);
    else this.#waiting.push(...numbered);
    // Once: a promise that is settled again is noted by Node, at a price.
    if (isFirst) this.#settleFirst(undefined);
  }

  readonly #onLoading = (elapsedMs: number, typicalMs: number | null): void => {
    this.#write([{ type: 'loading', model: this.#run.request.asked, elapsedMs, typicalMs }]);
  };

  readonly #onQueued = (place: PlaceInLine): void => this.#write([{ type: 'queued', ...place }]);

  #startEvent(): StreamEventBody {
    const { asked, model } = this.#run.request;
    const { cache } = this.#run.context;
    const resumable = this.#isResumable;
    return { type: 'start', id: this.id, model: asked, upstreamModel: model, resumable, cache };
  }

  /** A byte at least every interval. The first one is the `start` event itself, if nothing else came before. */
  #beat(delayMs: number): void {
    this.#run.lease.setTimer(() => {
      if (this.#seq === 0) this.#write([]);
      const restMs = this.#heartbeatMs - (this.#clock.now() - this.#lastWriteAt);
      if (restMs > 0) {
        this.#beat(restMs);
        return;
      }
      this.#sink?.beat();
      this.#lastWriteAt = this.#clock.now();
      this.#beat(this.#heartbeatMs);
    }, delayMs);
  }

  #fail(failure: KitFailure): void {
    if (this.#over) return;
    // A sink with room asks for more while it takes the error: nothing comes behind it, least of all the error again.
    this.#isWanted = false;
    this.#isFlowing = true;
    if (this.#seq > 0) this.#write([failureEvent(failure, this.#run.context.id)]);
    this.#settleFirst(failure);
    this.#finish(failure.code === 'aborted' ? 'left' : 'failed', failure.status, failure);
  }

  #finish(outcome: 'ok' | 'failed' | 'left', status: number, failure?: KitFailure): void {
    if (this.#over) return;
    this.#over = true;
    this.#sink?.end();
    this.#run.lease.close();
    // What failed before its first event is whoever opened the stream's to tell: another model may answer yet.
    if (failure === undefined || this.#seq > 0) this.#run.context.log(outcome, status, failure);
  }

  readonly #onAbort = (): void => {
    const { lease } = this.#run;
    if (lease.hasLeft) this.leave();
    else if (lease.failure) this.#fail(lease.failure);
  };

  /** The reader has gone: the model server is let go at once. */
  readonly leave = (): void => {
    if (this.#over) return;
    this.#over = true;
    const { lease } = this.#run;
    lease.leave();
    this.#settleFirst(lease.failure);
    this.#sink?.end();
    this.#run.context.log('left', 499);
  };
}
