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

const loadResuming = () => part(() => import('./resuming.ts'));
const loadContinuing = () => part(() => import('./continued.ts'));

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
  /** Pieces that came before the model was asked to go on after them, and why it had to be. */
  #carried: { pieces: number; error: ZiggieError } | undefined;
  #queue: ChatEvent[] = [];
  #taken = 0;
  #pulling: Promise<unknown> | undefined;
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
    this.result.catch(() => {});
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
    while (!this.#over) await this.pull(() => {});
    this.#queue = [];
  }

  /**
   * Brings at least one event, or the end, and gives what `then` makes of that. Failures are kept for `then` to ask about.
   */
  pull<T>(then: () => T | Promise<T>): Promise<T> {
    // Whatever the other reader makes of it.
    if (this.#pulling !== undefined) return this.#pulling.then(then, then);
    if (this.#over) return Promise.resolve().then(then);
    const attempt = this.#attempt;
    // The common case takes no detour: a stream in small pieces comes through here for every token.
    const pulling =
      attempt && !this.#carried
        ? attempt
            .read((events) => {
              this.#pulling = undefined;
              this.#take(events, attempt);
              return then();
            })
            .catch((error: unknown) => this.#readNext({ attempt, error }).then(() => this.#pulled(then)))
        : this.#readNext().then(() => this.#pulled(then));
    this.#pulling = pulling;
    return pulling;
  }

  #pulled<T>(then: () => T): T {
    this.#pulling = undefined;
    return then();
  }

  /** @param failed The attempt that ended, where one did. */
  async #readNext(failed?: { attempt: AnswerAttempt; error: unknown }): Promise<void> {
    try {
      this.#scope.begin();
      const { written } = this.#asked;
      this.#request ??= written instanceof Promise ? await this.#scope.newInterrupt().wait(written) : written;
      if (this.#recovery === 'continue') loadContinuing().catch(() => {});
      for (;;) {
        if (failed) {
          const { attempt, error } = failed;
          if (!isZiggieError(error) || this.#over) throw error;
          this.#attempt = undefined;
          attempt.fail(error);
          if (await this.#recover(attempt, error)) return;
        }
        this.#attempt ??= new AnswerAttempt(this.#scope, this.#request);
        const attempt = this.#attempt;
        try {
          return await attempt.read((events) => this.#take(events, attempt));
        } catch (error) {
          failed = { attempt, error };
        }
      }
    } catch (error) {
      this.#fail(error as ZiggieError);
    }
  }

  /** Makes ready for another attempt. @returns Whether that brought events already. @throws When there is none. */
  async #recover(attempt: AnswerAttempt, error: ZiggieError): Promise<boolean> {
    const point = attempt.resumePoint;
    const { settings, attempts } = this.#scope;
    const request = this.#request as AnswerRequest;
    if (point && error.retryable && error.code !== 'malformed_record') {
      const resuming = await loadResuming().catch(() => undefined);
      const found = await resuming?.reattach(this.#scope, request, point, error);
      if (found) {
        this.#attempt = found.attempt;
        this.#take(found.events, found.attempt);
        return true;
      }
    }
    if (!this.#collector.began) {
      await this.#scope.waitForRetry(error);
      return false;
    }
    const recovery = this.#recovery;
    if (recovery === 'throw') throw error;
    let next: AnswerRequest | undefined = request;
    if (recovery === 'continue') {
      const first = await this.#asked.written;
      const { continued } = await loadContinuing();
      next = continued(settings, first, this.#collector.partial());
    }
    if (!next) throw error;
    await this.#scope.waitForRetry(error);
    this.#endRun();
    this.#request = next;
    if (recovery === 'continue') {
      this.#carried = { pieces: this.#collector.pieces, error };
      return false;
    }
    this.#show([{ type: 'restart', attempt: attempts.length + 1 }]);
    return true;
  }

  get #recovery(): Recovery {
    return this.#scope.options.recovery ?? this.#scope.settings.recovery;
  }

  /** Once. Loads what picks up an answer while there is a network. */
  #watchNetwork(): void {
    if (this.#stopWaking) return;
    this.#stopWaking = () => {};
    loadResuming().then(
      ({ platformNetwork }) => {
        if (!this.#over) this.#stopWaking = platformNetwork.onWake(() => this.#attempt?.wake());
      },
      () => {},
    );
  }

  /** Tells the kit that nobody will come back, where a run goes on without its connection. */
  #endRun(): void {
    const point = this.#point;
    this.#point = undefined;
    if (!point || point.decoder.ended) return;
    const { settings, options } = this.#scope;
    loadResuming().then(
      ({ endRun }) => endRun(settings, point.id, options),
      () => {},
    );
  }

  #take(events: ChatEvent[], attempt: AnswerAttempt): void {
    if (this.#over) return;
    this.#show(this.#carried ? events.flatMap((event) => this.#joined(event)) : events);
    if (events.at(-1)?.type === 'done') this.#finish(attempt);
    else if (attempt.resumePoint) {
      this.#point = attempt.resumePoint;
      this.#watchNetwork();
    }
  }

  #show(events: ChatEvent[]): void {
    const { observer } = this.#scope;
    for (const event of events) {
      this.#collector.add(event);
      if (!observer.watched) continue;
      observer.tell('event', event);
      if (event.type === 'tool-call') observer.tell('toolCall', { id: event.id, name: event.name });
    }
    this.#queue = events;
    this.#taken = 0;
  }

  /** An event of an attempt that goes on with an answer, as an event of the whole answer. */
  #joined(event: ChatEvent): ChatEvent[] {
    const { pieces, error } = this.#carried ?? { pieces: 0, error: undefined };
    // The model did not go on but began something else: what came before and after do not belong together.
    if (event.type === 'thinking-delta' || event.type === 'tool-call') throw error;
    if (event.type === 'start') return [];
    if (event.type !== 'usage') return [event];
    return [{ ...event, outputTokens: event.outputTokens + pieces, source: 'estimated' }];
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
