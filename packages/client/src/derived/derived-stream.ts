import { AbortedError } from '../errors/aborted-error.ts';
import { dropped, type Endable } from '../stream/dropped.ts';

type Events<Event, Result> = AsyncGenerator<Event, Result, void>;

/**
 * A stream that is made of other streams: lazy, read once, ended by leaving the loop, `abort()` or the caller's signal,
 * with a result that can be asked for as often as one likes. Behind it is one generator that gets a signal; it may come
 * late, as a part of this package that is loaded with its first use.
 */
export class DerivedStream<Event, Result> implements AsyncIterable<Event>, AsyncIterator<Event, undefined> {
  readonly #open: (signal: AbortSignal) => Promise<Events<Event, Result>>;
  readonly #outer: AbortSignal | undefined;
  readonly #control = new AbortController();
  #unfollow: (() => void) | undefined;
  readonly #result = pending<Result>();
  #opening: Promise<Events<Event, Result>> | undefined;
  #events: Events<Event, Result> | undefined;
  #read = false;
  #over = false;

  constructor(outer: AbortSignal | undefined, open: (signal: AbortSignal) => Promise<Events<Event, Result>>) {
    this.#outer = outer;
    this.#open = open;
  }

  /** The result; reads the stream to its end when nobody else does. */
  result(): Promise<Result> {
    if (!this.#read) {
      this.#read = true;
      void this.#drain();
    }
    return this.#result.promise;
  }

  /** Ends the stream; whoever reads it gets an `AbortedError`. Harmless when it is over already. */
  abort(reason?: unknown): void {
    if (this.#over) return;
    const error = new AbortedError(reason);
    this.#control.abort(error);
    // Nothing runs yet that could notice the signal.
    if (this.#events === undefined) this.#end(() => this.#result.reject(error));
  }

  [Symbol.asyncIterator](): AsyncIterator<Event, undefined> {
    if (this.#read) {
      throw new TypeError('Iterating an answer: it is being read already. Ask for another one.');
    }
    this.#read = true;
    return this;
  }

  async next(): Promise<IteratorResult<Event, undefined>> {
    if (this.#opening === undefined && !this.#over) this.#begin();
    if (this.#over) {
      // Ended before it began: the failure is still to be told.
      if (this.#events === undefined) await this.#result.promise;
      return { done: true, value: undefined };
    }
    try {
      // An abort does not wait for what is being loaded.
      this.#events ??= (await Promise.race([this.#opening, this.#result.promise])) as Events<Event, Result>;
      const step = await this.#events.next();
      if (!step.done) return step;
      this.#end(() => this.#result.resolve(step.value));
      return { done: true, value: undefined };
    } catch (error) {
      // A signal that fired says more than what it broke.
      const told = this.#control.signal.aborted ? withPartialOf(this.#control.signal.reason, error) : error;
      this.#end(() => this.#result.reject(told));
      throw told;
    }
  }

  return(): Promise<IteratorResult<Event, undefined>> {
    const left = new AbortedError(new Error('The loop was left.'));
    this.#control.abort(left);
    this.#end(() => this.#result.reject(left));
    // It may be held at a `yield`, where no signal reaches it.
    void this.#events?.return(undefined as never).catch(() => {});
    return Promise.resolve({ done: true, value: undefined });
  }

  #begin(): void {
    if (this.#outer?.aborted) {
      this.abort(this.#outer.reason);
      return;
    }
    this.#unfollow = follow(this, this.#outer, this.#control, this.#result.reject);
    this.#opening = this.#open(this.#control.signal);
  }

  async #drain(): Promise<void> {
    try {
      while (!(await this.next()).done);
    } catch {
      // The result carries it.
    }
  }

  #end(settle: () => void): void {
    if (this.#over) return;
    this.#over = true;
    this.#unfollow?.();
    settle();
  }
}

/**
 * Ends a stream with the caller's signal, without being what keeps it alive: a server may pass one signal to all of its
 * calls. What is behind a stream that was collected ends, too; whoever waits for it listens to `control`, which is kept
 * until then, so that no wait is collected.
 *
 * @param reject Of the result. Like `control` it must not hold the stream.
 * @returns How to stop that.
 */
function follow(
  stream: Endable,
  outer: AbortSignal | undefined,
  control: AbortController,
  reject: (error: unknown) => void,
): () => void {
  const weak = new WeakRef(stream);
  const onAbort = (): void => weak.deref()?.abort(outer?.reason);
  const stop = (): void => {
    dropped.unregister(weak);
    outer?.removeEventListener('abort', onAbort);
  };
  outer?.addEventListener('abort', onAbort, { once: true });
  const abort = (reason: unknown): void => {
    stop();
    control.abort(new AbortedError(reason));
    reject(control.signal.reason);
  };
  dropped.register(stream, { abort }, weak);
  return stop;
}

/** Made apart from the stream: what its promise holds must not hold the stream. */
function pending<Result>() {
  let resolve!: (result: Result) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<Result>((...settle) => {
    [resolve, reject] = settle;
  });
  // Whoever asks for the result sees its failure; nobody asking is no unhandled rejection.
  promise.catch(() => {});
  return { promise, resolve, reject };
}

/** What had arrived is known where the stream broke, why it broke is known here. */
function withPartialOf(reason: unknown, error: unknown): unknown {
  const partial = (error as { partial?: unknown } | null)?.partial;
  return partial === undefined || reason === error
    ? reason
    : Object.assign(reason as object, { partial, attempts: (error as { attempts?: unknown }).attempts });
}
