import type { Clock } from '../clock.ts';
import { asUnavailable, limitFailure } from './limit-failure.ts';
import type { LimitUnit, ModelPrice, Rule } from './limit-rules.ts';
import { type LimitStatus, statusesOf } from './limit-status.ts';
import type { Charge, LimitAnswer, LimitAsk, LimitStore } from './limit-store.ts';
import type { LimitSubject } from './owner-of.ts';
import { RuleLines } from './rule-lines.ts';
import { askFor, type Expectation, none, nothing, type RuledAsk } from './ruled-ask.ts';

/** What was given out. */
export interface Grant {
  /** Tokens that the answer may have; `Infinity` when no rule says. */
  maxTokens: number;
  statuses: readonly LimitStatus[];
}

const unlimited: Grant = { maxTokens: Number.POSITIVE_INFINITY, statuses: [] };

/** Every limit of the kit: asks the store about the lines of a subject, and says what was given out or why nothing was. */
export class Limits {
  readonly #rules: readonly Rule[];
  readonly #lines: RuleLines;
  readonly #store: LimitStore;
  readonly #clock: Clock;

  constructor(
    rules: readonly Rule[],
    prices: Readonly<Record<string, ModelPrice>>,
    store: LimitStore,
    clock: Clock,
  ) {
    this.#rules = rules;
    this.#lines = new RuleLines(rules, prices, clock);
    this.#store = store;
    this.#clock = clock;
  }

  /** Whether there is a rule for a unit at all. */
  has(unit: LimitUnit): boolean {
    return this.#rules.some((rule) => rule.unit === unit);
  }

  /**
   * Reserves more GPU time for an answer that takes longer than was thought.
   *
   * @returns Whether there was room.
   * @throws {KitFailure} `store_unavailable`
   */
  async extendGpuTime(
    subject: LimitSubject,
    holdId: string,
    startedAtMs: number,
    ms: number,
  ): Promise<boolean> {
    const more: Expectation = { inputTokens: 0, maxTokens: 0, gpuTime: { fixedMs: ms, perTokenMs: 0 } };
    const ask = askFor(more, holdId);
    this.#lines.addTo(ask, 'model', subject, more, startedAtMs);
    ask.rates = none;
    ask.quotas = ask.quotas.filter(({ rule }) => rule.unit === 'gpuSeconds');
    ask.gauges = none;
    return (await this.#ask('take', ask)).allowed;
  }

  /**
   * Takes one request of all rules of a stage, or of none; at once where the store does.
   *
   * @param holdId What is held and reserved under it is given back by `settle`. Without it no gauge is looked at.
   * @throws {KitFailure} of the limit that refused, or `store_unavailable`.
   */
  take(
    stage: Rule['stage'],
    subject: LimitSubject,
    holdId: string | undefined,
    onStatuses: (statuses: readonly LimitStatus[]) => void,
    expectation: Expectation = nothing,
    atMs?: number,
  ): Grant | Promise<Grant> {
    const ask = askFor(expectation, holdId);
    this.#lines.addTo(ask, stage, subject, expectation, atMs);
    if (ask.rates.length + ask.quotas.length + ask.gauges.length === 0) return unlimited;
    // A store in memory answers at once: four promises less per request.
    const answer = this.#ask('take', ask);
    return answer instanceof Promise
      ? answer.then((late) => this.#granted(ask, late, onStatuses))
      : this.#granted(ask, answer, onStatuses);
  }

  #granted(
    ask: RuledAsk,
    answer: LimitAnswer,
    onStatuses: (statuses: readonly LimitStatus[]) => void,
  ): Grant {
    const statuses = statusesOf(ask, answer, this.#clock);
    onStatuses(statuses);
    if (!answer.allowed) throw limitFailure(statuses);
    const limitsTokens = ask.quotas.some(({ perUnit }) => perUnit > 0);
    return { maxTokens: limitsTokens ? answer.units : Number.POSITIVE_INFINITY, statuses };
  }

  /** How every rule that a subject can know stands; nothing is taken. @throws {KitFailure} `store_unavailable` */
  async look(subject: LimitSubject): Promise<readonly LimitStatus[]> {
    const ask = askFor(nothing, undefined);
    const atMs = this.#clock.wallNow();
    for (const stage of ['address', 'principal', 'entry', 'model'] as const)
      this.#lines.addTo(ask, stage, subject, nothing, atMs, true);
    return statusesOf(ask, await this.#ask('look', ask), this.#clock);
  }

  /** What an answer came to, for the rules that it was reserved under. */
  charges(
    subject: LimitSubject,
    startedAtMs: number,
    used: { inputTokens: number; outputTokens: number; gpuMs: number } | undefined,
  ): Charge[] {
    const final: Expectation = {
      inputTokens: used?.inputTokens ?? 0,
      maxTokens: used?.outputTokens ?? 0,
      gpuTime: { fixedMs: Math.ceil(used?.gpuMs ?? 0), perTokenMs: 0 },
    };
    // The window is the one that the answer began in, however long it took.
    const ask = askFor(final, undefined);
    this.#lines.addTo(ask, 'model', subject, final, startedAtMs);
    return ask.quotas.map(({ key, fixed, perUnit, endsAtMs }) => ({
      key,
      amount: fixed + perUnit * final.maxTokens,
      endsAtMs,
    }));
  }

  #ask(method: 'take' | 'look', ask: LimitAsk): LimitAnswer | Promise<LimitAnswer> {
    try {
      const answer = this.#store[method](ask);
      if (!(answer instanceof Promise)) return answer;
      return answer.catch((thrown: unknown) => {
        throw asUnavailable(thrown);
      });
    } catch (thrown) {
      throw asUnavailable(thrown);
    }
  }
}
