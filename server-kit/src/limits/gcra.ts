/** A rate in the form that GCRA needs. */
export interface Rate {
  /** Requests in a row before the rate binds. */
  burst: number;
  /** Time that one request costs, in ms. */
  intervalMs: number;
}

/** What was decided and what to tell the caller. */
export interface Decision {
  allowed: boolean;
  /** The state to keep: the theoretical arrival time. A refusal leaves it as it was, so it consumes nothing. */
  tatMs: number;
  /** Requests left right now. */
  remaining: number;
  /** Until one more request fits; 0 when allowed. */
  retryAfterMs: number;
  /** Until the whole burst is there again. */
  resetMs: number;
}

/** What adding thirds of a millisecond a thousand times can be wrong by, in ms. It must not cost anybody a request. */
const roundingMs = 0.01;

/** `count` requests per `periodMs`, with that burst or another. */
export function ratePer(periodMs: number, count: number, burst: number = count): Rate {
  return { burst, intervalMs: periodMs / count };
}

/**
 * Generic Cell Rate Algorithm, virtual scheduling form (ITU-T I.371, annex A): one number of state per key, no windows
 * whose edges let twice the rate through.
 *
 * A state further in the future than a whole burst can only come from a clock that was set back; it counts as none, or
 * everybody would be locked out until the clock is where it was.
 *
 * @param tatMs State of the key, `undefined` for a new one.
 * @param takes Whether a request is taken, or only looked whether one would fit.
 */
export function decide(tatMs: number | undefined, nowMs: number, rate: Rate, takes = true): Decision {
  const { burst, intervalMs } = rate;
  const isPossible = tatMs !== undefined && tatMs <= nowMs + burst * intervalMs + 1;
  const current = isPossible ? Math.max(tatMs, nowMs) : nowMs;
  const next = current + intervalMs;
  const earliest = next - burst * intervalMs;
  const slackMs = Math.min(roundingMs, intervalMs / 2);
  if (earliest > nowMs + slackMs) {
    return {
      allowed: false,
      tatMs: current,
      remaining: 0,
      retryAfterMs: earliest - nowMs,
      resetMs: current - nowMs,
    };
  }
  const remaining = Math.max(0, Math.floor((nowMs + slackMs - earliest) / intervalMs));
  if (!takes) {
    return {
      allowed: true,
      tatMs: current,
      remaining: remaining + 1,
      retryAfterMs: 0,
      resetMs: current - nowMs,
    };
  }
  return { allowed: true, tatMs: next, remaining, retryAfterMs: 0, resetMs: next - nowMs };
}
