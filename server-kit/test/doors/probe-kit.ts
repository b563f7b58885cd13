import type { Connection } from '../../src/connection.ts';
import { noKeys } from '../../src/keys/key-manager.ts';
import type { ServerKit } from '../../src/kit-types.ts';

type Handle = (
  request: Request,
  connection: Connection,
) => Promise<Response | undefined> | Response | undefined;

/** A kit whose answer each test writes, and which keeps what it saw. */
export class ProbeKit implements ServerKit {
  /** Default: no path is the kit's. */
  answer: Handle = () => undefined;
  seen: { request: Request; connection: Connection }[] = [];

  async handle(request: Request, connection: Connection): Promise<Response | undefined> {
    this.seen.push({ request, connection });
    return this.answer(request, connection);
  }

  async acceptSocket(): Promise<undefined> {}

  gauges() {
    return { activeRequests: 0, openUpstream: 0, timers: 0, queued: 0, sockets: 0 };
  }

  reload() {}

  async close() {}

  readonly keys = noKeys;
  readonly revocations = { revoke: async () => {} };

  get last(): { request: Request; connection: Connection } {
    const last = this.seen.at(-1);
    if (last === undefined) throw new Error('The kit was not asked.');
    return last;
  }
}

/** A body whose every chunk the test hands out, and which notes what its reader did. */
export class Source {
  pulls = 0;
  readonly stream: ReadableStream<Uint8Array>;
  /** Resolves with the time of the cancellation (`performance.now()`). */
  readonly cancelled: Promise<number>;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  constructor(onPull?: (source: Source) => void) {
    const { promise, resolve } = deferred<number>();
    this.cancelled = promise;
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => {
          this.pulls += 1;
          onPull?.(this);
        },
        cancel: () => resolve(performance.now()),
      },
      { highWaterMark: 0 },
    );
  }

  push(text: string | Uint8Array): void {
    this.#controller?.enqueue(typeof text === 'string' ? new TextEncoder().encode(text) : text);
  }

  end(): void {
    this.#controller?.close();
  }

  break(): void {
    this.#controller?.error(new Error('secret inner reason'));
  }
}

/** Resolves with the time at which the signal aborts. */
export function abortTime(signal: AbortSignal): Promise<number> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(performance.now()), { once: true });
  });
}

/** A promise and how to resolve it. */
export function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
