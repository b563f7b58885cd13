import type { Clock } from '../clock.ts';
import type { Rule } from './limit-rules.ts';
import type { LimitAnswer } from './limit-store.ts';
import { added, none, type RuledAsk, type RuledGauge, type RuledQuota, type RuledRate } from './ruled-ask.ts';

/** When something is refused only because answers are still being written, in ms. */
const reservedRetryMs = 5000;
const gaugeRetryMs = 1000;

/** How one limit stands for one caller. */
export interface LimitStatus {
  rule: Rule;
  /** Whether the request had room in it. */
  fits: boolean;
  /** What is left, in smallest units. */
  left: number;
  /** Length of the window in ms; 0 for what counts one moment. */
  windowMs: number;
  /** Until the whole limit is there again, in ms. */
  resetMs: number;
  /** Until it is worth another try, in ms; 0 when it fits. */
  retryAfterMs: number;
}

/** How each limit stands by what a store answered. The clock is looked at for quotas alone. */
export function statusesOf(
  { rates, quotas, gauges }: RuledAsk,
  answer: LimitAnswer,
  clock: Clock,
): LimitStatus[] {
  let statuses: LimitStatus[] = none;
  for (let at = 0; at < rates.length; at++) {
    const { rule, rate } = rates[at] as RuledRate;
    const state = answer.rates[at];
    statuses = added(statuses, {
      rule,
      fits: state?.fits ?? true,
      left: state?.remaining ?? 0,
      windowMs: rate.burst * rate.intervalMs,
      resetMs: state?.resetMs ?? 0,
      retryAfterMs: state?.retryAfterMs ?? 0,
    });
  }
  const now = quotas.length > 0 ? clock.wallNow() : 0;
  for (let at = 0; at < quotas.length; at++) {
    const { rule, limit, fixed, perUnit, startsAtMs, endsAtMs } = quotas[at] as RuledQuota;
    const { fits = true, settled = 0, reserved = 0 } = answer.quotas[at] ?? {};
    const resetMs = Math.max(0, endsAtMs - now);
    // Were it not for answers that are being written there would be room, and some of theirs comes back.
    const waitsForOthers = settled + fixed + perUnit <= limit;
    statuses = added(statuses, {
      rule,
      fits,
      left: limit - settled - reserved,
      windowMs: endsAtMs - startsAtMs,
      resetMs,
      retryAfterMs: fits ? 0 : waitsForOthers ? Math.min(reservedRetryMs, resetMs) : resetMs,
    });
  }
  for (let at = 0; at < gauges.length; at++) {
    const { rule, limit } = gauges[at] as RuledGauge;
    const { fits = true, held = 0 } = answer.gauges[at] ?? {};
    statuses = added(statuses, {
      rule,
      fits,
      left: limit - held,
      windowMs: 0,
      resetMs: 0,
      retryAfterMs: fits ? 0 : gaugeRetryMs,
    });
  }
  return statuses;
}
