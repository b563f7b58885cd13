import { type Decision, decide } from './gcra.ts';
import {
  type GaugeLine,
  type GaugeState,
  type LimitAnswer,
  type LimitAsk,
  type QuotaLine,
  type QuotaState,
  type RateLine,
  type RateState,
  unitsIn,
} from './limit-store.ts';

/** How things stand before an ask. */
export interface LimitView {
  /** State of a rate, `undefined` for a new one. */
  tat(line: RateLine): number | undefined;
  quota(key: string): { settled: number; reserved: number };
  held(key: string): number;
}

/** What an ask comes to, and what has to be written down when it was allowed and takes. */
export interface AskDecision {
  answer: LimitAnswer;
  /** New state per rate. */
  tats: readonly number[];
  /** What is taken per quota. */
  amounts: readonly number[];
}

/**
 * Decides an ask: all lines or none. A pure function of the ask, how things stand, and the time.
 *
 * Written with loops: every request asks four times, and lists made of lists were a tenth of what the kit itself cost.
 */
export function decideAsk(ask: LimitAsk, view: LimitView, nowMs: number, takes: boolean): AskDecision {
  const { leastUnits } = ask;
  let { units } = ask;
  let fitsAll = true;
  const decisions = room<Decision>(ask.rates.length);
  for (let at = 0; at < decisions.length; at++) {
    const line = ask.rates[at] as RateLine;
    const decision = decide(view.tat(line), nowMs, line.rate, !line.looks);
    decisions[at] = decision;
    fitsAll &&= decision.allowed;
  }
  const quotas = room<QuotaState>(ask.quotas.length);
  for (let at = 0; at < quotas.length; at++) {
    const line = ask.quotas[at] as QuotaLine;
    const { settled, reserved } = view.quota(line.key);
    const left = unitsIn(line, settled, reserved);
    units = Math.min(units, left);
    quotas[at] = { fits: left >= leastUnits, settled, reserved };
  }
  const gauges = room<GaugeState>(ask.gauges.length);
  for (let at = 0; at < gauges.length; at++) {
    const { key, limit } = ask.gauges[at] as GaugeLine;
    const held = view.held(key);
    const fits = held < limit;
    gauges[at] = { fits, held };
    fitsAll &&= fits;
  }
  const allowed = fitsAll && units >= leastUnits;
  const isTaken = allowed && takes;
  const tats = room<number>(decisions.length);
  const rates = room<RateState>(decisions.length);
  for (let at = 0; at < decisions.length; at++) {
    const decision = decisions[at] as Decision;
    const line = ask.rates[at] as RateLine;
    // Where nothing is taken, what is left is what a look sees.
    const shown = isTaken ? decision : decide(view.tat(line), nowMs, line.rate, false);
    tats[at] = decision.tatMs;
    rates[at] = {
      fits: decision.allowed,
      remaining: shown.remaining,
      retryAfterMs: shown.retryAfterMs,
      resetMs: shown.resetMs,
    };
  }
  const amounts = room<number>(quotas.length);
  for (let at = 0; at < quotas.length; at++) {
    const { fixed, perUnit } = ask.quotas[at] as QuotaLine;
    const amount = isTaken ? fixed + perUnit * units : 0;
    amounts[at] = amount;
    const state = quotas[at] as QuotaState;
    if (ask.holdId === undefined) state.settled += amount;
    else state.reserved += amount;
  }
  if (isTaken) for (const state of gauges) state.held++;
  return { tats, amounts, answer: { allowed, units: allowed ? units : 0, rates, quotas, gauges } };
}

/** One list for everybody who gets nothing on it: each request asks four times, mostly for one line. */
const none: never[] = [];

/** A list of just that length. One that grows by itself makes room for seventeen at first. */
function room<T>(length: number): T[] {
  return length === 0 ? none : new Array<T>(length);
}
