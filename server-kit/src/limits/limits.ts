import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Principal } from '../kit-types.ts';
import { isCoveredBy } from '../upstream/model-pattern.ts';
import { addressKey } from './address-key.ts';
import { type Rate, ratePer } from './gcra.ts';
import { asUnavailable, limitFailure } from './limit-failure.ts';
import type { LimitStatus } from './limit-headers.ts';
import { type LimitUnit, type ModelPrice, type Rule, rateWindowMs, unitsPer } from './limit-rules.ts';
import type {
  Charge,
  GaugeLine,
  LimitAnswer,
  LimitAsk,
  LimitStore,
  QuotaLine,
  RateLine,
} from './limit-store.ts';
import { Calendar } from './window.ts';

/** When something is refused only because answers are still being written, in ms. */
const reservedRetryMs = 5000;
const gaugeRetryMs = 1000;
const maxKeyLength = 200;

/** Who and what a request is, as far as it is known. */
export interface LimitSubject {
  address: string;
  principal?: Principal | undefined;
  model?: string | undefined;
}

/** What a request will use, for the rules that need to know. */
export interface Expectation {
  inputTokens: number;
  /** Most tokens of the answer that are wanted. */
  maxTokens: number;
  /** GPU time in ms. */
  gpuTime: { fixedMs: number; perTokenMs: number };
}

/** What was given out. */
export interface Grant {
  /** Tokens that the answer may have; `Infinity` when no rule says. */
  maxTokens: number;
  statuses: readonly LimitStatus[];
}

interface RuledRate extends RateLine {
  rule: Rule;
}

interface RuledQuota extends QuotaLine {
  rule: Rule;
  startsAtMs: number;
}

interface RuledGauge extends GaugeLine {
  rule: Rule;
}

/** An ask whose lines know their rules, so that no list is made of another. */
interface RuledAsk extends LimitAsk {
  rates: RuledRate[];
  quotas: RuledQuota[];
  gauges: RuledGauge[];
}

const unlimited: Grant = { maxTokens: Number.POSITIVE_INFINITY, statuses: [] };
const nothing: Expectation = { inputTokens: 0, maxTokens: 0, gpuTime: { fixedMs: 0, perTokenMs: 0 } };

/** Owners whose keys are kept per rule: few ask again and again, and a text that is put together anew must be hashed anew. */
const maxKnownOwners = 1000;

/** Every limit of the kit: from rules and a subject to lines of a store, and from its answer to what the caller is told. */
export class Limits {
  readonly #rules: readonly Rule[];
  readonly #byStage: Readonly<Record<Rule['stage'], readonly Rule[]>>;
  readonly #rates = new Map<Rule, Rate>();
  readonly #rateLines = new Map<Rule, Map<string, RuledRate>>();
  readonly #prices: Readonly<Record<string, ModelPrice>>;
  readonly #store: LimitStore;
  readonly #clock: Clock;
  readonly #calendar = new Calendar();

  constructor(
    rules: readonly Rule[],
    prices: Readonly<Record<string, ModelPrice>>,
    store: LimitStore,
    clock: Clock,
  ) {
    this.#rules = rules;
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
      this.#rates.set(rule, ratePer(windowMs, rule.amount, rule.burst));
    }
    this.#prices = prices;
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
    this.#addLines(ask, 'model', subject, more, startedAtMs);
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
    this.#addLines(ask, stage, subject, expectation, atMs);
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
    const statuses = this.#statuses(ask, answer);
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
      this.#addLines(ask, stage, subject, nothing, atMs, true);
    return this.#statuses(ask, await this.#ask('look', ask));
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
    this.#addLines(ask, 'model', subject, final, startedAtMs);
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

  /** Adds the lines of a stage. Gauges hold something, so they are for asks with a hold, and for a look. */
  #addLines(
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
    let lines = this.#rateLines.get(rule);
    if (lines === undefined) {
      lines = new Map();
      this.#rateLines.set(rule, lines);
    }
    let line = lines.get(owner);
    if (line === undefined) {
      line = { rule, key: `${rule.name}:${owner}`, rate: this.#rates.get(rule) as Rate };
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

  #statuses({ rates, quotas, gauges }: RuledAsk, answer: LimitAnswer): LimitStatus[] {
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
    const now = quotas.length > 0 ? this.#clock.wallNow() : 0;
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
}

const none: never[] = [];

/** A list with one more. Most have one and no other: a list that was empty before has room for seventeen. */
function added<T>(list: T[], one: T): T[] {
  if (list.length === 0) return [one];
  list.push(one);
  return list;
}

/** An ask that has no lines yet. */
function askFor({ maxTokens }: Expectation, holdId: string | undefined): RuledAsk {
  return {
    rates: none,
    quotas: none,
    gauges: none,
    units: maxTokens,
    leastUnits: Math.min(1, maxTokens),
    holdId,
  };
}

function applies(rule: Rule, { principal, model }: LimitSubject): boolean {
  if (rule.roles && !rule.roles.some((role) => principal?.roles.includes(role))) return false;
  if (rule.models && !rule.models.some((name) => model !== undefined && isCoveredBy(name, model)))
    return false;
  return true;
}

/** Whose budget it is; `undefined` where there is no such thing. */
function ownerOf(rule: Rule, { address, principal, model }: LimitSubject): string | undefined {
  switch (rule.per) {
    case 'address':
      return addressKey(address);
    case 'user':
      return principal && short(principal.id);
    case 'key':
      return principal?.keyId;
    case 'tenant':
      return principal?.tenant === undefined ? undefined : short(principal.tenant);
    case 'model':
      return model === undefined ? undefined : short(model.toLowerCase());
    case 'global':
      return '';
  }
}

/** Long names are hashed, so that nobody fills a store with them. The parts before hold no colon: no two keys are one. */
function short(name: string): string {
  const known = shorts.get(name);
  if (known !== undefined) return known;
  if (shorts.size >= maxKnownOwners) shorts.clear();
  const made =
    name.length <= maxKeyLength ? `=${name}` : createHash('sha256').update(name).digest('base64url');
  shorts.set(name, made);
  return made;
}

/** The last ones. */
const shorts = new Map<string, string>();
