import { type Dispatcher, Pool } from 'undici';
import type { StopSignal } from '../stop.ts';
import {
  ConnectFailed,
  type Transport,
  type UpstreamAnswer,
  type UpstreamBody,
  type UpstreamRequest,
} from './transport.ts';

/** Bytes read ahead of the caller before the socket is paused. */
const readAheadBytes = 64 * 1024;

const connectErrors: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/**
 * The way to one model server: undici's dispatch, no fetch and no web streams on the way.
 *
 * No time limits of undici's own (its defaults end a request after 300 s of silence, less than a large model takes to
 * load); the kit's clocks decide. Redirects are not followed.
 */
export class UndiciTransport implements Transport {
  readonly #pool: Pool;
  readonly #basePath: string;
  readonly #authorization: string | undefined;
  #open = 0;

  /** @param apiKey Sent as a bearer token with every request. */
  constructor(url: URL, connectMs: number, apiKey?: string) {
    this.#pool = new Pool(url.origin, {
      connect: { timeout: connectMs },
      headersTimeout: 0,
      bodyTimeout: 0,
      allowH2: false,
    });
    this.#authorization = apiKey === undefined ? undefined : `Bearer ${apiKey}`;
    this.#basePath = url.pathname.replace(/\/+$/, '');
  }

  get open(): number {
    return this.#open;
  }

  send({ method, path, body, signal }: UpstreamRequest): Promise<UpstreamAnswer> {
    const headers: Record<string, string> =
      body === undefined ? { accept: 'application/json' } : { 'content-type': 'application/json' };
    if (this.#authorization !== undefined) headers['authorization'] = this.#authorization;
    this.#open++;
    return new Promise((resolve, reject) => {
      const exchange = new UpstreamExchange(signal, resolve, reject, () => this.#open--);
      if (exchange.over) return;
      this.#pool.dispatch(
        {
          method,
          path: `${this.#basePath}${path}`,
          headers,
          body: body ?? null,
          idempotent: method === 'GET',
        },
        exchange,
      );
    });
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  /** Closes when what is open has ended. */
  async retire(): Promise<void> {
    // A pool that was destroyed in between has nothing left to close.
    await this.#pool.close().catch(() => {});
  }
}

/** One request on its way: undici pushes, the kit pulls, and the socket is paused in between. */
class UpstreamExchange implements Dispatcher.DispatchHandler, UpstreamBody {
  readonly #signal: StopSignal;
  readonly #resolve: (answer: UpstreamAnswer) => void;
  readonly #reject: (error: Error) => void;
  readonly #onClosed: () => void;
  #controller: Dispatcher.DispatchController | undefined;
  #chunks: Uint8Array[] = [];
  #queuedBytes = 0;
  #ended = false;
  #error: Error | undefined;
  #waiting: { resolve: (chunk: Uint8Array | null) => void; reject: (error: Error) => void } | undefined;
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
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  read(): Promise<Uint8Array | null> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#queuedBytes -= chunk.byteLength;
      if (this.#queuedBytes < readAheadBytes && this.#controller?.paused) this.#controller.resume();
      return Promise.resolve(chunk);
    }
    if (this.#error) return Promise.reject(this.#error);
    if (this.#ended) return Promise.resolve(null);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  cancel(): void {
    this.#onAbort();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // The caller may have left while the connection was made.
    if (this.over) controller.abort(abortError());
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    // Informational answers (100, 103) stand before the real one.
    if (status < 200) return;
    this.#resolve({
      status,
      contentType: single(headers['content-type']) ?? '',
      retryAfter: single(headers['retry-after']),
      date: single(headers['date']),
      body: this,
    });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    const waiting = this.#waiting;
    if (waiting) {
      this.#waiting = undefined;
      waiting.resolve(chunk);
      return;
    }
    this.#chunks.push(chunk);
    this.#queuedBytes += chunk.byteLength;
    if (this.#queuedBytes >= readAheadBytes) controller.pause();
  }

  onResponseEnd(): void {
    this.#ended = true;
    this.#close();
    this.#waiting?.resolve(null);
    this.#waiting = undefined;
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    this.#fail(
      connectErrors.has((error as { code?: unknown }).code) ? new ConnectFailed(error.message) : error,
    );
  }

  readonly #onAbort = (): void => {
    const error = abortError();
    this.#fail(error);
    this.#controller?.abort(error);
  };

  #fail(error: Error): void {
    if (this.over) return;
    this.#error = error;
    this.#close();
    this.#reject(error);
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  #close(): void {
    if (this.over) return;
    this.over = true;
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#onClosed();
  }
}

function abortError(): Error {
  return new DOMException('The request to the model server was given up.', 'AbortError');
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
