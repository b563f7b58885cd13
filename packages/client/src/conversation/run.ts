import type { Clock } from '../types.ts';

/** A run as the doer holds it. */
export interface Run {
  /** The answer that it writes. */
  readonly messageId: string;
  readonly abort: AbortController;
  readonly startedAt: number;
  /** Wall time in ms that does not jump while the run lasts, whatever happens to the clock of the machine. */
  readonly now: () => number;
}

/** Wall time once, from there on the monotonic clock. */
export function beginRun(messageId: string, startedAt: number, clock: Clock): Run {
  const start = clock.now();
  return {
    messageId,
    abort: new AbortController(),
    startedAt,
    now: () => startedAt + (clock.now() - start),
  };
}
