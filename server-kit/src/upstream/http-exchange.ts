import type { StopSignal } from '../stop.ts';
import type { ResponseHead, ResponseSink } from './response-parser.ts';
import type { UpstreamAnswer, UpstreamBody } from './transport.ts';

/** What went wrong is told in a turn of its own: whoever gives up must not find others at work in the middle of it. */
const soon = Promise.resolve();

/** Bytes read ahead of the caller before the socket is paused. */
const readAheadBytes = 64 * 1024;

/** What an exchange needs of its connection. */
export interface ExchangeSocket {
  /** Reads on after it was full. */
  resume(): void;
  /** Ends everything. */
  destroy(): void;
}

/**
 * One request on its way: the connection pushes what it reads, the kit pulls, and the socket is paused in between.
 *
 * What is taken while the connection reads is a view of its buffer, which saves a copy per token; what is not taken by the
 * end of the read is copied.
 */
export class HttpExchange implements ResponseSink, UpstreamBody {
  readonly #signal: StopSignal;
  readonly #resolve: (answer: UpstreamAnswer) => void;
  readonly #reject: (error: Error) => void;
  readonly #onClosed: () => void;
  #socket: ExchangeSocket | undefined;
  #chunks: Uint8Array[] = [];
  #queuedBytes = 0;
  /** How many of the chunks, from the last, are views of the buffer that is being read. */
  #views = 0;
  #isPaused = false;
  #ended = false;
  #error: Error | undefined;
  /** Whether somebody took nothing and waits to be told. */
  #isAwaited = false;
  onReady: (() => void) | undefined;
  over = false;

  constructor(
    signal: StopSignal,
    resolve: (answer: UpstreamAnswer) => void,
    reject: (error: Error) => void,
    onClosed: () => void,
  ) {
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#onClosed = onClosed;
    if (signal.aborted) this.cancel();
    else signal.addEventListener('abort', this.cancel, { once: true });
  }

  /** Says which connection carries it. */
  carriedBy(socket: ExchangeSocket): void {
    this.#socket = socket;
  }

  take(): Uint8Array | null | undefined {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#views = Math.min(this.#views, this.#chunks.length);
      this.#queuedBytes -= chunk.byteLength;
      if (this.#isPaused && this.#queuedBytes < readAheadBytes) {
        this.#isPaused = false;
        this.#socket?.resume();
      }
      return chunk;
    }
    if (this.#error) throw this.#error;
    if (this.#ended) return null;
    this.#isAwaited = true;
    return undefined;
  }

  async read(): Promise<Uint8Array | null> {
    for (;;) {
      const chunk = this.take();
      if (chunk !== undefined) return chunk;
      await new Promise<void>((resolve) => {
        this.onReady = resolve;
      });
    }
  }

  readonly cancel = (): void => {
    if (this.over) return;
    this.fail(new DOMException('The request to the model server was given up.', 'AbortError'));
    this.#socket?.destroy();
  };

  onHead({ status, contentType, retryAfter, date }: ResponseHead): void {
    this.#resolve({ status, contentType, retryAfter, date, body: this });
  }

  onBody(bytes: Uint8Array): void {
    if (this.over) return;
    this.#chunks.push(bytes);
    this.#views++;
    this.#queuedBytes += bytes.byteLength;
  }

  /** Everything of one read has been pushed. Gives whether to read on. */
  readDone(): boolean {
    this.#tell();
    for (let at = this.#chunks.length - this.#views; at < this.#chunks.length; at++)
      this.#chunks[at] = Buffer.from(this.#chunks[at] as Uint8Array);
    this.#views = 0;
    this.#isPaused = this.#queuedBytes >= readAheadBytes;
    return !this.#isPaused;
  }

  /** The answer is whole; what was pushed can still be taken. */
  end(): void {
    this.#ended = true;
    this.#close();
  }

  fail(error: Error): void {
    if (this.over) return;
    this.#error = error;
    this.#close();
    this.#reject(error);
    void soon.then(this.#tell);
  }

  readonly #tell = (): void => {
    if (!this.#isAwaited || (this.#chunks.length === 0 && !this.over)) return;
    this.#isAwaited = false;
    this.onReady?.();
  };

  #close(): void {
    if (this.over) return;
    this.over = true;
    this.#signal.removeEventListener('abort', this.cancel);
    this.#onClosed();
  }
}
