import type { StreamEventBody, Timings, Usage } from '@ziggie/llm-protocol';
import { AbortedError } from '../errors/aborted-error.ts';
import { TimeoutError } from '../errors/timeout-error.ts';
import type { ZiggieError } from '../errors/ziggie-error.ts';
import { retryFor, type Settings, timeoutsFor } from '../settings.ts';
import type { AnswerStats, Attempt, CallOptions, RetryOptions, Timeouts } from '../types.ts';
import { Interrupt } from './interrupt.ts';
import { type CallPurpose, Observer } from './observer.ts';
import { PhaseStopwatch, rounded } from './phase-stopwatch.ts';

/**
 * What a call has over all its attempts: who may stop it, its deadline and the tries so far.
 *
 * The one listener on the caller's signal is added by `begin` and removed by `end`.
 */
export class CallScope {
  readonly settings: Settings;
  readonly options: CallOptions;
  readonly timeouts: Timeouts;
  readonly attempts: Attempt[] = [];
  readonly observer: Observer;
  readonly retry: RetryOptions;
  /** What was read from the connection so far. */
  chunks = 0;
  bytes = 0;
  /** Whether a 401 was answered with a new token already. */
  askedAgain = false;
  readonly #onStopped: (reason: ZiggieError) => void;
  readonly #onAbort = (): void => this.stop(new AbortedError(this.options.signal?.reason));
  #interrupt = new Interrupt();
  #startedAt: number | undefined;
  #cancelDeadline: (() => void) | undefined;
  #stopped: ZiggieError | undefined;
  #ended = false;
  readonly #phases = new PhaseStopwatch();

  /** @param onStopped Told at once when something other than an attempt ends the call. */
  constructor(
    settings: Settings,
    options: CallOptions,
    purpose: CallPurpose,
    idleMs?: number,
    onStopped: (reason: ZiggieError) => void = () => {},
  ) {
    this.settings = settings;
    this.options = options;
    this.observer = new Observer(settings, options, purpose);
    this.timeouts = timeoutsFor(settings, options, idleMs);
    this.retry = retryFor(settings, options);
    this.#onStopped = onStopped;
  }

  /** Since the call began, in milliseconds. */
  get elapsedMs(): number {
    return rounded(this.settings.clock.now() - (this.#startedAt ?? this.settings.clock.now()));
  }

  /** Measures the phases as an observer at this end sees them. */
  saw(type: StreamEventBody['type']): void {
    this.#phases.saw(type, this.elapsedMs);
  }

  /** What this side measured over the whole call, for servers that do not say. */
  measured(): Timings {
    const { ttftMs } = this.#phases;
    return ttftMs === undefined ? {} : { ttftMs };
  }

  /** The figures of the call, after its end. */
  stats(timings: Timings, usage: Usage | undefined): AnswerStats {
    const all = { ...this.#phases.timings(this.elapsedMs), ...timings };
    const { decodeMs } = all;
    const { chunks, bytes, attempts } = this;
    return {
      ...all,
      ...(usage && decodeMs !== undefined && decodeMs > 0
        ? { tokensPerSecond: rounded((usage.outputTokens * 1000) / decodeMs) }
        : {}),
      chunks,
      bytes,
      attempts: attempts.length,
    };
  }

  /** Starts the deadline and listens to the signal; does nothing the second time. */
  begin(): void {
    if (this.#startedAt !== undefined) return;
    const { clock } = this.settings;
    const { totalMs } = this.timeouts;
    this.#startedAt = clock.now();
    this.observer.tell('request');
    const { signal } = this.options;
    if (signal?.aborted) this.#onAbort();
    else signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (totalMs !== Infinity) {
      this.#cancelDeadline = clock.setTimer(() => this.stop(new TimeoutError('total', totalMs)), totalMs);
    }
  }

  /** Ends the present attempt or sleep, and the call. Harmless when the call is over. */
  stop(reason: ZiggieError): void {
    if (this.#stopped || this.#ended) return;
    this.#stopped = reason;
    this.#interrupt.fire(reason);
    this.#onStopped(reason);
  }

  /** For the next attempt or sleep. @throws {ZiggieError} when the call was stopped. */
  newInterrupt(): Interrupt {
    if (this.#stopped) throw this.#stopped;
    this.#interrupt = new Interrupt();
    return this.#interrupt;
  }

  /** For a try that goes out now. @returns Its interrupt. @throws {ZiggieError} when the call was stopped. */
  newAttempt(): Interrupt {
    const interrupt = this.newInterrupt();
    this.observer.tell('attempt', { number: this.attempts.length + 1 });
    return interrupt;
  }

  record(startedAt: number, status: number | undefined, code: string | undefined, resumed?: true): void {
    this.attempts.push({
      number: this.attempts.length + 1,
      ...(status === undefined ? {} : { status }),
      ...(code === undefined ? {} : { code }),
      durationMs: rounded(this.settings.clock.now() - startedAt),
      ...(resumed ? { resumed } : {}),
    });
  }

  /** Lets go of the signal and the deadline. */
  end(): void {
    this.#ended = true;
    this.options.signal?.removeEventListener('abort', this.#onAbort);
    this.#cancelDeadline?.();
  }
}
