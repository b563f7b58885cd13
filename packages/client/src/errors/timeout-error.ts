import { ZiggieError, type ZiggieErrorDetails } from './ziggie-error.ts';

/** The spans that have a clock. */
export type TimedPhase = 'connect' | 'load' | 'first-token' | 'idle' | 'total';

/** One of this client's own clocks ran out; the connection is closed. A server's time limit is an `HttpError`. */
export class TimeoutError extends ZiggieError {
  override readonly name = 'TimeoutError';
  declare readonly phase: TimedPhase;
  /** The limit that was reached, in milliseconds. */
  declare readonly afterMs: number;

  constructor(phase: TimedPhase, afterMs: number) {
    super(
      phase === 'total' ? 'deadline_exceeded' : (`${phase.replace('-', '_')}_timeout` as 'idle_timeout'),
      `The server took over ${afterMs} ms ("${phase}"). Is timeouts.${phase.replace('-t', 'T')}Ms too short?`,
      { phase, afterMs } as ZiggieErrorDetails,
    );
  }
}
