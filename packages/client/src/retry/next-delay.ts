import type { RetryOptions } from '../types.ts';

/**
 * How long to wait before the next attempt, or `undefined` when there should be none: the failure will not go away by
 * waiting, the attempts are used up, or the server asks for a longer wait than is obeyed.
 *
 * The server's own `Retry-After` wins. Otherwise a random part of `baseMs * 2^n`, at most `capMs`: clients that failed
 * together come back apart. With the defaults two retries wait 1.5 s at most, 0.75 s on average.
 *
 * @param attemptsMade Attempts that have failed so far, at least 1.
 * @param random A number in [0, 1).
 * @returns Milliseconds.
 * @see "full jitter" in AWS Builders' Library, Timeouts, retries and backoff with jitter.
 */
export function nextDelayMs(
  attemptsMade: number,
  failure: { retryable: boolean; retryAfterMs?: number | undefined },
  options: RetryOptions,
  random: number,
): number | undefined {
  if (!failure.retryable || attemptsMade >= options.maxAttempts) return undefined;
  // Zero, or a date in the past, is no wish to be asked at once by everybody.
  if (failure.retryAfterMs !== undefined && failure.retryAfterMs > 0) {
    return failure.retryAfterMs <= options.maxRetryAfterMs ? failure.retryAfterMs : undefined;
  }
  return random * Math.min(options.capMs, options.baseMs * 2 ** attemptsMade);
}
