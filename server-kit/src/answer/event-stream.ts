import {
  encodeNdjson,
  encodeSse,
  NDJSON_CONTENT_TYPE,
  NDJSON_HEARTBEAT,
  SSE_CONTENT_TYPE,
  SSE_HEARTBEAT,
  type StreamEvent,
  type StreamEventBody,
} from '@ziggie/llm-protocol';
import { asFailure, failureEvent, type KitFailure } from '../failure.ts';
import { newId } from '../request/request-id.ts';
import type { Run } from './run.ts';

/** How events are written: NDJSON unless the caller asks for server-sent events. */
export interface Framing {
  contentType: string;
  heartbeat: string;
  encode(event: StreamEvent): string;
}

const ndjson: Framing = {
  contentType: NDJSON_CONTENT_TYPE,
  heartbeat: NDJSON_HEARTBEAT,
  encode: encodeNdjson,
};
const sse: Framing = { contentType: SSE_CONTENT_TYPE, heartbeat: SSE_HEARTBEAT, encode: encodeSse };

/** The framing that `Accept` asks for. */
export function framingFor(accept: string | null): Framing {
  return accept !== null && /(?:^|[,\s])text\/event-stream(?:[;,\s]|$)/i.test(accept) ? sse : ndjson;
}

/**
 * When `start` goes out by itself, in ms: a reader who waits longer wants to know that the model has the question. Until
 * then a failure keeps its HTTP status, and most refusals of a model server come within a few milliseconds.
 */
const startAfterMs = 500;
/** Bytes that wait for a slow reader before the model server is no longer read. */
const bufferBytes = 64 * 1024;
const encoder = new TextEncoder();

/**
 * Writes a run as a stream of events. Pulled: what the caller does not read is not read from the model server.
 *
 * The status line goes out with the first event; without one, `start` goes out alone after half a second. A failure before
 * that keeps its real HTTP status, one after it is an `error` event. Exactly one `done` or `error` ends the stream.
 */
export class EventStream {
  readonly #run: Run;
  readonly #framing: Framing;
  readonly #heartbeatMs: number;
  readonly id = newId('run');
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
  #controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;
  #seq = 0;
  #over = false;
  #lastWriteAt = 0;
  #settleFirst: (failure: KitFailure | undefined) => void = () => {};
  readonly #now: () => number;

  constructor(run: Run, framing: Framing, heartbeatMs: number, now: () => number) {
    this.#run = run;
    this.#framing = framing;
    this.#heartbeatMs = heartbeatMs;
    this.#now = now;
    this.#lastWriteAt = run.lease.openedAt;
    this.body = new ReadableStream<Uint8Array<ArrayBuffer>>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#pull(),
        cancel: () => this.#leave(),
      },
      { highWaterMark: bufferBytes, size: (chunk) => chunk.byteLength },
    );
    run.onLoading = (elapsedMs, typicalMs) => {
      this.#write([{ type: 'loading', model: run.request.asked, elapsedMs, typicalMs }]);
    };
    run.lease.signal.addEventListener('abort', () => this.#onAbort(), { once: true });
    this.#beat(Math.min(startAfterMs, heartbeatMs) - (now() - run.lease.openedAt));
  }

  /** Resolves when the status line may go out: `undefined` for 200, else the failure to answer with. */
  readonly first = new Promise<KitFailure | undefined>((resolve) => {
    this.#settleFirst = resolve;
  });

  async #pull(): Promise<void> {
    try {
      while (!this.#over) {
        const decoded = await this.#run.next();
        if (this.#over) return;
        const events = decoded.flatMap((one) => one.events);
        if (events.length > 0) this.#write(events);
        if (this.#run.ended) this.#finish('ok', 200);
        if (events.length > 0) return;
      }
    } catch (thrown) {
      this.#fail(asFailure(thrown));
    }
  }

  #write(events: readonly StreamEventBody[]): void {
    if (this.#over || !this.#controller) return;
    let text = '';
    if (this.#seq === 0) text = this.#encode(this.#startEvent());
    for (const event of events) text += this.#encode(event);
    this.#lastWriteAt = this.#now();
    this.#controller.enqueue(encoder.encode(text));
    this.#settleFirst(undefined);
  }

  #encode(event: StreamEventBody): string {
    return this.#framing.encode({ ...event, seq: this.#seq++ });
  }

  #startEvent(): StreamEventBody {
    const { asked, model } = this.#run.request;
    return { type: 'start', id: this.id, model: asked, upstreamModel: model, resumable: false };
  }

  /** A byte at least every interval. The first one is the `start` event itself, if nothing else came before. */
  #beat(delayMs: number): void {
    this.#run.lease.setTimer(() => {
      if (this.#seq === 0) this.#write([]);
      const restMs = this.#heartbeatMs - (this.#now() - this.#lastWriteAt);
      if (restMs > 0) {
        this.#beat(restMs);
        return;
      }
      // A reader that has not taken what is there needs no sign of life.
      if ((this.#controller?.desiredSize ?? 0) > 0) {
        this.#controller?.enqueue(encoder.encode(this.#framing.heartbeat));
      }
      this.#lastWriteAt = this.#now();
      this.#beat(this.#heartbeatMs);
    }, delayMs);
  }

  #fail(failure: KitFailure): void {
    if (this.#over) return;
    if (this.#seq > 0) this.#write([failureEvent(failure, this.#run.context.id)]);
    this.#settleFirst(failure);
    this.#finish('failed', failure.status, failure);
  }

  #finish(outcome: 'ok' | 'failed', status: number, failure?: KitFailure): void {
    this.#over = true;
    this.#controller?.close();
    this.#run.lease.close();
    this.#run.context.log(outcome, status, failure);
  }

  #onAbort(): void {
    const { lease } = this.#run;
    if (lease.hasLeft) this.#leave();
    else if (lease.failure) this.#fail(lease.failure);
  }

  #leave(): void {
    if (this.#over) return;
    this.#over = true;
    const { lease } = this.#run;
    lease.leave();
    this.#settleFirst(lease.failure);
    try {
      this.#controller?.close();
    } catch {
      // The reader has cancelled the stream already.
    }
    this.#run.context.log('left', 499);
  }
}
