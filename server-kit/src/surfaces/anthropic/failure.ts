import type { ErrorCode } from '@ziggie/llm-protocol';
import type { KitFailure } from '../../failure.ts';
import { JSON_TYPE } from '../json-forms.ts';
import type { FailureBody } from '../surface.ts';

/** A failure in Anthropic's shape: `{"type": "error", "error": {type, message}, "request_id"}`. */
export function anthropicFailure({ code, message, status }: KitFailure, requestId: string): FailureBody {
  return { contentType: JSON_TYPE, body: anthropicError({ code, message, status }, requestId) };
}

/** The same as the data of an `error` event. The types are those of Anthropic's documentation ("Errors"). */
export function anthropicError(
  { code, message, status }: { code: ErrorCode; message: string; status: number },
  requestId: string,
): unknown {
  return {
    type: 'error',
    error: { type: typeOf(status), message: `${message}`, code },
    request_id: requestId,
  };
}

function typeOf(status: number): string {
  switch (status) {
    case 401:
      return 'authentication_error';
    case 403:
      return 'permission_error';
    case 404:
      return 'not_found_error';
    case 413:
      return 'request_too_large';
    case 429:
      return 'rate_limit_error';
    case 503:
      return 'overloaded_error';
    case 504:
      return 'timeout_error';
    default:
      return status < 500 ? 'invalid_request_error' : 'api_error';
  }
}
