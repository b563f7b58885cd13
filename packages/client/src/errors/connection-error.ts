import { ZiggieError, type ZiggieErrorDetails } from './ziggie-error.ts';

/** The server could not be reached, or hung up before it answered. Code `connect_failed`. */
export class ConnectionError extends ZiggieError {
  override readonly name = 'ConnectionError';
  /** The system's word for it, such as `ECONNREFUSED`. Browsers do not tell. */
  declare readonly reason?: string | undefined;

  constructor(message: string, details: ZiggieErrorDetails & { reason?: string | undefined } = {}) {
    super('connect_failed', message, details);
  }
}
