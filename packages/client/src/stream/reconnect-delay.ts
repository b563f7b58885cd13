import type { RetryOptions } from '../types.ts';

/**
 * How long to wait before a broken answer is picked up again, in milliseconds; `undefined` when the server asks for a
 * longer wait than is obeyed.
 *
 * @param tries The try that follows, counted from 1: that one is immediate, a lost connection is most often a passing
 *   one. Then a random part of `baseMs * 2^(tries - 1)`, at most `capMs`.
 */
export function reconnectDelayMs({
  tries,
  offline,
  error,
  retry,
  random,
}: {
  tries: number;
  offline: boolean;
  error: { retryAfterMs?: number | undefined };
  retry: RetryOptions;
  random: number;
}): number | undefined {
  if (offline) return Infinity;
  if (error.retryAfterMs !== undefined) {
    return error.retryAfterMs <= retry.maxRetryAfterMs ? error.retryAfterMs : undefined;
  }
  return tries === 1 ? 0 : random * Math.min(retry.capMs, retry.baseMs * 2 ** (tries - 1));
}
