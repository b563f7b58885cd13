import type { WindowUnit } from './window.ts';

/** Whose budget a rule is: each of them has one of its own, `global` is one for all. */
export const limitScopes = ['address', 'user', 'key', 'tenant', 'model', 'global'] as const;

/** One of them. */
export type LimitScope = (typeof limitScopes)[number];

/** What can be limited. */
export const limitUnits = [
  'requests',
  'inputTokens',
  'outputTokens',
  'totalTokens',
  'gpuSeconds',
  'cost',
  'inFlight',
] as const;

/** One of them. */
export type LimitUnit = (typeof limitUnits)[number];

/** One limit. A request must have room in all that apply to it; otherwise it takes of none. */
export interface LimitRule {
  /**
   * Whose: an address (IPv6: a /64), a user, an API key, a tenant, a model, or all together. A rule for keys or tenants
   * does not apply to who has none.
   */
  per: LimitScope;
  /** Of what. `gpuSeconds` is time of loading, reading and writing; `cost` is in the currency of `prices`. */
  unit: LimitUnit;
  /** How much, per window; of `inFlight` at one moment. */
  limit: number;
  /** Required, except for `inFlight`, which has none. */
  window?: WindowUnit | undefined;
  /**
   * Requests per minute or hour are smoothed (GCRA); this many may come in a row. Default the limit itself. Everything
   * else is counted from the beginning of the window of the calendar.
   */
  burst?: number | undefined;
  /** Whose midnight and first of the month, such as `Europe/Berlin`. Default `limits.timeZone`. */
  timeZone?: string | undefined;
  /** Only for principals with one of these roles. Default everybody. */
  roles?: readonly string[] | undefined;
  /** Only for these models: names, or beginnings such as `llama3*`, over slashes too. Default all. */
  models?: readonly string[] | undefined;
  /** What headers and messages call it: letters, digits and dashes. Default such as `user-total-tokens-day`. */
  name?: string | undefined;
}

/** What a model's tokens cost, in any currency, per million tokens. */
export interface ModelPrice {
  inputPerMillion: number;
  outputPerMillion: number;
}

/** A rule with every default in place. */
export interface Rule extends LimitRule {
  name: string;
  timeZone: string;
  /** The limit in whole smallest units: tokens, milliseconds, thousand-millionths of the currency. */
  amount: number;
  kind: 'rate' | 'quota' | 'gauge';
  /**
   * When it is taken of: before anybody is known, once the principal is, when an answer is begun, or once the model is known.
   */
  stage: 'address' | 'principal' | 'entry' | 'model';
}

/** Smallest units in one unit. */
export const unitsPer: Readonly<Record<LimitUnit, number>> = {
  requests: 1,
  inputTokens: 1,
  outputTokens: 1,
  totalTokens: 1,
  gpuSeconds: 1000,
  cost: 1_000_000_000,
  inFlight: 1,
};

/** Milliseconds of the windows that rates can be for. */
export const rateWindowMs = { minute: 60_000, hour: 3_600_000 } as const;

/** A rule as the kit works with it. */
export function ruleOf(rule: LimitRule, timeZone: string): Rule {
  const { per, unit, window, limit } = rule;
  const smooth = unit === 'requests' && (window === 'minute' || window === 'hour');
  const needsModel = per === 'model' || rule.models !== undefined || !['requests', 'inFlight'].includes(unit);
  const words = unit.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return {
    ...rule,
    name: rule.name ?? [per, words, ...(window === undefined ? [] : [window])].join('-'),
    timeZone: rule.timeZone ?? timeZone,
    amount: Math.floor(limit * unitsPer[unit]),
    kind: unit === 'inFlight' ? 'gauge' : smooth ? 'rate' : 'quota',
    stage: needsModel ? 'model' : unit === 'inFlight' ? 'entry' : per === 'address' ? 'address' : 'principal',
  };
}
