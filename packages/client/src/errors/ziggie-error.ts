import type { ErrorCode } from '@ziggie/llm-protocol';
import { isRetryable } from '@ziggie/llm-protocol/native';
import type { Attempt, PartialAnswer } from '../types.ts';

// Registered, not unique: two installed copies of this package recognise each other's errors.
const brand = Symbol.for('ziggie.llm.error');

/**
 * What a call was doing when it failed: `connect` until the server answered, `load` while it brought the model into
 * memory, `first-token` until the first piece of the answer, `stream` after it. A clock that ran out says `idle` or
 * `total` for its own span.
 */
export type ErrorPhase = 'connect' | 'load' | 'first-token' | 'stream' | 'idle' | 'total';

/** What a {@link ZiggieError} carries besides its code and message. */
export interface ZiggieErrorDetails {
  status?: number | undefined;
  /** Default: as the error table says for the code. */
  retryable?: boolean | undefined;
  requestId?: string | undefined;
  phase?: ErrorPhase | undefined;
  retryAfterMs?: number | undefined;
  cause?: unknown;
}

/**
 * Every failure of a call. `code` is the contract: `switch` over it; the message is for people and may change.
 *
 * Neither message nor `toJSON()` holds a prompt, an answer or a token.
 */
export class ZiggieError extends Error {
  override readonly name: string = 'ZiggieError';
  declare readonly code: ErrorCode;
  /** HTTP status, of the answer or of the error event inside a stream. */
  declare readonly status?: number | undefined;
  /** Whether the same request may succeed later without a change. */
  declare readonly retryable: boolean;
  /** The server's name for this request: what its operator needs to find it in the log. */
  declare readonly requestId?: string | undefined;
  declare readonly phase?: ErrorPhase | undefined;
  /** Milliseconds the server asked to wait before the next try. */
  declare readonly retryAfterMs?: number | undefined;
  /** When that will be, by the clock of this machine. */
  get retryAt(): Date | undefined {
    return this.retryAfterMs === undefined ? undefined : new Date(this.#madeAt + this.retryAfterMs);
  }

  readonly #madeAt = Date.now();
  /** Every try of this call, the last one included. */
  readonly attempts: readonly Attempt[] = [];
  /** What had arrived of the answer. Left out of `toJSON()`. */
  declare readonly partial?: PartialAnswer | undefined;

  constructor(code: ErrorCode, message: string, details: ZiggieErrorDetails = {}) {
    const { cause, retryable = isRetryable(code), ...more } = details;
    super(message, cause === undefined ? {} : { cause });
    // What a subclass adds is among the details, too.
    Object.assign(this, more, { code, retryable });
  }

  get [brand](): true {
    return true;
  }

  /** Plain data that is safe to log: no prompt, no answer, no token, no cause. */
  toJSON(): Record<string, unknown> {
    const told = 'name code message status retryable requestId phase retryAfterMs attempts'.split(' ');
    return {
      ...Object.fromEntries(told.map((name) => [name, this[name as keyof this]])),
      retryAt: this.retryAt?.toISOString(),
    };
  }
}

/** Whether a caught value is a {@link ZiggieError}, also one of another copy of this package. */
export function isZiggieError(value: unknown): value is ZiggieError {
  return typeof value === 'object' && value !== null && (value as { [brand]?: unknown })[brand] === true;
}

/** Adds what only the whole call knows; errors are made deeper down, where it is not known. */
export function withCallDetails<E extends ZiggieError>(
  error: E,
  details: {
    attempts?: readonly Attempt[];
    partial?: PartialAnswer | undefined;
    phase?: ErrorPhase | undefined;
    requestId?: string | undefined;
  },
): E {
  return Object.assign(error, details);
}

/** The id of a request that a server names, if it has the form of one: it is shown, and stands in logs. */
export function requestIdOf(given: unknown): string | undefined {
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : undefined;
}
