import type { DoneEvent, StreamEventBody } from '@ziggie/llm-protocol';
import type { AnswerRun } from '../answer/answer-run.ts';
import type { RunRequest } from '../answer/run.ts';
import type { RequestContext } from '../context.ts';
import type { Lease } from '../lease.ts';
import type { Waiter } from '../waiter.ts';
import type { KeptAnswer } from './kept-answer.ts';

/** Events that are handed on together. */
const batch = 16;

/**
 * A kept answer as if it were being written: every surface writes it as it writes any other, and what the operator wants
 * of answers holds for it as it is now, for whoever reads it.
 */
export class Replay implements AnswerRun {
  readonly request: RunRequest;
  readonly context: RequestContext;
  readonly lease: Lease;
  readonly hasBegun = true;
  readonly wasSent = false;
  waiter: Waiter | undefined;
  onLoading: AnswerRun['onLoading'];
  onQueued: AnswerRun['onQueued'];
  onPlaced: (() => void) | undefined;
  readonly #events: readonly StreamEventBody[];
  #at = 0;

  constructor(request: RunRequest, context: RequestContext, lease: Lease, kept: KeptAnswer) {
    this.request = request;
    this.context = context;
    this.lease = lease;
    const { events, usage, finishReason } = kept;
    const elapsedMs = Math.round(context.elapsedMs * 1000) / 1000;
    const done: DoneEvent = {
      type: 'done',
      finishReason,
      timings: events.length > 0 ? { ttftMs: elapsedMs, totalMs: elapsedMs } : { totalMs: elapsedMs },
    };
    this.#events = [...events, ...(usage ? [{ type: 'usage' as const, ...usage }] : []), done];
  }

  get ended(): boolean {
    return this.#at >= this.#events.length;
  }

  take(): StreamEventBody[] {
    const { signal } = this.lease;
    if (signal.aborted) throw signal.reason;
    const events = this.#events.slice(this.#at, this.#at + batch);
    this.#at += batch;
    const { filter } = this.request;
    return filter ? filter.apply(events) : events;
  }

  next(): Promise<StreamEventBody[]> {
    // What `take` throws is a rejection here.
    return new Promise((resolve) => resolve(this.take()));
  }

  release(): void {}
}
