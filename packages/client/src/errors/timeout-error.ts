import { ZiggieError, type ZiggieErrorDetails } from './ziggie-error.ts';

/** The spans that have a clock. */
export type TimedPhase = 'connect' | 'load' | 'first-token' | 'idle' | 'total';

const spans = {
  connect: ['connect_timeout', 'the connection did not stand', 'connectMs'],
  load: ['load_timeout', 'the model was not loaded', 'loadMs'],
  'first-token': ['first_token_timeout', 'the first token did not come', 'firstTokenMs'],
  idle: ['idle_timeout', 'nothing more came', 'idleMs'],
  total: ['deadline_exceeded', 'the answer was not complete', 'totalMs'],
} as const;

/** One of this client's own clocks ran out; the connection is closed. A server's time limit is an `HttpError`. */
export class TimeoutError extends ZiggieError {
  override readonly name = 'TimeoutError';
  declare readonly phase: TimedPhase;
  /** The limit that was reached, in milliseconds. */
  readonly afterMs: number;

  constructor(phase: TimedPhase, afterMs: number, details: ZiggieErrorDetails = {}) {
    const [code, what, setting] = spans[phase];
    const message = `Waiting for the server: ${what} within ${afterMs} ms. Raise timeouts.${setting} if that is too short.`;
    super(code, message, { ...details, phase });
    this.afterMs = afterMs;
  }
}
