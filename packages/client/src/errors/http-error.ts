import type { ErrorCode, Problem } from '@ziggie/llm-protocol';
import { ZiggieError, type ZiggieErrorDetails } from './ziggie-error.ts';

/** The server reported a failure: by an HTTP status, or by an error inside a stream, which is treated alike. */
export class HttpError extends ZiggieError {
  override readonly name = 'HttpError';
  declare readonly status: number;
  /** The kit's own report (RFC 9457), when the answer was one. */
  declare readonly problem?: Problem | undefined;
  /** Where to sign in, when Ollama's cloud asks for it. */
  declare readonly signinUrl?: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    details: ZiggieErrorDetails & {
      status: number;
      problem?: Problem | undefined;
      signinUrl?: string | undefined;
    },
  ) {
    super(code, message, details);
  }
}
