/** What every failure of ours is, by code: its HTTP status, whether waiting can mend it, and a title for people. */
export interface ErrorKind {
  /** HTTP status, also carried inside a stream after its status line is gone. 0: never travels over HTTP. */
  status: number;
  /** Whether the same request may succeed later without a change. */
  retryable: boolean;
  /** A short sentence, safe to show. */
  title: string;
}

/**
 * The error table: the contract between server and client. `switch (error.code)` over `ErrorCode` is checked for
 * completeness by the compiler.
 */
export const errorKinds = {
  // The caller's request
  bad_request: { status: 400, retryable: false, title: 'The request is not valid' },
  capability_unsupported: { status: 400, retryable: false, title: 'The model cannot do this' },
  context_overflow: {
    status: 400,
    retryable: false,
    title: 'The conversation is longer than the model can read',
  },
  content_blocked: { status: 400, retryable: false, title: 'The text is not allowed here' },
  unauthorized: { status: 401, retryable: false, title: 'You are not signed in' },
  forbidden: { status: 403, retryable: false, title: 'You may not do this' },
  not_found: { status: 404, retryable: false, title: 'There is nothing at this address' },
  model_not_found: { status: 404, retryable: false, title: 'The model is not on this server' },
  method_not_allowed: { status: 405, retryable: false, title: 'This method is not allowed here' },
  payload_too_large: { status: 413, retryable: false, title: 'The request is too large' },
  unsupported_media_type: { status: 415, retryable: false, title: 'The request is not JSON' },
  // The caller's own limits
  rate_limited: { status: 429, retryable: true, title: 'Too many requests' },
  quota_exceeded: { status: 429, retryable: false, title: 'The quota is used up' },
  too_many_in_flight: { status: 429, retryable: true, title: 'Too many answers at once' },
  // The server's state
  internal_error: { status: 500, retryable: true, title: 'The server failed' },
  out_of_memory: { status: 500, retryable: true, title: 'The GPU ran out of memory' },
  upstream_error: { status: 502, retryable: true, title: 'The model server failed' },
  upstream_unreachable: { status: 502, retryable: true, title: 'The model server cannot be reached' },
  runner_crashed: { status: 502, retryable: true, title: 'The model stopped unexpectedly' },
  model_output_invalid: { status: 502, retryable: true, title: 'The model wrote something unusable' },
  truncated: { status: 502, retryable: true, title: 'The answer broke off' },
  malformed_record: { status: 502, retryable: true, title: 'The answer could not be read' },
  response_too_large: { status: 502, retryable: false, title: 'The answer is too large' },
  server_busy: { status: 503, retryable: true, title: 'The model server is busy' },
  queue_full: { status: 503, retryable: true, title: 'The line is full' },
  queue_timeout: { status: 503, retryable: true, title: 'The wait was too long' },
  store_unavailable: { status: 503, retryable: true, title: 'The server cannot check this right now' },
  shutting_down: { status: 503, retryable: true, title: 'The server is restarting' },
  // Clocks
  load_timeout: { status: 504, retryable: true, title: 'The model took too long to load' },
  first_token_timeout: { status: 504, retryable: true, title: 'The first token took too long' },
  idle_timeout: { status: 504, retryable: true, title: 'The answer stalled' },
  deadline_exceeded: { status: 504, retryable: false, title: 'The time for this answer is over' },
  // Seen by a client only
  connect_failed: { status: 0, retryable: true, title: 'The server cannot be reached' },
  connect_timeout: { status: 0, retryable: true, title: 'The server did not answer in time' },
  schema_invalid: {
    status: 0,
    retryable: false,
    title: 'The answer does not have the form that was asked for',
  },
  tool_failed: { status: 0, retryable: false, title: 'A tool could not be used' },
  tool_loop: { status: 0, retryable: false, title: 'The model called tools without an end' },
  aborted: { status: 0, retryable: false, title: 'Stopped' },
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
