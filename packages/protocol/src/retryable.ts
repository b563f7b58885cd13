import type { ErrorCode } from './error-codes.ts';

/** A piece of every code that stays as it is, and of none that may pass: the table without its weight. A test compares. */
const lasting = /_req|capab|overflow|block|auth|forb|found|allow|large|media|exceed|schema|tool|abort/;

/** `errorKinds[code].retryable`, for readers who have no use for the whole table. */
export function isRetryable(code: ErrorCode): boolean {
  return !lasting.test(code);
}
