import type { HttpError } from '../errors/http-error.ts';
import { ZiggieError } from '../errors/ziggie-error.ts';

/**
 * The server reported a failure: `message` and `error` are its own words and `status_code` its status, as in `ollama`;
 * `code`, `retryable` and the rest are those of every `ZiggieError`.
 */
export class ResponseError extends ZiggieError {
  override readonly name = 'ResponseError';
  readonly error: string;
  readonly status_code: number;

  constructor(failure: HttpError) {
    // Every HttpError begins with what was asked: "POST /api/chat answered 404: …".
    const words = failure.message.replace(/^[A-Z]+ \S+ (?:answered \d+|failed|broke off): /, '');
    const { status, retryable, requestId, phase, retryAfterMs } = failure;
    super(failure.code, words, { status, retryable, requestId, phase, retryAfterMs, cause: failure });
    this.error = words;
    this.status_code = status;
  }
}
