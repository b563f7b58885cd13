import type { ServerResponse } from 'node:http';
import type { StreamEvent } from '@ziggie/llm-protocol';
import type { EventSink, EventSource } from '../answer/event-stream.ts';
import type { Framing } from '../answer/framing.ts';
import type { PumpOptions } from './body-pump.ts';
import { ResponseWriter } from './response-writer.ts';

/** Writes the events of a stream straight to a Node response: one write for what came together, no web stream in between. */
export class EventPump implements EventSink {
  readonly #stream: EventSource;
  readonly #framing: Framing;
  readonly #out: ResponseWriter;
  readonly #options: PumpOptions;
  #cancelStallTimer: (() => void) | undefined;
  #wrote = false;
  #stopped = false;

  constructor(stream: EventSource, framing: Framing, res: ServerResponse, options: PumpOptions) {
    this.#stream = stream;
    this.#framing = framing;
    this.#out = new ResponseWriter(res, this.#onDrain);
    this.#options = options;
  }

  start(): void {
    this.#stream.attach(this);
  }

  /** Whether a byte of the body has been handed on. */
  get wrote(): boolean {
    return this.#wrote;
  }

  write(events: readonly StreamEvent[]): void {
    let text = '';
    for (const event of events) text += this.#framing.encode(event);
    this.#put(text);
    if (!this.#stopped && this.#cancelStallTimer === undefined) this.#stream.pull();
  }

  beat(): void {
    // A reader that has not taken what is there needs no sign of life.
    if (this.#cancelStallTimer === undefined) this.#put(this.#framing.heartbeat);
  }

  end(): void {
    if (!this.#end()) return;
    try {
      this.#out.end();
    } catch {
      this.#options.onBroken();
    }
  }

  /** The reader has gone: nothing more is written, the run is told. */
  stop(_reason?: unknown): void {
    if (this.#end()) this.#stream.leave();
  }

  #put(text: string): void {
    if (this.#stopped) return;
    this.#wrote = true;
    // The host's middleware may have wrapped the response: what it throws must not end the process.
    try {
      if (!this.#out.write(text)) {
        this.#cancelStallTimer ??= this.#options.clock.setTimer(this.#onStall, this.#options.stallTimeoutMs);
      }
    } catch {
      this.#break();
    }
  }

  readonly #onDrain = (): void => {
    if (this.#cancelStallTimer === undefined || this.#stopped) return;
    this.#cancelStallTimer();
    this.#cancelStallTimer = undefined;
    this.#stream.pull();
  };

  readonly #onStall = (): void => this.#break();

  #break(): void {
    this.stop();
    this.#options.onBroken();
  }

  #end(): boolean {
    if (this.#stopped) return false;
    this.#stopped = true;
    this.#out.release();
    this.#cancelStallTimer?.();
    this.#cancelStallTimer = undefined;
    return true;
  }
}
