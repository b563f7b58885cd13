/** What every failure of ours is, by code: its HTTP status, whether waiting can mend it, and a title for people. */
export interface ErrorKind {
  /** HTTP status, also carried inside a stream after its status line is gone. 0: never travels over HTTP. */
  status: number;
  /** Whether the same request may succeed later without a change. */
  retryable: boolean;
  /** A short sentence, safe to show. */
  title: string;
}

const kind = (status: number, retryable: boolean, title: string): ErrorKind => ({ status, retryable, title });

/**
 * The error table: the contract between server and client. `switch (error.code)` over `ErrorCode` is checked for
 * completeness by the compiler.
 */
export const errorKinds = {
  // The caller's request
  bad_request: kind(400, false, 'The request is not valid'),
  capability_unsupported: kind(400, false, 'The model cannot do this'),
  context_overflow: kind(400, false, 'The conversation is longer than the model can read'),
  content_blocked: kind(400, false, 'The text is not allowed here'),
  unauthorized: kind(401, false, 'You are not signed in'),
  forbidden: kind(403, false, 'You may not do this'),
  not_found: kind(404, false, 'There is nothing at this address'),
  model_not_found: kind(404, false, 'The model is not on this server'),
  method_not_allowed: kind(405, false, 'This method is not allowed here'),
  payload_too_large: kind(413, false, 'The request is too large'),
  unsupported_media_type: kind(415, false, 'The request is not JSON'),
  // The caller's own limits
  rate_limited: kind(429, true, 'Too many requests'),
  quota_exceeded: kind(429, false, 'The quota is used up'),
  too_many_in_flight: kind(429, true, 'Too many answers at once'),
  // The server's state
  internal_error: kind(500, true, 'The server failed'),
  out_of_memory: kind(500, true, 'The GPU ran out of memory'),
  upstream_error: kind(502, true, 'The model server failed'),
  upstream_unreachable: kind(502, true, 'The model server cannot be reached'),
  runner_crashed: kind(502, true, 'The model stopped unexpectedly'),
  model_output_invalid: kind(502, true, 'The model wrote something unusable'),
  truncated: kind(502, true, 'The answer broke off'),
  malformed_record: kind(502, true, 'The answer could not be read'),
  response_too_large: kind(502, false, 'The answer is too large'),
  server_busy: kind(503, true, 'The model server is busy'),
  queue_full: kind(503, true, 'The line is full'),
  queue_timeout: kind(503, true, 'The wait was too long'),
  store_unavailable: kind(503, true, 'The server cannot check this right now'),
  shutting_down: kind(503, true, 'The server is restarting'),
  // Clocks
  load_timeout: kind(504, true, 'The model took too long to load'),
  first_token_timeout: kind(504, true, 'The first token took too long'),
  idle_timeout: kind(504, true, 'The answer stalled'),
  deadline_exceeded: kind(504, false, 'The time for this answer is over'),
  // Seen by a client only
  connect_failed: kind(0, true, 'The server cannot be reached'),
  connect_timeout: kind(0, true, 'The server did not answer in time'),
  schema_invalid: kind(0, false, 'The answer does not have the form that was asked for'),
  tool_failed: kind(0, false, 'A tool could not be used'),
  tool_loop: kind(0, false, 'The model called tools without an end'),
  aborted: kind(0, false, 'Stopped'),
} as const satisfies Record<string, ErrorKind>;

/** Every code a failure of ours can have. */
export type ErrorCode = keyof typeof errorKinds;

/** Whether a string from outside is a code of ours. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(errorKinds, value);
}

/**
 * The code for an HTTP status when the body says nothing we know: 401 is `unauthorized`, 429 `rate_limited`, 503
 * `server_busy`, other 4xx `bad_request`, other 5xx `upstream_error`.
 */
export function errorCodeForStatus(status: number): ErrorCode {
  switch (status) {
    case 401:
      return 'unauthorized';
    case 403:
      return 'forbidden';
    case 404:
      return 'not_found';
    case 405:
      return 'method_not_allowed';
    case 408:
    case 504:
      return 'first_token_timeout';
    case 413:
      return 'payload_too_large';
    case 415:
      return 'unsupported_media_type';
    case 429:
      return 'rate_limited';
    case 500:
      return 'internal_error';
    case 503:
      return 'server_busy';
    default:
      return status >= 400 && status < 500 ? 'bad_request' : 'upstream_error';
  }
}
