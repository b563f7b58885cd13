import type { ErrorCode } from '@ziggie/llm-protocol';
import type { Clock } from '../clock.ts';
import type { Lease } from '../lease.ts';
import { upstreamFailure } from '../upstream/failures.ts';

/**
 * Ends a request whose current phase takes too long. One timer for all phases: it looks when it fires whether something
 * has happened since, so a token costs one assignment.
 */
export class PhaseClock {
  readonly #clock: Clock;
  readonly #lease: Lease;
  #code: ErrorCode = 'first_token_timeout';
  #limitMs = Number.POSITIVE_INFINITY;
  #since = 0;
  #pausedAt: number | undefined;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, lease: Lease) {
    this.#clock = clock;
    this.#lease = lease;
  }

  /** Begins a phase with its own limit. */
  enter(code: ErrorCode, limitMs: number): void {
    this.#code = code;
    this.#limitMs = limitMs;
    this.touch();
    this.#arm(limitMs);
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
    this.#since += this.#clock.now() - this.#pausedAt;
    this.#pausedAt = undefined;
    if (!this.#cancel) this.#arm(Math.max(0, this.#restMs()));
  }

  #arm(delayMs: number): void {
    this.#cancel?.();
    this.#cancel = this.#lease.setTimer(() => this.#look(), delayMs);
  }

  #look(): void {
    this.#cancel = undefined;
    // The time that stands still is looked at again when it goes on.
    if (this.#pausedAt !== undefined) return;
    const restMs = this.#restMs();
    if (restMs > 0) this.#arm(restMs);
    else this.#lease.fail(upstreamFailure(this.#code, `silent for ${Math.round(this.#limitMs)} ms`));
  }

  #restMs(): number {
    return this.#limitMs - (this.#clock.now() - this.#since);
  }
}
