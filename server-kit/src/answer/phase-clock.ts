import type { ErrorCode } from '@ziggie/llm-protocol';
import type { Clock } from '../clock.ts';
import type { Lease } from '../lease.ts';
import { upstreamFailure } from '../upstream/failures.ts';

/** How long is waited at most until the first look, so that a later phase with a shorter limit needs no other timer, in ms. */
const firstLookMs = 10_000;

/**
 * Ends a request whose current phase takes too long. One timer for all phases: it looks when it fires whether something
 * has happened since, so a token costs one assignment, and a request that is soon over one timer.
 */
export class PhaseClock {
  readonly #clock: Clock;
  readonly #lease: Lease;
  #code: ErrorCode = 'first_token_timeout';
  #limitMs = Number.POSITIVE_INFINITY;
  #since = 0;
  #pausedAt: number | undefined;
  /** When the whole must be over, whatever happens. */
  #endsAt = Number.POSITIVE_INFINITY;
  #wholeMs = 0;
  #cancel: (() => void) | undefined;
  /** When the timer looks; `Infinity` when there is none. */
  #looksAt = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, lease: Lease) {
    this.#clock = clock;
    this.#lease = lease;
  }

  /** Begins a phase with its own limit. */
  enter(code: ErrorCode, limitMs: number): void {
    this.#code = code;
    this.#limitMs = limitMs;
    this.touch();
    this.#lookBy(this.#since + Math.min(limitMs, firstLookMs), this.#since);
  }

  /** From now on so long and no longer, pauses and signs of life or not. */
  endAfter(wholeMs: number): void {
    const now = this.#clock.now();
    this.#wholeMs = wholeMs;
    this.#endsAt = now + wholeMs;
    this.#lookBy(this.#endsAt, now);
  }

  /** Something happened: the phase's time begins anew. */
  touch(): void {
    this.#since = this.#clock.now();
    if (this.#pausedAt !== undefined) this.#pausedAt = this.#since;
  }

  /** While our own reader is slow, the silence is not the model's. */
  pause(): void {
    this.#pausedAt ??= this.#clock.now();
  }

  /** Time goes on where it stood: a pause is not a sign of life of the model. */
  resume(): void {
    if (this.#pausedAt === undefined) return;
    const now = this.#clock.now();
    this.#since += now - this.#pausedAt;
    this.#pausedAt = undefined;
    this.#lookBy(this.#since + this.#limitMs, now);
  }

  /** Sees to it that there is a look by then; an earlier one finds out for itself what is left. */
  #lookBy(at: number, now: number): void {
    if (this.#looksAt <= at || at === Number.POSITIVE_INFINITY) return;
    this.#cancel?.();
    this.#looksAt = at;
    this.#cancel = this.#lease.setTimer(this.#look, Math.max(0, at - now));
  }

  readonly #look = (): void => {
    this.#cancel = undefined;
    this.#looksAt = Number.POSITIVE_INFINITY;
    const now = this.#clock.now();
    if (now >= this.#endsAt) {
      this.#lease.fail(upstreamFailure('deadline_exceeded', `longer than ${this.#wholeMs} ms`));
      return;
    }
    // The time that stands still is looked at again when it goes on.
    const phaseEndsAt = this.#pausedAt === undefined ? this.#since + this.#limitMs : Number.POSITIVE_INFINITY;
    if (now >= phaseEndsAt) {
      this.#lease.fail(upstreamFailure(this.#code, `silent for ${Math.round(this.#limitMs)} ms`));
      return;
    }
    this.#lookBy(Math.min(phaseEndsAt, this.#endsAt), now);
  };
}
