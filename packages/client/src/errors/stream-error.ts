import { ZiggieError, type ZiggieErrorDetails } from './ziggie-error.ts';

/** The answer began and then broke off or could not be read: `truncated`, `malformed_record`, `response_too_large`. */
export class StreamError extends ZiggieError {
  override readonly name = 'StreamError';
  declare readonly code: 'truncated' | 'malformed_record' | 'response_too_large';
  /** How many events had been read before it broke. */
  declare readonly receivedEvents: number;

  constructor(
    code: StreamError['code'],
    message: string,
    details: ZiggieErrorDetails & { receivedEvents: number },
  ) {
    super(code, message, details);
  }
}
