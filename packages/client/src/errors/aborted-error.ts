import { ZiggieError } from './ziggie-error.ts';

/**
 * The caller ended the call. Its `name` is `AbortError`, as the platform's own; `cause` is the signal's reason or what
 * was given to `abort()`.
 */
export class AbortedError extends ZiggieError {
  override readonly name = 'AbortError';

  constructor(cause: unknown) {
    super('aborted', 'The call was stopped by its caller.', { cause });
  }
}
