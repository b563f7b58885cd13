import type { StreamEventBody, Timings, Usage } from '@ziggie/llm-protocol';
import { AbortedError } from '../errors/aborted-error.ts';
import { TimeoutError } from '../errors/timeout-error.ts';
import type { ZiggieError } from '../errors/ziggie-error.ts';
import { part } from '../part.ts';
import { given, type Settings, timeoutsFor } from '../settings.ts';
import type { AnswerStats, Attempt, CallOptions, Timeouts } from '../types.ts';
import { type Interrupt, newInterrupt } from './interrupt.ts';
import type { CallPurpose, Hook, Observer, Told } from './observer.ts';
import { type PhaseTimer, phaseTimer } from './phase-timer.ts';

/** Milliseconds to a thousandth: finer is noise. */
const rounded = (ms: number): number => Math.round(ms * 1000) / 1000;

/** What a call has over all its attempts: who may stop it, its deadline, the tries so far and where the time went. */
export interface CallScope {
  readonly settings: Settings;
  readonly options: CallOptions;
  readonly timeouts: Timeouts;
  readonly attempts: Attempt[];
  /** Whether there may be hooks: spares the work of telling every token. */
  readonly watched: boolean;
  tell<Name extends Hook>(name: Name, ...told: Told<Name>): void;
  log: Observer['log'];
  /** What was read from the connection so far. */
  chunks: number;
  bytes: number;
  /** Whether a 401 was answered with a new token already. */
  askedAgain: boolean;
  /** From the call to the first piece of the answer. */
  ttftMs: number | undefined;
  /** Since the call began, in milliseconds. */
  elapsedMs(): number;
  /** Measures the phases as an observer at this end sees them, for servers that do not say. */
  saw(type: StreamEventBody['type']): void;
  /** The figures of the call, after its end. */
  stats(timings: Timings, usage: Usage | undefined): AnswerStats;
  /** Starts the deadline and listens to the signal; does nothing the second time. Wait for it. */
  begin(): Promise<void>;
  /** Ends the present attempt or sleep, and the call. Harmless when the call is over. */
  stop(reason: ZiggieError): void;
  /** For the next attempt or sleep. @throws {ZiggieError} when the call was stopped. */
  newInterrupt(): Interrupt;
  /** For a try that goes out now. @returns Its interrupt and clock. @throws {ZiggieError} when the call was stopped. */
  newAttempt(): { interrupt: Interrupt; timer: PhaseTimer };
  /** Notes the attempt that is over now. */
  record(status: number | undefined, code?: string, resumed?: true): void;
  /** Lets go of the signal and the deadline. */
  end(): void;
}

/** @param onStopped Told at once when something other than an attempt ends the call. */
export function newScope(
  settings: Settings,
  options: CallOptions,
  purpose: CallPurpose,
  idleMs?: number,
  onStopped?: (reason: ZiggieError) => void,
): CallScope {
  const { clock } = settings;
  const { signal } = options;
  const timeouts = timeoutsFor(settings, options, idleMs);
  const watched = (options.hooks ?? settings.hooks ?? settings.logger) !== undefined;
  let observer: Observer | undefined;
  const watching = watched
    ? part(() => import('./observer.ts')).then(
        ({ newObserver }) => {
          observer = newObserver(settings, options, purpose, scope.elapsedMs);
        },
        // The call is worth more than who watches it.
        () => {},
      )
    : undefined;
  const attempts: Attempt[] = [];
  const spans: Timings = {};
  let interrupt = newInterrupt();
  let startedAt: number | undefined;
  let attemptAt = 0;
  let cancelDeadline: (() => void) | undefined;
  let stopped: ZiggieError | undefined;
  let ended = false;
  let phase: 'queueMs' | 'loadMs' | undefined;
  let phaseSince = 0;
  const since = (at: number): number => rounded(clock.now() - at);
  const onAbort = (): void => scope.stop(new AbortedError(signal?.reason));

  const scope: CallScope = {
    settings,
    options,
    timeouts,
    attempts,
    watched,
    tell(...told) {
      if (observer) observer.tell(...told);
      else void watching?.then(() => observer?.tell(...told));
    },
    log: (...told) => observer?.log(...told),
    chunks: 0,
    bytes: 0,
    askedAgain: false,
    ttftMs: undefined,
    elapsedMs: () => since(startedAt ?? clock.now()),
    saw(type) {
      const now = scope.elapsedMs();
      if (phase) spans[phase] = (spans[phase] ?? 0) + now - phaseSince;
      phase = type === 'queued' ? 'queueMs' : type === 'loading' ? 'loadMs' : undefined;
      phaseSince = now;
      if (!phase) scope.ttftMs ??= now;
    },
    stats(timings, usage) {
      const totalMs = scope.elapsedMs();
      const { ttftMs, chunks, bytes } = scope;
      const seen = ttftMs !== undefined && { ttftMs, decodeMs: rounded(totalMs - ttftMs) };
      const all: Timings = { ...spans, ...seen, totalMs, ...timings };
      const { decodeMs = 0 } = all;
      return {
        ...all,
        ...(usage && decodeMs > 0 && { tokensPerSecond: rounded((usage.outputTokens * 1000) / decodeMs) }),
        chunks,
        bytes,
        attempts: attempts.length,
      };
    },
    async begin() {
      await watching;
      if (startedAt !== undefined) return;
      const { totalMs } = timeouts;
      startedAt = clock.now();
      scope.tell('request');
      // Stopped while it waited for who watches: nobody would let go of these again.
      if (ended) return;
      if (signal?.aborted) onAbort();
      else signal?.addEventListener('abort', onAbort, { once: true });
      if (totalMs !== Infinity) {
        cancelDeadline = clock.setTimer(() => scope.stop(new TimeoutError('total', totalMs)), totalMs);
      }
    },
    stop(reason) {
      if (stopped || ended) return;
      stopped = reason;
      interrupt.fire(reason);
      onStopped?.(reason);
    },
    newInterrupt() {
      if (stopped) throw stopped;
      interrupt = newInterrupt();
      return interrupt;
    },
    newAttempt() {
      const { fire } = scope.newInterrupt();
      attemptAt = clock.now();
      scope.tell('attempt', { number: attempts.length + 1 });
      const timer = phaseTimer(
        clock,
        (...over) => fire(new TimeoutError(...over)),
        (...half) => observer?.slow(...half),
      );
      return { interrupt, timer };
    },
    record(status, code, resumed) {
      const { host } = interrupt;
      const number = attempts.length + 1;
      attempts.push(given({ number, status, host, code, durationMs: since(attemptAt), resumed }) as Attempt);
    },
    end() {
      ended = true;
      signal?.removeEventListener('abort', onAbort);
      cancelDeadline?.();
    },
  };
  return scope;
}
