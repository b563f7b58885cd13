import { isRetryable } from '@ziggie/llm-protocol/native';
import { isZiggieError } from '../errors/ziggie-error.ts';
import type { TurnFailure } from './types.ts';

/**
 * A thrown failure as plain data. Ours have a code and a message that is safe to show. Of anything else only the kind is
 * told: its message may hold what must not be stored, a token for instance.
 *
 * @param at Wall time in ms, from which the server's wait is counted.
 */
export function toTurnFailure(error: unknown, at: number): TurnFailure {
  if (!isZiggieError(error)) {
    const code = 'internal_error';
    const name = error instanceof Error ? error.name : typeof error;
    return {
      code,
      message: `The answer ended with an unexpected ${name}.`,
      retryable: isRetryable(code),
    };
  }
  const { code, message, retryable, status, requestId, retryAfterMs } = error;
  return {
    code,
    message,
    retryable,
    ...(status !== undefined && { status }),
    ...(requestId !== undefined && { requestId }),
    ...(retryAfterMs !== undefined && { retryAt: at + retryAfterMs }),
  };
}
