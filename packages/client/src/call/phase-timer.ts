import type { TimedPhase } from '../errors/timeout-error.ts';
import type { Clock } from '../types.ts';

/** The timer looks at the time at least this often: a machine that slept is noticed so soon after it woke. */
const LOOK_INTERVAL_MS = 1_000;

/** How old the comparison of monotonic and wall time may be. */
const DRIFT_INTERVAL_MS = 100;

type OnPhase = (phase: TimedPhase, limitMs: number) => unknown;

/**
 * The clock of the present phase of an attempt. Only time spent waiting for the server counts: while the reader of a
 * stream thinks, it stands still.
 *
 * Prolonging is only an addition; the timer looks at the deadline when it fires, so a token costs no timer. Monotonic
 * time leaves out that the machine slept. Where the wall clock shows that the limit passed meanwhile, what the network
 * still holds gets one more look interval to arrive, and then the phase is over.
 */
export interface PhaseTimer {
  /** The present one. */
  phase: TimedPhase | undefined;
  /** Begins a phase, or the same one again, with its whole time. */
  enter(phase: TimedPhase, limitMs: number): void;
  /** Gives the present phase its whole time again. */
  restart(): void;
  /** `restart` and `pause`, without a look at the clock: streams do this for every token. */
  rewind(): void;
  pause(): void;
  resume(): void;
  stop(): void;
}

/** @param slow Told once per wait, when half of the limit has passed. */
export function phaseTimer(clock: Clock, expired: OnPhase, slow?: OnPhase): PhaseTimer {
  let limitMs = Infinity;
  let deadline = Infinity;
  let isPaused = false;
  /** What was left of the limit when the wait was paused. */
  let leftMs = Infinity;
  let cancel: (() => void) | undefined;
  let warned = false;
  let dueAt = 0;
  /** Wall time minus monotonic time when the wait began. */
  let drift = 0;
  let driftSeenAt = -Infinity;

  const driftAt = (now: number): number => (clock.wallNow?.() ?? now) - now;

  function begin(): void {
    const now = clock.now();
    deadline = now + leftMs;
    // A stream begins a wait per token; the two clocks part only when the machine sleeps.
    if (now - driftSeenAt < DRIFT_INTERVAL_MS) return;
    drift = driftAt(now);
    driftSeenAt = now;
  }

  function arm(): void {
    cancel = undefined;
    if (deadline === Infinity) return;
    const now = clock.now();
    const delayMs = Math.min(deadline - now, LOOK_INTERVAL_MS);
    dueAt = now + delayMs;
    cancel = clock.setTimer(look, delayMs);
  }

  function look(): void {
    cancel = undefined;
    const { phase } = timer;
    if (isPaused || !phase) return;
    const now = clock.now();
    // The program itself stood still: what came meanwhile waits to be read, behind this timer.
    if (now - dueAt >= LOOK_INTERVAL_MS) deadline = Math.max(deadline, now + LOOK_INTERVAL_MS);
    if (now >= deadline) {
      expired(phase, limitMs);
      return;
    }
    if (now + driftAt(now) - drift >= deadline) deadline = Math.min(deadline, now + LOOK_INTERVAL_MS);
    if (!warned && deadline - now <= limitMs / 2) {
      warned = true;
      slow?.(phase, limitMs);
    }
    arm();
  }

  const timer: PhaseTimer = {
    phase: undefined,
    enter(phase, ms) {
      timer.phase = phase;
      limitMs = ms;
      timer.restart();
      cancel?.();
      arm();
    },
    restart() {
      warned = false;
      leftMs = limitMs;
      if (!isPaused) begin();
    },
    rewind() {
      isPaused = true;
      timer.restart();
    },
    pause() {
      if (isPaused) return;
      isPaused = true;
      leftMs = deadline - clock.now();
    },
    resume() {
      if (!isPaused) return;
      isPaused = false;
      begin();
      if (!cancel) arm();
    },
    stop() {
      timer.phase = undefined;
      deadline = Infinity;
      cancel?.();
    },
  };
  return timer;
}
