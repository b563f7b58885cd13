import type { Clock } from '../clock.ts';
import { isCoveredBy } from '../upstream/model-pattern.ts';
import { type Rate, ratePer } from './gcra.ts';
import { type ModelPrice, type Rule, rateWindowMs, unitsPer } from './limit-rules.ts';
import { type LimitSubject, ownerOf } from './owner-of.ts';
import { added, type Expectation, type RuledAsk, type RuledGauge, type RuledRate } from './ruled-ask.ts';
import { Calendar } from './window.ts';

/** Owners whose lines are kept per rule: few ask again and again, and a text that is put together anew must be hashed anew. */
const maxKnownOwners = 1000;

interface WindowKey {
  startMs: number;
  key: string;
}

/** From rules and a subject to the lines that a store is asked about. */
export class RuleLines {
  readonly #byStage: Readonly<Record<Rule['stage'], readonly Rule[]>>;
  /** Of rules that are rates: what they come to, and their lines by owner. */
  readonly #rates = new Map<Rule, { rate: Rate; lines: Map<string, RuledRate> }>();
  readonly #gauges = new Map<Rule, Map<string, RuledGauge>>();
  /** Of rules that are quotas: by owner the key of the window that was asked about last. */
  readonly #quotaKeys = new Map<Rule, Map<string, WindowKey>>();
  readonly #prices: Readonly<Record<string, ModelPrice>>;
  readonly #clock: Clock;
  readonly #calendar = new Calendar();

  constructor(rules: readonly Rule[], prices: Readonly<Record<string, ModelPrice>>, clock: Clock) {
    const at = (stage: Rule['stage']) => rules.filter((rule) => rule.stage === stage);
    this.#byStage = {
      address: at('address'),
      principal: at('principal'),
      entry: at('entry'),
      model: at('model'),
    };
    for (const rule of rules) {
      if (rule.kind === 'gauge') this.#gauges.set(rule, new Map());
      if (rule.kind === 'quota') this.#quotaKeys.set(rule, new Map());
      if (rule.kind !== 'rate') continue;
      const windowMs = rateWindowMs[rule.window as 'minute' | 'hour'];
      this.#rates.set(rule, { rate: ratePer(windowMs, rule.amount, rule.burst), lines: new Map() });
    }
    this.#prices = prices;
    this.#clock = clock;
  }

  /** Adds the lines of a stage. Gauges hold something, so they are for asks with a hold, and for a look. */
  addTo(
    ask: RuledAsk,
    stage: Rule['stage'],
    subject: LimitSubject,
    expectation: Expectation,
    atMs?: number,
    withGauges = ask.holdId !== undefined,
  ): void {
    for (const rule of this.#byStage[stage]) {
      if (!applies(rule, subject)) continue;
      const owner = ownerOf(rule, subject);
      if (owner === undefined) continue;
      if (rule.kind === 'rate') ask.rates = added(ask.rates, this.#rateLine(rule, owner));
      else if (rule.kind === 'gauge') {
        if (!withGauges) continue;
        ask.gauges = added(ask.gauges, this.#gaugeLine(rule, owner));
      } else {
        const at = atMs ?? this.#clock.wallNow();
        const window = this.#calendar.windowOf(at, rule.window ?? 'day', rule.timeZone);
        const { fixed, perUnit } = this.#amounts(rule, subject, expectation);
        ask.quotas = added(ask.quotas, {
          rule,
          key: this.#quotaKey(rule, owner, window.startMs),
          limit: rule.amount,
          startsAtMs: window.startMs,
          endsAtMs: window.endMs,
          fixed,
          perUnit,
        });
      }
    }
  }

  #rateLine(rule: Rule, owner: string): RuledRate {
    const { rate, lines } = this.#rates.get(rule) as { rate: Rate; lines: Map<string, RuledRate> };
    let line = lines.get(owner);
    if (line === undefined) {
      line = { rule, key: `${rule.name}:${owner}`, rate };
      keep(lines, owner, line);
    }
    return line;
  }

  #gaugeLine(rule: Rule, owner: string): RuledGauge {
    const lines = this.#gauges.get(rule) as Map<string, RuledGauge>;
    let line = lines.get(owner);
    if (line === undefined) {
      line = { rule, key: `${rule.name}:${owner}`, limit: rule.amount };
      keep(lines, owner, line);
    }
    return line;
  }

  #quotaKey(rule: Rule, owner: string, startMs: number): string {
    const keys = this.#quotaKeys.get(rule) as Map<string, WindowKey>;
    let known = keys.get(owner);
    if (known?.startMs !== startMs) {
      known = { startMs, key: `${rule.name}:${startMs}:${owner}` };
      keep(keys, owner, known);
    }
    return known.key;
  }

  /** What a request takes of a quota, in whole smallest units. */
  #amounts(
    rule: Rule,
    { model }: LimitSubject,
    expectation: Expectation,
  ): { fixed: number; perUnit: number } {
    const { inputTokens, gpuTime } = expectation;
    switch (rule.unit) {
      case 'inputTokens':
        return { fixed: inputTokens, perUnit: 0 };
      case 'outputTokens':
        return { fixed: 0, perUnit: 1 };
      case 'totalTokens':
        return { fixed: inputTokens, perUnit: 1 };
      case 'gpuSeconds':
        return { fixed: gpuTime.fixedMs, perUnit: gpuTime.perTokenMs };
      case 'cost': {
        const price = this.#priceOf(model ?? '');
        const perToken = (perMillion: number) => (perMillion * unitsPer.cost) / 1_000_000;
        return {
          fixed: Math.ceil(inputTokens * perToken(price.inputPerMillion)),
          perUnit: Math.ceil(perToken(price.outputPerMillion)),
        };
      }
      default:
        return { fixed: 1, perUnit: 0 };
    }
  }

  #priceOf(model: string): ModelPrice {
    const named = Object.entries(this.#prices).find(([pattern]) => isCoveredBy(pattern, model));
    return named?.[1] ?? { inputPerMillion: 0, outputPerMillion: 0 };
  }
}

function keep<T>(byOwner: Map<string, T>, owner: string, value: T): void {
  if (byOwner.size >= maxKnownOwners) byOwner.clear();
  byOwner.set(owner, value);
}

function applies(rule: Rule, { principal, model }: LimitSubject): boolean {
  if (rule.roles && !rule.roles.some((role) => principal?.roles.includes(role))) return false;
  if (rule.models && !rule.models.some((name) => model !== undefined && isCoveredBy(name, model)))
    return false;
  return true;
}
