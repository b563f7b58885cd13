import type { ErrorCode } from '@ziggie/llm-protocol';
import type { KitFailure } from '../../failure.ts';
import { JSON_TYPE } from '../json-forms.ts';
import type { FailureBody } from '../surface.ts';

/** OpenAI's own word where it has one that clients look for; else the code is ours. */
const codes: Partial<Record<ErrorCode, string>> = {
  context_overflow: 'context_length_exceeded',
  unauthorized: 'invalid_api_key',
  rate_limited: 'rate_limit_exceeded',
  too_many_in_flight: 'rate_limit_exceeded',
  quota_exceeded: 'insufficient_quota',
  content_blocked: 'content_filter',
};

type Failed = Pick<KitFailure, 'code' | 'message' | 'status'>;

interface OpenAiError {
  message: string;
  type: string;
  param: null;
  code: string;
}

/** A failure in OpenAI's shape: `{"error": {message, type, param, code}}`. */
export function openAiFailure(failure: KitFailure): FailureBody {
  return { contentType: JSON_TYPE, body: { error: openAiError(failure) } };
}

/** The same within a stream; its status is in `type`, since the status line is gone. */
export function openAiError({ code, message, status }: Failed): OpenAiError {
  return { message, type: typeOf(code, status), param: null, code: codes[code] ?? code };
}

function typeOf(code: ErrorCode, status: number): string {
  if (code === 'quota_exceeded') return 'insufficient_quota';
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 404) return 'not_found_error';
  if (status === 429) return 'rate_limit_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}
