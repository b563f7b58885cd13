import type { StreamEvent } from '@ziggie/llm-protocol';
import type { EventSink, EventSource } from './event-stream.ts';
import type { Framing } from './framing.ts';

/** Bytes that wait for a slow reader before the model server is no longer read. */
const bufferBytes = 64 * 1024;
const encoder = new TextEncoder();

/**
 * The events of a stream as the body of a web `Response`. Nothing is attached before the first read, so that a door may
 * take the events straight instead.
 */
export function webBody(stream: EventSource, framing: Framing): ReadableStream<Uint8Array<ArrayBuffer>> {
  let body: WebBody | undefined;
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull: (controller) => {
        body ??= new WebBody(stream, framing, controller);
        return body.pull();
      },
      cancel: () => stream.leave(),
    },
    { highWaterMark: 0 },
  );
}

class WebBody implements EventSink {
  readonly #stream: EventSource;
  readonly #framing: Framing;
  readonly #controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
  #attached = false;
  #wrote: (() => void) | undefined;
  #queue: Uint8Array<ArrayBuffer>[] = [];
  #queuedBytes = 0;
  #ended = false;
  #closed = false;

  constructor(
    stream: EventSource,
    framing: Framing,
    controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>,
  ) {
    this.#stream = stream;
    this.#framing = framing;
    this.#controller = controller;
  }

  /** Hands on one chunk, now or as soon as there is one. */
  pull(): Promise<void> | undefined {
    if (!this.#attached) {
      this.#attached = true;
      this.#stream.attach(this);
    }
    if (this.#handOn()) {
      this.#stream.pull();
      return undefined;
    }
    return new Promise((resolve) => {
      this.#wrote = resolve;
    });
  }

  write(events: readonly StreamEvent[]): void {
    let text = '';
    for (const event of events) text += this.#framing.encode(event);
    this.#put(text);
    if (this.#queuedBytes < bufferBytes) this.#stream.pull();
  }

  beat(): void {
    // A reader that has not taken what is there needs no sign of life.
    if (this.#queue.length === 0) this.#put(this.#framing.heartbeat);
  }

  end(): void {
    this.#ended = true;
    this.#release();
  }

  #put(text: string): void {
    const bytes = encoder.encode(text);
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.byteLength;
    this.#release();
  }

  #release(): void {
    if (!this.#wrote || !this.#handOn()) return;
    const wrote = this.#wrote;
    this.#wrote = undefined;
    wrote();
  }

  /** Whether there was something to hand on: a chunk, or the end. */
  #handOn(): boolean {
    const chunk = this.#queue.shift();
    if (chunk) {
      this.#queuedBytes -= chunk.byteLength;
      this.#controller.enqueue(chunk);
    }
    if (this.#ended && this.#queue.length === 0) {
      this.#close();
      return true;
    }
    return chunk !== undefined;
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.#controller.close();
    } catch {
      // The reader has cancelled the stream already.
    }
  }
}
