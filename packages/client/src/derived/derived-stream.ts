import { AbortedError } from '../errors/aborted-error.ts';

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
  readonly #onAbort = (): void => this.abort(this.#outer?.reason);
  readonly #result: Promise<Result>;
  #resolve!: (result: Result) => void;
  #reject!: (error: unknown) => void;
  #opening: Promise<Events<Event, Result>> | undefined;
  #events: Events<Event, Result> | undefined;
  #read = false;
  #over = false;

  constructor(outer: AbortSignal | undefined, open: (signal: AbortSignal) => Promise<Events<Event, Result>>) {
    this.#outer = outer;
    this.#open = open;
    this.#result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever asks for the result sees its failure; nobody asking is no unhandled rejection.
    this.#result.catch(() => {});
  }

  /** The result; reads the stream to its end when nobody else does. */
  result(): Promise<Result> {
    if (!this.#read) {
      this.#read = true;
      void this.#drain();
    }
    return this.#result;
  }

  /** Ends the stream; whoever reads it gets an `AbortedError`. Harmless when it is over already. */
  abort(reason?: unknown): void {
    if (this.#over) return;
    const error = new AbortedError(reason);
    this.#control.abort(error);
    // Nothing runs yet that could notice the signal.
    if (this.#events === undefined) this.#end(() => this.#reject(error));
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
      if (this.#events === undefined) await this.#result;
      return { done: true, value: undefined };
    }
    try {
      // An abort does not wait for what is being loaded.
      this.#events ??= (await Promise.race([this.#opening, this.#result])) as Events<Event, Result>;
      const step = await this.#events.next();
      if (!step.done) return step;
      this.#end(() => this.#resolve(step.value));
      return { done: true, value: undefined };
    } catch (error) {
      // A signal that fired says more than what it broke.
      const told = this.#control.signal.aborted ? withPartialOf(this.#control.signal.reason, error) : error;
      this.#end(() => this.#reject(told));
      throw told;
    }
  }

  return(): Promise<IteratorResult<Event, undefined>> {
    const left = new AbortedError(new Error('The loop over the answer was left.'));
    this.#control.abort(left);
    this.#end(() => this.#reject(left));
    // It may be held at a `yield`, where no signal reaches it.
    void this.#events?.return(undefined as never).catch(() => {});
    return Promise.resolve({ done: true, value: undefined });
  }

  #begin(): void {
    if (this.#outer?.aborted) {
      this.abort(this.#outer.reason);
      return;
    }
    this.#outer?.addEventListener('abort', this.#onAbort, { once: true });
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
    this.#outer?.removeEventListener('abort', this.#onAbort);
    settle();
  }
}

/** What had arrived is known where the stream broke, why it broke is known here. */
function withPartialOf(reason: unknown, error: unknown): unknown {
  const partial = (error as { partial?: unknown } | null)?.partial;
  return partial === undefined || reason === error
    ? reason
    : Object.assign(reason as object, { partial, attempts: (error as { attempts?: unknown }).attempts });
}
