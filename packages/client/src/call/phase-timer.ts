import type { TimedPhase } from '../errors/timeout-error.ts';
import type { Clock } from '../types.ts';

/** The timer looks at the time at least this often: a machine that slept is noticed so soon after it woke. */
const LOOK_INTERVAL_MS = 1_000;

/** How old the comparison of monotonic and wall time may be. */
const DRIFT_INTERVAL_MS = 100;

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
  /** The present one. */
  phase: TimedPhase | undefined;
  #limitMs = Infinity;
  #deadline = Infinity;
  #isPaused = false;
  /** What was left of the limit when the wait was paused. */
  #leftMs = Infinity;
  #cancelTimer: (() => void) | undefined;
  #warned = false;
  #dueAt = 0;
  /** Wall time minus monotonic time when the wait began. */
  #drift: number | undefined;
  #driftSeenAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, listener: PhaseListener) {
    this.#clock = clock;
    this.#listener = listener;
  }

  /** Begins a phase, or the same one again, with its whole time. */
  enter(phase: TimedPhase, limitMs: number): void {
    this.phase = phase;
    this.#limitMs = limitMs;
    this.restart();
    this.#cancel();
    this.#arm();
  }

  /** Gives the present phase its whole time again. */
  restart(): void {
    this.#warned = false;
    this.#leftMs = this.#limitMs;
    if (!this.#isPaused) this.#begin();
  }

  /** `restart` and `pause`, without a look at the clock: streams do this for every token. */
  rewind(): void {
    this.#isPaused = true;
    this.restart();
  }

  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#leftMs = this.#deadline - this.#clock.now();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#begin();
    if (this.#cancelTimer === undefined) this.#arm();
  }

  stop(): void {
    this.phase = undefined;
    this.#deadline = Infinity;
    this.#cancel();
  }

  #arm(): void {
    if (this.#deadline === Infinity) return;
    const now = this.#clock.now();
    const delayMs = Math.min(this.#deadline - now, LOOK_INTERVAL_MS);
    this.#dueAt = now + delayMs;
    this.#cancelTimer = this.#clock.setTimer(() => this.#look(), delayMs);
  }

  #look(): void {
    this.#cancelTimer = undefined;
    if (this.#isPaused || this.phase === undefined) return;
    const now = this.#clock.now();
    // The program itself stood still: what came meanwhile waits to be read, behind this timer.
    if (now - this.#dueAt >= LOOK_INTERVAL_MS)
      this.#deadline = Math.max(this.#deadline, now + LOOK_INTERVAL_MS);
    if (now >= this.#deadline) {
      this.#listener.expired(this.phase, this.#limitMs);
      return;
    }
    const sleptMs = (this.#driftAt(now) ?? 0) - (this.#drift ?? 0);
    if (now + sleptMs >= this.#deadline) this.#deadline = Math.min(this.#deadline, now + LOOK_INTERVAL_MS);
    if (!this.#warned && this.#deadline - now <= this.#limitMs / 2) {
      this.#warned = true;
      this.#listener.slow?.(this.phase, this.#limitMs);
    }
    this.#arm();
  }

  #begin(): void {
    const now = this.#clock.now();
    this.#deadline = now + this.#leftMs;
    // A stream begins a wait per token; the two clocks part only when the machine sleeps.
    if (now - this.#driftSeenAt < DRIFT_INTERVAL_MS) return;
    this.#drift = this.#driftAt(now);
    this.#driftSeenAt = now;
  }

  #driftAt(now: number): number | undefined {
    return this.#clock.wallNow && this.#clock.wallNow() - now;
  }

  #cancel(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }
}
