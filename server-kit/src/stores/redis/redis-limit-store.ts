import type { Clock } from '../../clock.ts';
import {
  type Charge,
  type GaugeState,
  holdForMs,
  type LimitAnswer,
  type LimitAsk,
  type LimitStore,
  type QuotaState,
  type RateState,
} from '../../limits/limit-store.ts';
import { MemoryLimitStore } from '../../limits/memory-limit-store.ts';
import { renewScript, settleScript, takeScript } from './limit-scripts.ts';
import type { RedisLink } from './redis-link.ts';

const rememberMs = 600_000;

/** What limits in Redis need. */
export interface RedisLimitParts {
  link: RedisLink;
  /** Every key begins with it; in braces, so that a cluster keeps them together. */
  prefix: string;
  /** Processes that share the limits: each gives out that part of a rate while Redis is away. */
  nodes: number;
  /** Time of this process, for the fallback. */
  clock: Clock;
  /** The time that limits go by; `undefined` for Redis' own, so that clocks of machines need not agree. */
  now: (() => number) | undefined;
}

/**
 * Limits that processes share. Each call is one script, so one round trip.
 *
 * While Redis is away, rates and what is held at once go on in this process with their share of the limit; anything with a
 * quota is refused, since nobody can say what is left.
 */
export class RedisLimitStore implements LimitStore {
  readonly #parts: RedisLimitParts;
  readonly #fallback: MemoryLimitStore;
  readonly #inFallback = new Set<string>();

  constructor(parts: RedisLimitParts) {
    this.#parts = parts;
    this.#fallback = new MemoryLimitStore(parts.clock);
  }

  take(ask: LimitAsk): Promise<LimitAnswer> {
    return this.#ask(ask, true);
  }

  look(ask: LimitAsk): Promise<LimitAnswer> {
    return this.#ask(ask, false);
  }

  async settle(holdId: string, charges: readonly Charge[]): Promise<void> {
    if (this.#inFallback.delete(holdId)) this.#fallback.settle(holdId, []);
    const { link, prefix } = this.#parts;
    await link.script(settleScript, [prefix], [...this.#times(), holdId, JSON.stringify(charges)]);
  }

  async renew(holdIds: readonly string[]): Promise<void> {
    this.#fallback.renew([...this.#inFallback]);
    const { link, prefix } = this.#parts;
    await link.script(renewScript, [prefix], [...this.#times(), ...holdIds]);
  }

  async #ask(ask: LimitAsk, takes: boolean): Promise<LimitAnswer> {
    const { link, prefix } = this.#parts;
    const args = [...this.#times(), JSON.stringify(ask), takes ? '1' : '0'];
    const { holdId } = ask;
    // A reservation that came too late belongs to nobody: the request was refused meanwhile.
    const onLate = () => {
      if (takes && holdId !== undefined && ask.quotas.length > 0)
        void this.settle(holdId, []).catch(() => {});
    };
    try {
      return answerOf(await link.script(takeScript, [prefix], args, onLate), ask);
    } catch (thrown) {
      if (ask.quotas.length > 0) throw thrown;
      if (takes && holdId !== undefined) this.#inFallback.add(holdId);
      return this.#fallback[takes ? 'take' : 'look'](shareOf(ask, this.#parts.nodes));
    }
  }

  #times(): string[] {
    const now = this.#parts.now?.();
    return [now === undefined ? '' : String(now), String(holdForMs), String(rememberMs)];
  }
}

/** What one of several processes may give out by itself. */
function shareOf(ask: LimitAsk, nodes: number): LimitAsk {
  return {
    ...ask,
    rates: ask.rates.map((line) => {
      const { burst, intervalMs } = line.rate;
      return {
        ...line,
        rate: { burst: Math.max(1, Math.floor(burst / nodes)), intervalMs: intervalMs * nodes },
      };
    }),
    gauges: ask.gauges.map((line) => ({ ...line, limit: Math.max(1, Math.floor(line.limit / nodes)) })),
  };
}

/** @throws {TypeError} for an answer that is not one: a store is not believed blindly. */
function answerOf(reply: unknown, ask: LimitAsk): LimitAnswer {
  const wanted = 2 + 4 * ask.rates.length + 3 * ask.quotas.length + 2 * ask.gauges.length;
  if (!Array.isArray(reply) || reply.length !== wanted)
    throw new TypeError('Redis gave no answer to a limit.');
  const values = reply.map(Number);
  if (!values.every(Number.isFinite)) throw new TypeError('Redis gave no answer to a limit.');
  let at = 0;
  const next = () => values[at++] as number;
  const allowed = next() === 1;
  const units = next();
  const rates = ask.rates.map((): RateState => {
    return { fits: next() === 1, remaining: next(), retryAfterMs: next(), resetMs: next() };
  });
  const quotas = ask.quotas.map(
    (): QuotaState => ({ fits: next() === 1, settled: next(), reserved: next() }),
  );
  const gauges = ask.gauges.map((): GaugeState => ({ fits: next() === 1, held: next() }));
  return { allowed, units, rates, quotas, gauges };
}
