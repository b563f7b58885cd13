import type { TimedPhase } from '../errors/timeout-error.ts';
import type { Clock } from '../types.ts';

/**
 * The clock of the present phase of an attempt. Only time spent waiting for the server counts: while the reader of a
 * stream thinks, it stands still.
 *
 * Prolonging is only an addition; the timer looks at the deadline when it fires, so a token costs no timer.
 */
export class PhaseTimer {
  readonly #clock: Clock;
  readonly #onExpired: (phase: TimedPhase, limitMs: number) => void;
  #phase: TimedPhase | undefined;
  #limitMs = Infinity;
  #deadline = Infinity;
  #pausedAt: number | undefined;
  #cancelTimer: (() => void) | undefined;

  constructor(clock: Clock, onExpired: (phase: TimedPhase, limitMs: number) => void) {
    this.#clock = clock;
    this.#onExpired = onExpired;
  }

  get phase(): TimedPhase | undefined {
    return this.#phase;
  }

  /** Begins a phase, or the same one again, with its whole time. */
  enter(phase: TimedPhase, limitMs: number): void {
    this.#phase = phase;
    this.#limitMs = limitMs;
    this.restart();
    this.#cancel();
    this.#arm();
  }

  /** Gives the present phase its whole time again. */
  restart(): void {
    const now = this.#clock.now();
    this.#deadline = now + this.#limitMs;
    if (this.#pausedAt !== undefined) this.#pausedAt = now;
  }

  pause(): void {
    this.#pausedAt ??= this.#clock.now();
  }

  resume(): void {
    if (this.#pausedAt === undefined) return;
    this.#deadline += this.#clock.now() - this.#pausedAt;
    this.#pausedAt = undefined;
    if (this.#cancelTimer === undefined) this.#arm();
  }

  stop(): void {
    this.#phase = undefined;
    this.#deadline = Infinity;
    this.#cancel();
  }

  #arm(): void {
    if (this.#deadline === Infinity) return;
    this.#cancelTimer = this.#clock.setTimer(() => {
      this.#cancelTimer = undefined;
      if (this.#pausedAt !== undefined || this.#phase === undefined) return;
      if (this.#clock.now() < this.#deadline) this.#arm();
      else this.#onExpired(this.#phase, this.#limitMs);
    }, this.#deadline - this.#clock.now());
  }

  #cancel(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }
}
