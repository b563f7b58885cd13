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

/** `count` requests a minute with the same burst. */
export function perMinute(count: number): Rate {
  return { burst: count, intervalMs: 60_000 / count };
}

/**
 * Generic Cell Rate Algorithm, virtual scheduling form (ITU-T I.371, annex A): one number of state per key, no windows
 * whose edges let twice the rate through.
 *
 * @param tatMs State of the key, `undefined` for a new one.
 */
export function decide(tatMs: number | undefined, nowMs: number, rate: Rate): Decision {
  const { burst, intervalMs } = rate;
  const current = Math.max(tatMs ?? nowMs, nowMs);
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
  return { allowed: true, tatMs: next, remaining, retryAfterMs: 0, resetMs: next - nowMs };
}
