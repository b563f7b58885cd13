import type { CallOptions } from '../types.ts';

/** The options of one request of several, with what is left of `totalMs` for all of them. */
export function remainingOptions(options: CallOptions, signal: AbortSignal, elapsedMs: number): CallOptions {
  const { timeouts, retry, headers, recovery, resume, hooks } = options;
  const totalMs = timeouts?.totalMs;
  return {
    signal,
    retry,
    headers,
    recovery,
    resume,
    hooks,
    timeouts: totalMs === undefined ? timeouts : { ...timeouts, totalMs: Math.max(0, totalMs - elapsedMs) },
  };
}
