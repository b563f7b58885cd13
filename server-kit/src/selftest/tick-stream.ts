import type { StreamEvent, StreamEventBody } from '@ziggie/llm-protocol';
import type { EventSink, EventSource } from '../answer/event-stream.ts';
import type { Clock } from '../clock.ts';
import { newId } from '../request/request-id.ts';

/** How many pieces the self-test sends, and how far apart, in ms: a second in all, each as small as a token. */
const tickCount = 20;
const tickEveryMs = 50;

/**
 * Events at an even pace, as an answer would have them, for whoever measures how they arrive; each text is the time in ms
 * at which it was written. Paced by the clock and not by its reader: what a reader is behind shows.
 */
export class TickStream implements EventSource {
  readonly id = newId('run');
  readonly #clock: Clock;
  readonly #beganAt: number;
  #sink: EventSink | undefined;
  #seq = 0;
  #ticks = 0;
  #cancel = () => {};
  #isOver = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#beganAt = clock.now();
  }

  attach(sink: EventSink): void {
    this.#sink = sink;
    const model = 'selftest';
    this.#write({ type: 'start', id: this.id, model, upstreamModel: model, resumable: false });
    this.#tick();
  }

  pull(): void {}

  leave(): void {
    this.#isOver = true;
    this.#cancel();
  }

  #tick(): void {
    this.#write({ type: 'text-delta', text: `${Math.round(this.#clock.now() - this.#beganAt)}\n` });
    if (this.#isOver) return;
    if (++this.#ticks < tickCount) {
      this.#cancel = this.#clock.setTimer(() => this.#tick(), tickEveryMs);
      return;
    }
    const totalMs = this.#clock.now() - this.#beganAt;
    this.#write({ type: 'done', finishReason: 'stop', timings: { totalMs } });
    this.#isOver = true;
    this.#sink?.end();
  }

  #write(event: StreamEventBody): void {
    if (!this.#isOver) this.#sink?.write([{ ...event, seq: this.#seq++ } as StreamEvent]);
  }
}
