import type { Timings } from '@ziggie/llm-protocol';
import { AbortedError } from '../errors/aborted-error.ts';
import { TimeoutError } from '../errors/timeout-error.ts';
import type { ZiggieError } from '../errors/ziggie-error.ts';
import { nextDelayMs } from '../retry/next-delay.ts';
import { retryFor, type Settings, timeoutsFor } from '../settings.ts';
import type { Attempt, CallOptions, RetryOptions, Timeouts } from '../types.ts';
import { Interrupt } from './interrupt.ts';

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
  readonly #retry: RetryOptions;
  readonly #onStopped: (reason: ZiggieError) => void;
  readonly #onAbort = (): void => this.stop(new AbortedError(this.options.signal?.reason));
  #interrupt = new Interrupt();
  #startedAt: number | undefined;
  #cancelDeadline: (() => void) | undefined;
  #stopped: ZiggieError | undefined;
  #ended = false;
  #askedAgain = false;
  #ttftMs: number | undefined;

  /** @param onStopped Told at once when something other than an attempt ends the call. */
  constructor(
    settings: Settings,
    options: CallOptions,
    idleMs?: number,
    onStopped: (reason: ZiggieError) => void = () => {},
  ) {
    this.settings = settings;
    this.options = options;
    this.timeouts = timeoutsFor(settings, options, idleMs);
    this.#retry = retryFor(settings, options);
    this.#onStopped = onStopped;
  }

  /** Marks the first piece of the answer, for {@link measured}. */
  firstToken(): void {
    this.#ttftMs = rounded(this.settings.clock.now() - (this.#startedAt ?? 0));
  }

  /** What this side measured over the whole call, for servers that do not say. */
  measured(): Timings {
    return this.#ttftMs === undefined ? {} : { ttftMs: this.#ttftMs };
  }

  /** Starts the deadline and listens to the signal; does nothing the second time. */
  begin(): void {
    if (this.#startedAt !== undefined) return;
    const { clock } = this.settings;
    const { totalMs } = this.timeouts;
    this.#startedAt = clock.now();
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

  /** Waits as long as is right before another attempt. @throws The error itself, when there should be none. */
  async waitForRetry(error: ZiggieError): Promise<void> {
    if (this.#stopped) throw this.#stopped;
    const { clock, credentials, random } = this.settings;
    if (error.code === 'unauthorized' && typeof credentials === 'function' && !this.#askedAgain) {
      this.#askedAgain = true;
      return;
    }
    // The try that only brought a new token does not count.
    const made = this.attempts.length - (this.#askedAgain ? 1 : 0);
    const delayMs = nextDelayMs(made, error, this.#retry, random());
    if (delayMs === undefined) throw error;
    let cancel = (): void => {};
    const elapsed = new Promise<void>((resolve) => {
      cancel = clock.setTimer(resolve, delayMs);
    });
    try {
      await this.newInterrupt().wait(elapsed);
    } catch (stopped) {
      // Out of time while waiting: the failure that was waited for tells more than the clock.
      throw stopped instanceof TimeoutError ? Object.assign(stopped, { cause: error }) : stopped;
    } finally {
      cancel();
    }
  }

  record(startedAt: number, status: number | undefined, code: string | undefined): void {
    this.attempts.push({
      number: this.attempts.length + 1,
      ...(status === undefined ? {} : { status }),
      ...(code === undefined ? {} : { code }),
      durationMs: rounded(this.settings.clock.now() - startedAt),
    });
  }

  /** Lets go of the signal and the deadline. */
  end(): void {
    this.#ended = true;
    this.options.signal?.removeEventListener('abort', this.#onAbort);
    this.#cancelDeadline?.();
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
