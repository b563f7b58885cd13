import type { ErrorCode } from './error-codes.ts';

/**
 * What was read is not what the protocol allows. Carries a code of the error table and never the text that was read,
 * which may hold a prompt or an answer.
 */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: Extract<ErrorCode, 'malformed_record' | 'response_too_large' | 'bad_request'>;

  constructor(code: ProtocolError['code'], message: string) {
    super(message);
    this.code = code;
  }
}
