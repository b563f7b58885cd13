import { given, RECONNECT_MS, type Settings } from '../settings.ts';
import type { CallOptions, RetryOptions } from '../types.ts';

/** The call's own rules over the client's over the defaults. Needed after a failure only. */
export function retryRules(settings: Settings, options: CallOptions): RetryOptions {
  return {
    maxAttempts: 3,
    baseMs: 250,
    capMs: 8_000,
    maxRetryAfterMs: 60_000,
    reconnectMs: RECONNECT_MS,
    ...given(settings.retry),
    ...given(options.retry),
  };
}
