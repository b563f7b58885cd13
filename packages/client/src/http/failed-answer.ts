import { type ErrorEvent, errorKinds, isErrorCode } from '@ziggie/llm-protocol';
import type { Interrupt } from '../call/interrupt.ts';
import { ConnectionError } from '../errors/connection-error.ts';
import { HttpError } from '../errors/http-error.ts';
import { StreamError } from '../errors/stream-error.ts';
import { isZiggieError, requestIdOf } from '../errors/ziggie-error.ts';
import { readRetryAdvice } from '../retry/retry-advice.ts';
import type { Settings } from '../settings.ts';
import type { ReportedFailure } from '../targets/target.ts';
import { quotable } from './quotable.ts';
import { readText } from './read-text.ts';
import type { OutgoingRequest } from './send.ts';
import type { TransportResponse } from './transport.ts';

/** Most of a failed answer that is read: enough for any report, too little to hurt. */
const MAX_FAILURE_BYTES = 64 * 1024;

/** Reads an answer that is none: every status but 2xx, and web pages. */
export async function failureOf(
  { target }: Settings,
  { method, path, body: sent }: OutgoingRequest,
  response: TransportResponse,
  requestId: string | undefined,
  interrupt: Interrupt,
  token: string | undefined,
): Promise<HttpError> {
  const { status } = response;
  const what = `${method} ${path}`;
  if (status < 300 || status >= 400) {
    let body = '';
    try {
      if (status >= 400) body = await interrupt.wait(readText(response.body, MAX_FAILURE_BYTES));
    } catch (error) {
      if (isZiggieError(error)) throw error;
      // The report itself broke off: the status is still worth telling.
    } finally {
      response.body.close();
    }
    if (status < 300) {
      return new HttpError(
        'malformed_record',
        `${what}: a web page came instead of an answer. Is baseUrl right?`,
        {
          status,
          requestId,
          retryable: false,
        },
      );
    }
    const failure = (await target.dialect()).readFailure(status, body);
    const found =
      quotable(failure.text, typeof sent === 'string' ? sent : undefined, token) ??
      errorKinds[failure.code].title;
    const advice = readRetryAdvice(status, (name) => response.header(name));
    return new HttpError(failure.code, `${what} answered ${status}: ${found}`, {
      status,
      retryable: mayRetry(status, failure, advice.shouldRetry),
      requestId: requestIdOf(failure.requestId) ?? requestId,
      retryAfterMs: failure.retryAfterMs ?? advice.retryAfterMs,
      problem: failure.problem,
      signinUrl: failure.signinUrl,
    });
  }
  response.body.close();
  if (status === 304) {
    return new HttpError(
      'malformed_record',
      `${what} answered 304 as if a copy were kept here. Is a cache in between?`,
      { status, requestId, retryable: false },
    );
  }
  return new HttpError(
    'not_found',
    `${what}: the server points elsewhere (${status}). Give the final address as baseUrl.`,
    {
      status,
      requestId,
      retryable: false,
    },
  );
}

/** A server may forbid a retry, and allow one where code and status leave that open. A wrong request stays wrong. */
function mayRetry(
  status: number,
  { code, retryable }: ReportedFailure,
  advised: boolean | undefined,
): boolean {
  if (advised !== true) return advised ?? retryable;
  const kind = errorKinds[code].status;
  return retryable || kind >= 500 || kind === 429 || status === 409 || status === 425;
}

/**
 * An `error` inside a stream as the error it is. Its members are as the server sent them.
 *
 * @param what What was done, and how it went.
 * @param sent The body of the request. @param token What it was asked with.
 */
export function reportedError(
  event: ErrorEvent,
  what: string,
  sent: string,
  token: string | undefined,
): HttpError {
  const given: { [Name in keyof ErrorEvent]: unknown } = event;
  const code = isErrorCode(given.code) ? given.code : 'upstream_error';
  const kind = errorKinds[code];
  const text = typeof given.message === 'string' ? quotable(given.message, sent, token) : undefined;
  return new HttpError(code, `${what}: ${text ?? kind.title}`, {
    status: typeof given.status === 'number' ? given.status : kind.status,
    retryable: typeof given.retryable === 'boolean' ? given.retryable : kind.retryable,
    retryAfterMs: typeof given.retryAfterMs === 'number' ? given.retryAfterMs : undefined,
    requestId: requestIdOf(given.requestId),
  });
}

/** Why no answer came: the server cannot be reached, or what came back is no HTTP, or not what HTTP allows here. */
export function noAnswer(
  baseUrl: string,
  { method, path }: OutgoingRequest,
  cause: unknown,
): ConnectionError | StreamError {
  const reason = reasonOf(cause);
  if (!reason?.startsWith('HPE_')) return unreachable(baseUrl, reason, cause);
  return new StreamError(
    'malformed_record',
    `${method} ${path}: the answer cannot be read as HTTP (${reason}). Is something else listening there?`,
    { receivedEvents: 0, cause },
  );
}

function reasonOf(cause: unknown): string | undefined {
  const { code, cause: inner } = (cause ?? {}) as { code?: unknown; cause?: { code?: unknown } };
  const found = typeof code === 'string' ? code : inner?.code;
  return typeof found === 'string' ? found : undefined;
}

function unreachable(baseUrl: string, reason: string | undefined, cause: unknown): ConnectionError {
  return new ConnectionError(
    `Cannot reach the server at ${baseUrl}${reason === undefined ? '' : ` (${reason})`}. ` +
      'Is it running there, and does it allow this origin?',
    // A wrong certificate does not mend itself while we wait.
    { cause, reason, retryable: reason === undefined || !/CERT|TLS|SSL|SIGNATURE|EPROTO/.test(reason) },
  );
}
