import type { StreamEventBody } from '@ziggie/llm-protocol';
import type { AnswerRun } from '../answer/answer-run.ts';
import type { RunRequest } from '../answer/run.ts';
import type { RequestContext } from '../context.ts';
import type { KitFailure } from '../failure.ts';
import type { Lease } from '../lease.ts';
import type { Meter } from '../limits/meter.ts';
import type { PlaceInLine } from '../queue/place-in-line.ts';
import type { Waiter } from '../waiter.ts';
import type { Generation } from './generation.ts';

/** What one request needs to have a part in a generation. */
export interface FollowerAsk {
  request: RunRequest;
  context: RequestContext;
  lease: Lease;
  /** Counts what this request pays for; nothing while another pays. */
  meter: Meter | undefined;
}

/**
 * One request's own view of a generation that it may share: all events from the first on, at its own pace, through its own
 * rules for content, with its own end.
 */
export class Follower implements AnswerRun {
  readonly request: RunRequest;
  readonly context: RequestContext;
  readonly lease: Lease;
  readonly meter: Meter | undefined;
  readonly #generation: Generation;
  readonly #isFirst: boolean;
  /** Number of the next event that it gets. */
  at = 0;
  /** Why it alone ends. */
  failure: KitFailure | undefined;
  /** Whether it asked for more than there was. */
  isWaiting = false;
  waiter: Waiter | undefined;
  onLoading: AnswerRun['onLoading'];
  onPlaced: (() => void) | undefined;
  #onQueued: AnswerRun['onQueued'];
  #wasSent = false;
  #ttftMs: number | undefined;

  constructor(generation: Generation, { request, context, lease, meter }: FollowerAsk, isFirst: boolean) {
    this.#generation = generation;
    this.request = request;
    this.context = context;
    this.lease = lease;
    this.meter = meter;
    this.#isFirst = isFirst;
  }

  set onQueued(listener: AnswerRun['onQueued']) {
    this.#onQueued = listener;
    // Whoever comes later wants to know at once where the one stands that it waits for.
    const { place } = this.#generation;
    if (place) listener?.(place);
  }

  get onQueued(): AnswerRun['onQueued'] {
    return this.#onQueued;
  }

  get ended(): boolean {
    return this.#generation.hasEnded && this.at >= this.#generation.length;
  }

  get hasBegun(): boolean {
    return this.#generation.hasBegun;
  }

  get wasSent(): boolean {
    return this.#wasSent || this.#generation.wasSentFor(this);
  }

  take(): StreamEventBody[] | undefined {
    const { signal, failure } = this.lease;
    if (signal.aborted) throw failure ?? signal.reason;
    if (this.failure) throw this.failure;
    this.isWaiting = false;
    const events = this.#generation.take(this);
    if (events === undefined) {
      this.isWaiting = true;
      return undefined;
    }
    for (const event of events) this.#see(event);
    const { filter } = this.request;
    return filter ? filter.apply(events) : events;
  }

  async next(): Promise<StreamEventBody[]> {
    for (;;) {
      const events = this.take();
      if (events !== undefined) return events;
      await this.#news();
    }
  }

  release(): void {
    this.#wasSent ||= this.#generation.wasSentFor(this);
    this.#generation.remove(this);
  }

  moved(place: PlaceInLine): void {
    this.#onQueued?.(place);
  }

  /** How long it took is each request's own; when the GPU did what is the same for all. */
  #see(event: StreamEventBody): void {
    if (event.type === 'usage' || event.type === 'start') return;
    const elapsedMs = Math.round(this.context.elapsedMs * 1000) / 1000;
    if (event.type !== 'done') this.#ttftMs ??= elapsedMs;
    else if (!this.#isFirst) {
      event.timings = { ...event.timings, totalMs: elapsedMs };
      if (this.#ttftMs !== undefined) event.timings.ttftMs = this.#ttftMs;
    }
  }

  /** Resolves when it is worth asking again; also when the request ends, which the generation need not hear of. */
  async #news(): Promise<void> {
    const { signal } = this.lease;
    let wake = () => {};
    await new Promise<void>((resolve) => {
      wake = resolve;
      this.waiter = { onReady: resolve };
      signal.addEventListener('abort', wake, { once: true });
    });
    signal.removeEventListener('abort', wake);
  }
}
