import { type ErrorCode, errorKinds, isErrorCode } from './error-codes.ts';

/** Content type of {@link Problem} (RFC 9457 §3). */
export const PROBLEM_CONTENT_TYPE = 'application/problem+json';

/** The JSON body of a failed native request (RFC 9457). */
export interface Problem {
  /** `urn:ziggie:error:<code>`: an identifier, not an address. */
  type: string;
  title: string;
  status: number;
  /** What was done, what was found, what to do. Never holds a prompt, a token or an address of the inside. */
  detail: string;
  code: ErrorCode;
  retryable: boolean;
  requestId: string;
  retryAfterMs?: number | undefined;
}

/** The {@link Problem} of a code, with the status, title and `retryable` of the error table unless given. */
export function problemOf(
  code: ErrorCode,
  detail: string,
  requestId: string,
  more: { retryAfterMs?: number | undefined; retryable?: boolean | undefined } = {},
): Problem {
  const { status, title, retryable } = errorKinds[code];
  const problem: Problem = {
    type: `urn:ziggie:error:${code}`,
    title,
    status,
    detail,
    code,
    retryable: more.retryable ?? retryable,
    requestId,
  };
  if (more.retryAfterMs !== undefined) problem.retryAfterMs = more.retryAfterMs;
  return problem;
}

/** Whether a parsed body is a problem of ours (a foreign `application/problem+json` has no code we know). */
export function isProblem(body: unknown): body is Problem {
  if (typeof body !== 'object' || body === null) return false;
  const { code, status, detail } = body as { code?: unknown; status?: unknown; detail?: unknown };
  return isErrorCode(code) && typeof status === 'number' && typeof detail === 'string';
}
