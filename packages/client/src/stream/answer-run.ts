import { CallScope } from '../call/call-scope.ts';
import { AbortedError } from '../errors/aborted-error.ts';
import { isZiggieError, withCallDetails, type ZiggieError } from '../errors/ziggie-error.ts';
import { part } from '../part.ts';
import type { Settings } from '../settings.ts';
import type { CallOptions, ChatEvent, ChatResult, Recovery } from '../types.ts';
import { AnswerAttempt, type AnswerRequest, type ResumePoint } from './answer-attempt.ts';
import { Collector } from './collector.ts';

/** What is asked; `written` is what goes out, once the dialect is here that puts it so. */
export interface AskedQuestion {
  operation: 'chat' | 'generate';
  model: string;
  written: AnswerRequest | Promise<AnswerRequest>;
}

const nothing = (): void => {};

/** Nothing of it is needed while all goes well. */
type AfterFailure = typeof import('./after-failure.ts');
const loadAfterFailure = () => part(() => import('./after-failure.ts'));

/**
 * One answer over all its attempts.
 *
 * Lazy: the request goes out with the first read, so a stream that nobody reads costs nothing and cannot fail unseen.
 * Pull based: the next bytes are asked for when the events of the last ones were taken.
 */
export class AnswerRun {
  readonly result: Promise<ChatResult>;
  readonly #scope: CallScope;
  readonly #collector: Collector;
  readonly #asked: AskedQuestion;
  /** What is asked, or what goes on with what came of it. */
  #request: AnswerRequest | undefined;
  #point: ResumePoint | undefined;
  #resolve!: (result: ChatResult) => void;
  #reject!: (error: ZiggieError) => void;
  #attempt: AnswerAttempt | undefined;
  #stopWaking: (() => void) | undefined;
  /** What ends a run and picks one up, once it is loaded. */
  #late: AfterFailure | undefined;
  /** Where the model was asked to go on with what came before. */
  #join: ((events: ChatEvent[]) => ChatEvent[]) | undefined;
  #queue: ChatEvent[] = [];
  #taken = 0;
  #pulling: Promise<unknown> | undefined;
  #then: () => unknown = nothing;
  #over = false;
  /** A failure that the iterator has not thrown yet. */
  #untold: ZiggieError | undefined;

