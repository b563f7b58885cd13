import type { StopSignal } from '../stop.ts';
import type { Waiter } from '../waiter.ts';
import type { ResponseHead } from './response-head.ts';
import type { ResponseSink } from './response-parser.ts';
import type { BodyPiece, UpstreamAnswer, UpstreamBody } from './transport.ts';

/** What went wrong is told in a turn of its own: whoever gives up must not find others at work in the middle of it. */
const soon = Promise.resolve();

/** Bytes read ahead of the caller before the socket is paused. */
const readAheadBytes = 64 * 1024;

/**
 * The piece that was taken last out of a buffer that is being read: one for all exchanges, instead of an object per token.
 * It is somebody else's as soon as anybody takes again, as `UpstreamBody.take` says.
 */
const lent: { bytes: Buffer; from: number; to: number } = { bytes: Buffer.alloc(0), from: 0, to: 0 };

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
 * What is taken while the connection reads is a place in its buffer, which saves a copy and a view per token; what is not
 * taken by the end of the read, or before it fails, is copied.
 */
export class HttpExchange implements ResponseSink, UpstreamBody {
  readonly #signal: StopSignal;
  readonly #resolve: (answer: UpstreamAnswer) => void;
  readonly #reject: (error: Error) => void;
  readonly #onClosed: () => void;
  #socket: ExchangeSocket | undefined;
  /** What comes first, if it is of the buffer that is being read: from where to where. Mostly that is all. */
  #buffer: Buffer | undefined;
  #from = 0;
  #to = 0;
  /** What comes behind it. */
  #pieces: BodyPiece[] = [];
  /** How many of those, from the last, are of that buffer, too. */
  #lent = 0;
  #queuedBytes = 0;
  #isPaused = false;
  #ended = false;
  #error: Error | undefined;
  /** Whether somebody took nothing and waits to be told. */
  #isAwaited = false;
  waiter: Waiter | undefined;
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

  take(): BodyPiece | null | undefined {
    if (this.#queuedBytes > 0) {
      const piece = this.#next();
      this.#queuedBytes -= piece.to - piece.from;
      if (this.#isPaused && this.#queuedBytes < readAheadBytes) {
        this.#isPaused = false;
        this.#socket?.resume();
      }
      return piece;
    }
    if (this.#error) throw this.#error;
    if (this.#ended) return null;
    this.#isAwaited = true;
    return undefined;
  }

  async read(): Promise<Uint8Array | null> {
    for (;;) {
      const piece = this.take();
      if (piece) return piece.bytes.subarray(piece.from, piece.to);
      if (piece === null) return null;
      await new Promise<void>((resolve) => {
        this.waiter = { onReady: resolve };
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

  onBody(bytes: Buffer, from: number, to: number): void {
    if (this.over) return;
    if (this.#queuedBytes === 0) {
      this.#buffer = bytes;
      this.#from = from;
      this.#to = to;
    } else {
      this.#pieces.push({ bytes, from, to });
      this.#lent++;
    }
    this.#queuedBytes += to - from;
  }

  /** Everything of one read has been pushed. Gives whether to read on. */
  readDone(): boolean {
    this.#tell();
    if (this.#queuedBytes > 0) this.#keep();
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
    // What came before it can still be taken, and others read into that buffer next.
    this.#keep();
    this.#error = error;
    this.#close();
    this.#reject(error);
    void soon.then(() => this.#tell());
  }

  #next(): BodyPiece {
    if (this.#buffer !== undefined) {
      lent.bytes = this.#buffer;
      lent.from = this.#from;
      lent.to = this.#to;
      this.#buffer = undefined;
      return lent;
    }
    const piece = this.#pieces.shift() as BodyPiece;
    this.#lent = Math.min(this.#lent, this.#pieces.length);
    return piece;
  }

  /** The buffer is read into again: what nobody has taken is copied out of it. */
  #keep(): void {
    const pieces = this.#pieces;
    for (let at = pieces.length - this.#lent; at < pieces.length; at++)
      pieces[at] = copied(pieces[at] as BodyPiece);
    this.#lent = 0;
    if (this.#buffer === undefined) return;
    pieces.unshift(copied({ bytes: this.#buffer, from: this.#from, to: this.#to }));
    this.#buffer = undefined;
  }

  #tell(): void {
    if (!this.#isAwaited || (this.#queuedBytes === 0 && !this.over)) return;
    this.#isAwaited = false;
    this.waiter?.onReady();
  }

  #close(): void {
    if (this.over) return;
    this.over = true;
    this.#signal.removeEventListener('abort', this.cancel);
    this.#onClosed();
  }
}

function copied({ bytes, from, to }: BodyPiece): BodyPiece {
  return { bytes: Buffer.from(bytes.subarray(from, to)), from: 0, to: to - from };
}
