import type { RetryOptions } from '../types.ts';

/** A server that just came back has the first second to itself. */
const LEAST_MS = 1_000;
/** The first wave: at most 8 % of all come in any second of it. */
const FIRST_WAVE_MS = 15_000;
/** Later ones are spread wider. */
const LATER_WAVES_MS = 30_000;

/**
 * How long to wait before a broken answer is picked up again, in milliseconds; `undefined` when the server asks for a
 * longer wait than is obeyed.
 *
 * The first try follows soon, for a lost connection is most often one's own; but a proxy may have cut everybody's, so it
 * is anywhere in the first half second (`baseMs * 2`, full jitter as before any other retry). Once that failed, or where
 * the connection was one of the kind that a server ends for everybody at once (`isShared`), clients that lost the same
 * server come back apart: after 1 to 15 s, then 1 to 30 s.
 *
 * @param tries The try that follows, counted from 1.
 */
export function reconnectDelayMs({
  tries,
  offline,
  error,
  retry,
  random,
  isShared,
}: {
  tries: number;
  offline: boolean;
  error: { retryAfterMs?: number | undefined };
  retry: RetryOptions;
  random: number;
  isShared: boolean;
}): number | undefined {
  if (offline) return Infinity;
  if (error.retryAfterMs !== undefined) {
    return error.retryAfterMs <= retry.maxRetryAfterMs ? error.retryAfterMs : undefined;
  }
  const wave = isShared ? tries : tries - 1;
  if (wave === 0) return random * Math.min(retry.capMs, retry.baseMs * 2);
  const mostMs = wave === 1 ? FIRST_WAVE_MS : LATER_WAVES_MS;
  return LEAST_MS + random * (mostMs - LEAST_MS);
}
