import { type Decision, decide } from './gcra.ts';
import { type LimitAnswer, type LimitAsk, type RateLine, unitsIn } from './limit-store.ts';

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

/** Decides an ask: all lines or none. A pure function of the ask, how things stand, and the time. */
export function decideAsk(ask: LimitAsk, view: LimitView, nowMs: number, takes: boolean): AskDecision {
  const decisions = ask.rates.map((line) => decide(view.tat(line), nowMs, line.rate, !line.looks));
  const quotas = ask.quotas.map(({ key }) => view.quota(key));
  const room = ask.quotas.map((line, at) => {
    const { settled, reserved } = quotas[at] as { settled: number; reserved: number };
    return unitsIn(line, settled, reserved);
  });
  const units = Math.min(ask.units, ...room);
  const held = ask.gauges.map(({ key }) => view.held(key));
  const gaugeFits = ask.gauges.map(({ limit }, at) => (held[at] as number) < limit);
  const allowed =
    decisions.every((decision) => decision.allowed) && units >= ask.leastUnits && gaugeFits.every(Boolean);
  const isTaken = allowed && takes;
  const amounts = ask.quotas.map(({ fixed, perUnit }) => (isTaken ? fixed + perUnit * units : 0));
  // Where nothing is taken, what is left is what a look sees.
  const shown: readonly Decision[] = isTaken
    ? decisions
    : ask.rates.map((line) => decide(view.tat(line), nowMs, line.rate, false));
  const charges = ask.holdId === undefined;
  return {
    tats: decisions.map(({ tatMs }) => tatMs),
    amounts,
    answer: {
      allowed,
      units: allowed ? units : 0,
      rates: shown.map(({ remaining, retryAfterMs, resetMs }, at) => ({
        fits: (decisions[at] as Decision).allowed,
        remaining,
        retryAfterMs,
        resetMs,
      })),
      quotas: quotas.map(({ settled, reserved }, at) => ({
        fits: (room[at] as number) >= ask.leastUnits,
        settled: settled + (charges ? (amounts[at] as number) : 0),
        reserved: reserved + (charges ? 0 : (amounts[at] as number)),
      })),
      gauges: held.map((count, at) => ({
        fits: gaugeFits[at] as boolean,
        held: count + (isTaken ? 1 : 0),
      })),
    },
  };
}
