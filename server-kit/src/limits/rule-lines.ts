import type { Clock } from '../clock.ts';
import { isCoveredBy } from '../upstream/model-pattern.ts';
import { type Rate, ratePer } from './gcra.ts';
import { type ModelPrice, type Rule, rateWindowMs, unitsPer } from './limit-rules.ts';
import { type LimitSubject, ownerOf } from './owner-of.ts';
import { added, type Expectation, type RuledAsk, type RuledRate } from './ruled-ask.ts';
import { Calendar } from './window.ts';

/** Owners whose lines are kept per rule: few ask again and again, and a text that is put together anew must be hashed anew. */
const maxKnownOwners = 1000;

/** From rules and a subject to the lines that a store is asked about. */
export class RuleLines {
  readonly #byStage: Readonly<Record<Rule['stage'], readonly Rule[]>>;
  /** Of rules that are rates: what they come to, and their lines by owner. */
  readonly #rates = new Map<Rule, { rate: Rate; lines: Map<string, RuledRate> }>();
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
        ask.gauges = added(ask.gauges, { rule, key: `${rule.name}:${owner}`, limit: rule.amount });
      } else {
        const at = atMs ?? this.#clock.wallNow();
        const window = this.#calendar.windowOf(at, rule.window ?? 'day', rule.timeZone);
        const { fixed, perUnit } = this.#amounts(rule, subject, expectation);
        ask.quotas = added(ask.quotas, {
          rule,
          key: `${rule.name}:${window.startMs}:${owner}`,
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
      if (lines.size >= maxKnownOwners) lines.clear();
      lines.set(owner, line);
    }
    return line;
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

function applies(rule: Rule, { principal, model }: LimitSubject): boolean {
  if (rule.roles && !rule.roles.some((role) => principal?.roles.includes(role))) return false;
  if (rule.models && !rule.models.some((name) => model !== undefined && isCoveredBy(name, model)))
    return false;
  return true;
}
