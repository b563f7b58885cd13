import {
  type ErrorCode,
  type ErrorEvent,
  errorKinds,
  PROBLEM_CONTENT_TYPE,
  type Problem,
  problemOf,
} from '@ziggie/llm-protocol';
import type { Answer } from './answer/answer.ts';
import type { HeaderList } from './answer/header-list.ts';
import type { WriteFailure } from './surfaces/surface.ts';

/** What a refusal or failure carries besides its code. */
export interface FailureMore {
  retryAfterMs?: number | undefined;
  retryable?: boolean | undefined;
  /** Further response headers, such as `Allow`. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** For the log only, never for the caller. No prompt, answer, token or key. */
  reason?: string | undefined;
}

/** A request that ends without a good answer. The message is for the caller: our own sentence, nothing of the inside. */
export class KitFailure extends Error {
  override readonly name = 'KitFailure';
  readonly code: ErrorCode;
  readonly more: FailureMore;

  constructor(code: ErrorCode, message: string, more: FailureMore = {}) {
    super(message);
    this.code = code;
    this.more = more;
  }

  /** HTTP status. A code without one (`aborted`) has nginx's 499, which only logs and callers in process ever see. */
  get status(): number {
    return errorKinds[this.code].status || 499;
  }

  get retryable(): boolean {
    return this.more.retryable ?? errorKinds[this.code].retryable;
  }
}

/** Anything thrown, as a failure. What is not ours is a bug of ours: the caller learns nothing of it. */
export function asFailure(thrown: unknown): KitFailure {
  if (thrown instanceof KitFailure) return thrown;
  const reason = thrown instanceof Error ? `${thrown.name} ${placeOf(thrown)}` : typeof thrown;
  return new KitFailure('internal_error', 'The server failed while it handled the request.', { reason });
}

/** Where an error was thrown. Its message stays out: it may hold what the caller sent. */
function placeOf({ stack = '' }: Error): string {
  const frame = stack.split('\n').find((line) => /^\s+at /.test(line));
  return frame === undefined ? '' : frame.trim();
}

/** The refusal of new work, and the end of old work, while the server goes down. */
export function shuttingDown(): KitFailure {
  return new KitFailure('shutting_down', 'The server is restarting. Try again in a moment.', {
    retryAfterMs: 5000,
  });
}

/** The failure as an HTTP answer (RFC 9457), with `Retry-After` in whole seconds, rounded up (RFC 9110 §10.2.3). */
export function failureAnswer(
  failure: KitFailure,
  requestId: string,
  headers: HeaderList,
  write: WriteFailure = failureProblem,
): Answer {
  const { retryAfterMs } = failure.more;
  const { contentType, body } = write(failure, requestId);
  headers.set('content-type', contentType);
  headers.set('cache-control', 'no-store');
  for (const [name, value] of Object.entries(failure.more.headers ?? {}))
    headers.set(name.toLowerCase(), value);
  if (retryAfterMs !== undefined)
    headers.set('retry-after', String(Math.max(1, Math.ceil(retryAfterMs / 1000))));
  return { status: failure.status, headers, body: { text: JSON.stringify(body) } };
}

/** The failure in our own form (RFC 9457). */
export const failureProblem: WriteFailure = (failure, requestId) => {
  const { retryAfterMs } = failure.more;
  const { retryable, status } = failure;
  const problem: Problem = {
    ...problemOf(failure.code, failure.message, requestId, { retryAfterMs, retryable }),
    status,
  };
  return { contentType: PROBLEM_CONTENT_TYPE, body: problem };
};

/** The same failure once the status line is gone. */
export function failureEvent(failure: KitFailure, requestId: string): ErrorEvent {
  const event: ErrorEvent = {
    type: 'error',
    code: failure.code,
    message: failure.message,
    status: failure.status,
    retryable: failure.retryable,
    requestId,
  };
  if (failure.more.retryAfterMs !== undefined) event.retryAfterMs = failure.more.retryAfterMs;
  return event;
}
