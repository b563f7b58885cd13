import { type LookupAddress, lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { type Dispatcher, Pool } from 'undici';
import type { AllowedHosts } from '../discovery/allowed-hosts.ts';
import type { StopSignal } from '../stop.ts';
import {
  ConnectFailed,
  type Transport,
  type UpstreamAnswer,
  type UpstreamBody,
  type UpstreamRequest,
} from './transport.ts';

/** A microtask by its `then` costs half of `queueMicrotask`, which keeps an async context. */
const soon = Promise.resolve();

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
  'ADDRESS_NOT_ALLOWED',
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

  /**
   * @param apiKey Sent as a bearer token with every request.
   * @param allowed Where connections may go, when the address was not given by the operator.
   */
  constructor(url: URL, connectMs: number, apiKey?: string, allowed?: AllowedHosts) {
    this.#pool = new Pool(url.origin, {
      connect: { timeout: connectMs, ...(allowed ? { lookup: lookupWithin(allowed) } : {}) },
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
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  take(): Uint8Array | null | undefined {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#queuedBytes -= chunk.byteLength;
      if (this.#queuedBytes < readAheadBytes && this.#controller?.paused) this.#controller.resume();
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
    this.#chunks.push(chunk);
    this.#queuedBytes += chunk.byteLength;
    if (this.#queuedBytes >= readAheadBytes) controller.pause();
    this.#tell();
  }

  onResponseEnd(): void {
    this.#ended = true;
    this.#close();
    this.#tell();
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
    this.#tell();
  }

  /** Once what came together is all here: undici hands out each piece of one read by itself. */
  #tell(): void {
    if (!this.#isAwaited) return;
    this.#isAwaited = false;
    void soon.then(this.#onTold);
  }

  readonly #onTold = (): void => this.onReady?.();

  #close(): void {
    if (this.over) return;
    this.over = true;
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#onClosed();
  }
}

/** The addresses of a name that may be connected to. Looked at for each connection: what a name leads to changes. */
function lookupWithin(allowed: AllowedHosts): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error) return callback(error, '');
      const good = addresses.filter(({ address }) => allowed.mayConnect(hostname, address));
      const [first] = good;
      if (first === undefined) {
        const refused: NodeJS.ErrnoException = new Error('The name leads to no address that is allowed.');
        refused.code = 'ADDRESS_NOT_ALLOWED';
        return callback(refused, '');
      }
      return options.all ? callback(null, good) : callback(null, first.address, first.family);
    });
  };
}

function abortError(): Error {
  return new DOMException('The request to the model server was given up.', 'AbortError');
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
