import type { ErrorCode, errorKinds } from './error-codes.ts';

type Lasting = {
  [Code in ErrorCode]: (typeof errorKinds)[Code]['retryable'] extends false ? Code : never;
}[ErrorCode];

/** The part of the table that every reader needs, without its words. That it says the same, the compiler checks. */
const lasting: Readonly<Record<Lasting, 1>> = {
  bad_request: 1,
  capability_unsupported: 1,
  context_overflow: 1,
  content_blocked: 1,
  unauthorized: 1,
  forbidden: 1,
  not_found: 1,
  model_not_found: 1,
  method_not_allowed: 1,
  payload_too_large: 1,
  unsupported_media_type: 1,
  quota_exceeded: 1,
  response_too_large: 1,
  deadline_exceeded: 1,
  schema_invalid: 1,
  tool_failed: 1,
  tool_loop: 1,
  aborted: 1,
};

/** `errorKinds[code].retryable`, for readers who have no use for the whole table. */
export function isRetryable(code: ErrorCode): boolean {
  return !(code in lasting);
}
