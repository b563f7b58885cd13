import type { ServerResponse } from 'node:http';
import type { Clock } from '../clock.ts';

/** A chunk above this is written in pieces, so that a slow reader of a huge record shows progress: 64 KiB. */
const PIECE_BYTES = 64 * 1024;

/** What `compression` and the like add to a response. */
type Flushable = ServerResponse & { flush?: (() => void) | undefined };

/** Settings of {@link BodyPump}. */
export interface PumpOptions {
  clock: Clock;
  /** Longest time without a drain before the reader counts as gone. */
  stallTimeoutMs: number;
  /** The body failed, or the reader stalled: what was sent is not whole. Called at most once. */
  onBroken: () => void;
}

/**
 * Carries a web stream to a Node response: one write per chunk, the next chunk asked for only when the last one found
 * room. Its callbacks are made once per response, none per chunk.
 */
export class BodyPump {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #res: Flushable;
  readonly #options: PumpOptions;
  #pending: Uint8Array | undefined;
  #cancelStallTimer: (() => void) | undefined;
  #wrote = false;
  #stopped = false;

  constructor(body: ReadableStream<Uint8Array>, res: ServerResponse, options: PumpOptions) {
    this.#reader = body.getReader();
    this.#res = res;
    this.#options = options;
  }

  start(): void {
    this.#res.on('drain', this.#onDrain);
    this.#next();
    // An answer that is in memory reaches the socket in the same tick, head and body in one write. One that is not
    // must not hold back its status line.
    process.nextTick(this.#flushHead);
  }

  /** Whether a byte of the body has been handed on. */
  get wrote(): boolean {
    return this.#wrote;
  }

  /** The reader has gone: nothing more is written, the source is told. */
  stop(reason: unknown): void {
    if (!this.#end()) return;
    this.#reader.cancel(reason).catch(() => {});
  }

  #end(): boolean {
    if (this.#stopped) return false;
    this.#stopped = true;
    this.#pending = undefined;
    this.#cancelStallTimer?.();
    this.#cancelStallTimer = undefined;
    return true;
  }

  #next(): void {
    this.#reader.read().then(this.#onRead, this.#onError);
  }

  // The host's middleware may have wrapped the response: what it throws must not end the process.
  readonly #flushHead = (): void => {
    if (this.#wrote || this.#stopped) return;
    try {
      this.#res.flushHeaders();
    } catch (error) {
      this.#break(error);
    }
  };

  readonly #onRead = (result: ReadableStreamReadResult<Uint8Array>): void => {
    if (this.#stopped) return;
    try {
      if (result.done) {
        this.#end();
        this.#res.end();
      } else if (result.value instanceof Uint8Array) {
        this.#pending = result.value;
        this.#write();
      } else {
        this.#break(new TypeError('A response body must be a stream of bytes.'));
      }
    } catch (error) {
      this.#break(error);
    }
  };

  readonly #onError = (): void => {
    if (this.#end()) this.#options.onBroken();
  };

  readonly #onDrain = (): void => {
    if (this.#cancelStallTimer === undefined) return;
    this.#cancelStallTimer();
    this.#cancelStallTimer = undefined;
    try {
      this.#write();
    } catch (error) {
      this.#break(error);
    }
  };

  #write(): void {
    let chunk = this.#pending;
    while (chunk !== undefined) {
      const piece = chunk.byteLength > PIECE_BYTES ? chunk.subarray(0, PIECE_BYTES) : chunk;
      chunk = piece === chunk ? undefined : chunk.subarray(PIECE_BYTES);
      this.#pending = chunk;
      this.#wrote = true;
      const room = this.#res.write(piece);
      this.#res.flush?.();
      if (!room) {
        this.#cancelStallTimer = this.#options.clock.setTimer(this.#onStall, this.#options.stallTimeoutMs);
        return;
      }
    }
    this.#next();
  }

  readonly #onStall = (): void => this.#break(new Error('The client has stopped reading.'));

  #break(reason: unknown): void {
    this.stop(reason);
    this.#options.onBroken();
  }
}
