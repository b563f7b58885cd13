import type { TimedPhase } from '../errors/timeout-error.ts';
import type { Clock } from '../types.ts';

/** The timer looks at the time at least this often: a machine that slept is noticed so soon after it woke. */
const LOOK_INTERVAL_MS = 1_000;

/** What the timer tells. */
export interface PhaseListener {
  expired(phase: TimedPhase, limitMs: number): void;
  /** Half of the limit has passed; told once per wait. */
  slow?(phase: TimedPhase, limitMs: number): void;
}

/**
 * The clock of the present phase of an attempt. Only time spent waiting for the server counts: while the reader of a
 * stream thinks, it stands still.
 *
 * Prolonging is only an addition; the timer looks at the deadline when it fires, so a token costs no timer. Monotonic
 * time leaves out that the machine slept. Where the wall clock shows that the limit passed meanwhile, what the network
 * still holds gets one more look interval to arrive, and then the phase is over.
 */
export class PhaseTimer {
  readonly #clock: Clock;
  readonly #listener: PhaseListener;
  #phase: TimedPhase | undefined;
  #limitMs = Infinity;
  #deadline = Infinity;
  #pausedAt: number | undefined;
  #cancelTimer: (() => void) | undefined;
  #warned = false;
  #dueAt = 0;
  /** Wall time minus monotonic time when the wait began. */
  #drift: number | undefined;

  constructor(clock: Clock, listener: PhaseListener) {
    this.#clock = clock;
    this.#listener = listener;
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
    this.#warned = false;
    this.#drift = this.#driftNow();
    if (this.#pausedAt !== undefined) this.#pausedAt = now;
  }

  pause(): void {
    this.#pausedAt ??= this.#clock.now();
  }

  resume(): void {
    if (this.#pausedAt === undefined) return;
    this.#deadline += this.#clock.now() - this.#pausedAt;
    this.#pausedAt = undefined;
    this.#drift = this.#driftNow();
    if (this.#cancelTimer === undefined) this.#arm();
  }

  stop(): void {
    this.#phase = undefined;
    this.#deadline = Infinity;
    this.#cancel();
  }

  #arm(): void {
    if (this.#deadline === Infinity) return;
    const leftMs = this.#deadline - this.#clock.now();
    const delayMs = Math.min(leftMs, LOOK_INTERVAL_MS);
    this.#dueAt = this.#clock.now() + delayMs;
    this.#cancelTimer = this.#clock.setTimer(() => this.#look(), delayMs);
  }

  #look(): void {
    this.#cancelTimer = undefined;
    if (this.#pausedAt !== undefined || this.#phase === undefined) return;
    const now = this.#clock.now();
    // The program itself stood still: what came meanwhile waits to be read, behind this timer.
    if (now - this.#dueAt >= LOOK_INTERVAL_MS)
      this.#deadline = Math.max(this.#deadline, now + LOOK_INTERVAL_MS);
    if (now >= this.#deadline) {
      this.#listener.expired(this.#phase, this.#limitMs);
      return;
    }
    const sleptMs = (this.#driftNow() ?? 0) - (this.#drift ?? 0);
    if (now + sleptMs >= this.#deadline) this.#deadline = Math.min(this.#deadline, now + LOOK_INTERVAL_MS);
    if (!this.#warned && this.#deadline - now <= this.#limitMs / 2) {
      this.#warned = true;
      this.#listener.slow?.(this.#phase, this.#limitMs);
    }
    this.#arm();
  }

  #driftNow(): number | undefined {
    return this.#clock.wallNow && this.#clock.wallNow() - this.#clock.now();
  }

  #cancel(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }
}
