import { CallScope } from '../call/call-scope.ts';
import { AbortedError } from '../errors/aborted-error.ts';
import { isZiggieError, withCallDetails, type ZiggieError } from '../errors/ziggie-error.ts';
import type { Settings } from '../settings.ts';
import type { CallOptions, ChatEvent, ChatResult, ChatStream } from '../types.ts';
import { AnswerAttempt, type AnswerRequest } from './answer-attempt.ts';
import { Collector } from './collector.ts';

/**
 * The stream that a caller holds: attempts behind it, one reader in front.
 *
 * Lazy: the request goes out with the first read, so a stream that nobody reads costs nothing and cannot fail unseen.
 * Pull based: the next bytes are asked for when the events of the last ones were taken.
 */
export class AnswerStream implements ChatStream, AsyncIterator<ChatEvent> {
  readonly #scope: CallScope;
  readonly #request: AnswerRequest;
  readonly #collector: Collector;
  readonly #result: Promise<ChatResult>;
  #resolve!: (result: ChatResult) => void;
  #reject!: (error: ZiggieError) => void;
  #attempt: AnswerAttempt | undefined;
  #queue: ChatEvent[] = [];
  #taken = 0;
  #pulling: Promise<void> | undefined;
  #reader: 'none' | 'iterator' | 'result' = 'none';
  #over = false;
  /** A failure that the iterator has not thrown yet. */
  #untold: ZiggieError | undefined;

  constructor(settings: Settings, request: AnswerRequest, options: CallOptions, idleMs: number | undefined) {
    this.#request = request;
    this.#collector = new Collector(request.model);
    this.#scope = new CallScope(settings, options, idleMs, (reason) => this.#fail(reason));
    this.#result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever asks for the result sees its failure; nobody asking is no unhandled rejection.
    this.#result.catch(() => {});
  }

  async text(): Promise<string> {
    return (await this.final()).text;
  }

  final(): Promise<ChatResult> {
    if (this.#reader === 'none') {
      this.#reader = 'result';
      void this.#readAll();
    }
    return this.#result;
  }

  abort(reason?: unknown): void {
    this.#scope.stop(new AbortedError(reason));
  }

  [Symbol.asyncIterator](): AsyncIterator<ChatEvent> {
    if (this.#reader !== 'none') {
      throw new TypeError('Iterating an answer: it is being read already. Ask for another with chat().');
    }
    this.#reader = 'iterator';
    return this;
  }

  next(): Promise<IteratorResult<ChatEvent, undefined>> {
    const event = this.#queue[this.#taken];
    if (event) {
      this.#taken++;
      return Promise.resolve({ done: false, value: event });
    }
    if (this.#over) {
      const error = this.#untold;
      this.#untold = undefined;
      return error ? Promise.reject(error) : Promise.resolve({ done: true, value: undefined });
    }
    return this.#pull().then(() => this.next());
  }

  /** What `break` and `return` in a loop call: closes the connection. */
  return(): Promise<IteratorResult<ChatEvent, undefined>> {
    this.abort(new Error('The loop over the answer was left.'));
    this.#untold = undefined;
    return Promise.resolve({ done: true, value: undefined });
  }

  /** For loops written by hand: ends the answer like `return` and passes the error on. */
  throw(error?: unknown): Promise<never> {
    this.abort(error);
    this.#untold = undefined;
    return Promise.reject(error);
  }

  async #readAll(): Promise<void> {
    while (!this.#over) await this.#pull();
    this.#queue = [];
  }

  /** Brings at least one event, or the end. Never rejects: failures are kept for who reads. */
  #pull(): Promise<void> {
    this.#pulling ??= this.#readNext().finally(() => {
      this.#pulling = undefined;
    });
    return this.#pulling;
  }

  async #readNext(): Promise<void> {
    try {
      this.#scope.begin();
      for (;;) {
        this.#attempt ??= new AnswerAttempt(this.#scope, this.#request);
        const attempt = this.#attempt;
        try {
          this.#take(await attempt.read(), attempt);
          return;
        } catch (error) {
          if (!isZiggieError(error) || this.#over) throw error;
          this.#attempt = undefined;
          attempt.fail(error);
          if (attempt.committed) throw error;
          await this.#scope.waitForRetry(error);
        }
      }
    } catch (error) {
      this.#fail(error as ZiggieError);
    }
  }

  #take(events: ChatEvent[], attempt: AnswerAttempt): void {
    if (this.#over) return;
    for (const event of events) this.#collector.add(event);
    this.#queue = events;
    this.#taken = 0;
    if (events.at(-1)?.type !== 'done') return;
    this.#over = true;
    attempt.finish();
    this.#scope.end();
    this.#resolve(this.#collector.result(attempt.requestId, this.#scope.attempts));
  }

  #fail(error: ZiggieError): void {
    if (this.#over) return;
    this.#over = true;
    this.#queue = [];
    this.#attempt?.fail(error);
    this.#scope.end();
    withCallDetails(error, { attempts: this.#scope.attempts, partial: this.#collector.partial() });
    this.#untold = error;
    this.#reject(error);
  }
}