  constructor(settings: Settings, asked: AskedQuestion, options: CallOptions, idleMs: number | undefined) {
    const { operation, model } = asked;
    this.#asked = asked;
    this.#collector = new Collector(model);
    this.#scope = new CallScope(settings, options, { operation, model, streaming: true }, idleMs, (reason) =>
      this.#fail(reason),
    );
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever asks for the result sees its failure; nobody asking is no unhandled rejection.
    this.result.catch(nothing);
  }

  abort(reason: unknown): void {
    this.#scope.stop(new AbortedError(reason));
  }

  /** Ends the answer for a reader who asks for nothing more, not even why it ended. */
  leave(reason: unknown): void {
    this.abort(reason);
    this.#untold = undefined;
  }

  /** The next event that is here already. */
  shift(): ChatEvent | undefined {
    return this.#queue[this.#taken++];
  }

  /** Whether nothing more will come. Throws the failure that ended the answer, once. */
  get isOver(): boolean {
    const error = this.#untold;
    this.#untold = undefined;
    if (error) throw error;
    return this.#over;
  }

  async readAll(): Promise<void> {
    while (!this.#over) await this.pull(nothing);
    this.#queue = [];
  }

  /**
   * Brings at least one event, or the end, and gives what `then` makes of that. Failures are kept for `then` to ask about.
   */
  pull<T>(then: () => T | Promise<T>): Promise<T> {
    // Whatever the other reader makes of it.
    if (this.#pulling !== undefined) return this.#pulling.then(then, then);
    if (this.#over) return Promise.resolve().then(then);
    this.#then = then;
    // The common case takes no detour: a stream in small pieces comes through here for every token.
    const pulling =
      this.#attempt && !this.#join
        ? this.#attempt.read(this.#onEvents, this.#onFailure)
        : this.#readNext().then(this.#onPulled);
    this.#pulling = pulling;
    return pulling as Promise<T>;
  }

  readonly #onPulled = (): unknown => {
    const then = this.#then;
    this.#pulling = undefined;
    // Whoever drops the stream between two reads is not held.
    this.#then = nothing;
    return then();
  };

  readonly #onEvents = (events: ChatEvent[], attempt: AnswerAttempt): unknown => {
    this.#take(events, attempt);
    return this.#onPulled();
  };

  readonly #onFailure = (error: unknown, attempt: AnswerAttempt): Promise<unknown> =>
    this.#readNext({ attempt, error }).then(this.#onPulled);

  /** @param failed The attempt that ended, where one did. */
  async #readNext(failed?: { attempt: AnswerAttempt; error: unknown }): Promise<void> {
    try {
      this.#scope.begin();
      const { written } = this.#asked;
      this.#request ??= written instanceof Promise ? await this.#scope.newInterrupt().wait(written) : written;
      // What would go on with a broken answer, while there is a network.
      if (this.#recovery !== 'throw') loadAfterFailure().catch(nothing);
      for (;;) {
        if (failed) {
          const { attempt, error } = failed;
          if (!isZiggieError(error) || this.#over) throw error;
          this.#attempt = undefined;
          attempt.fail(error);
          if (await this.#recover(attempt, error)) return;
        }
        this.#attempt ??= new AnswerAttempt(this.#scope, this.#request);
        failed = await this.#attempt.read<typeof failed>(
          (events, attempt) => this.#take(events, attempt) as undefined,
          (error, attempt) => ({ attempt, error }),
        );
        if (!failed) return;
      }
    } catch (error) {
      this.#fail(error as ZiggieError);
    }
  }

  /** Makes ready for another attempt. @returns Whether that brought events already. @throws When there is none. */
  async #recover(attempt: AnswerAttempt, error: ZiggieError): Promise<boolean> {
    const { afterFailure } = await loadAfterFailure().catch(() => {
      throw error;
    });
    const first = await this.#asked.written;
    const request = this.#request ?? first;
    const { resumed, anew } = await afterFailure(
      this.#scope,
      first,
      request,
      this.#collector,
      attempt,
      error,
    );
    if (resumed) {
      this.#attempt = resumed.attempt;
      this.#take(resumed.events, resumed.attempt);
    } else if (anew) {
      this.#endRun();
      this.#request = anew.request;
      this.#join = anew.join;
      if (anew.events.length > 0) this.#show(anew.events);
    }
    return ((resumed ?? anew)?.events.length ?? 0) > 0;
  }

  get #recovery(): Recovery {
    return this.#scope.options.recovery ?? this.#scope.settings.recovery;
  }

  /** Once. Loads what picks up an answer while there is a network. */
  #watchNetwork(): void {
    if (this.#stopWaking) return;
    this.#stopWaking = nothing;
    loadAfterFailure().then((late) => {
      this.#late = late;
      if (!this.#over) this.#stopWaking = late.platformNetwork.onWake(() => this.#attempt?.wake());
    }, nothing);
  }

  /** Tells the kit that nobody will come back, where a run goes on without its connection. */
  #endRun(): void {
    const point = this.#point;
    this.#point = undefined;
    if (!point || point.decoder.ended) return;
    const { settings, options } = this.#scope;
    // At once where it can be: a page that is being closed waits for nothing.
    if (this.#late) this.#late.endRun(settings, point, options);
    else loadAfterFailure().then((late) => late.endRun(settings, point, options), nothing);
  }

  #take(events: ChatEvent[], attempt: AnswerAttempt): void {
    if (this.#over) return;
    this.#show(this.#join ? this.#join(events) : events);
    if (events.at(-1)?.type === 'done') this.#finish(attempt);
    else if (attempt.resumePoint) {
      this.#point = attempt.resumePoint;
      this.#watchNetwork();
    }
  }

  #show(events: ChatEvent[]): void {
    const { observer } = this.#scope;
    for (const event of events) this.#collector.add(event);
    if (observer.watched) {
      for (const event of events) {
        observer.tell('event', event);
        if (event.type === 'tool-call') observer.tell('toolCall', { id: event.id, name: event.name });
      }
    }
    this.#queue = events;
    this.#taken = 0;
  }

  #finish(attempt: AnswerAttempt): void {
    const scope = this.#scope;
    const { attempts, elapsedMs } = scope;
    this.#over = true;
    attempt.finish();
    this.#end();
    const result = this.#collector.result(attempt.requestId, scope);
    this.#resolve(result);
    const { usage, timings, stats, finishReason, model: upstreamModel } = result;
    scope.observer.tell('done', { elapsedMs, attempts, usage, timings, stats, finishReason, upstreamModel });
  }

  #fail(error: ZiggieError): void {
    if (this.#over) return;
    this.#over = true;
    this.#queue = [];
    const { attempts, observer, elapsedMs } = this.#scope;
    this.#attempt?.fail(error);
    this.#endRun();
    this.#end();
    withCallDetails(error, { attempts, partial: this.#collector.partial() });
    this.#untold = error;
    this.#reject(error);
    observer.tell('error', { elapsedMs, error });
  }

  #end(): void {
    this.#stopWaking?.();
    this.#scope.end();
  }
}
