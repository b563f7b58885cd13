import type { Rule } from './limit-rules.ts';
import type { GaugeLine, LimitAsk, QuotaLine, RateLine } from './limit-store.ts';

/** What a request will use, for the rules that need to know. */
export interface Expectation {
  inputTokens: number;
  /** Most tokens of the answer that are wanted. */
  maxTokens: number;
  /** GPU time in ms. */
  gpuTime: { fixedMs: number; perTokenMs: number };
}

/** What is taken by its number alone. */
export const nothing: Expectation = { inputTokens: 0, maxTokens: 0, gpuTime: { fixedMs: 0, perTokenMs: 0 } };

/** A line of a rate and the rule that it is for. */
export interface RuledRate extends RateLine {
  rule: Rule;
}

/** A line of a quota, with its rule and when its window began. */
export interface RuledQuota extends QuotaLine {
  rule: Rule;
  startsAtMs: number;
}

/** A line of a gauge and the rule that it is for. */
export interface RuledGauge extends GaugeLine {
  rule: Rule;
}

/** An ask whose lines know their rules, so that no list is made of another. */
export interface RuledAsk extends LimitAsk {
  rates: RuledRate[];
  quotas: RuledQuota[];
  gauges: RuledGauge[];
}

/** One list for everybody who gets nothing on it. */
export const none: never[] = [];

/** A list with one more. Most have one and no other: a list that was empty before has room for seventeen. */
export function added<T>(list: T[], one: T): T[] {
  if (list.length === 0) return [one];
  list.push(one);
  return list;
}

/** An ask that has no lines yet. */
export function askFor({ maxTokens }: Expectation, holdId: string | undefined): RuledAsk {
  return {
    rates: none,
    quotas: none,
    gauges: none,
    units: maxTokens,
    leastUnits: Math.min(1, maxTokens),
    holdId,
  };
}
