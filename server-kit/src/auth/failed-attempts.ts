import { KitFailure } from '../failure.ts';
import { addressKey } from '../limits/address-key.ts';
import { ratePer } from '../limits/gcra.ts';
import { asUnavailable } from '../limits/limit-failure.ts';
import type { LimitAnswer, LimitStore } from '../limits/limit-store.ts';

interface Address {
  /** Attempts that are under way in any way, refusals to come included. */
  present: number;
  /** Those of them whose check runs. */
  running: number;
  waiting: (() => void)[];
}

/**
 * Limits guesses of credentials per address, before any work is done for one.
 *
 * Attempts at the same time count as if they had failed until they have not; when that leaves none, the next one waits for
 * one of them to end. So a burst of guesses gets no more than the limit, and a burst of good ones is not refused.
 */
export class FailedAttempts {
  readonly #store: LimitStore;
  readonly #perMinute: number;
  readonly #addresses = new Map<string, Address>();

  constructor(store: LimitStore, perMinute: number) {
    this.#store = store;
    this.#perMinute = perMinute;
  }

  /** How many addresses are remembered here, for tests of its bounds. */
  get size(): number {
    return this.#addresses.size;
  }

  /**
   * Runs a check, which says whether the credential was a guess that failed.
   *
   * @throws {KitFailure} `rate_limited` when the address has guessed too often.
   */
  async guard<T>(
    remoteAddress: string,
    check: () => Promise<T>,
    isGuess: (result: T) => boolean,
  ): Promise<T> {
    if (this.#perMinute === Number.POSITIVE_INFINITY) return check();
    const key = `failed-sign-ins:${addressKey(remoteAddress)}`;
    const address = this.#addresses.get(key) ?? { present: 0, running: 0, waiting: [] };
    this.#addresses.set(key, address);
    address.present++;
    try {
      await this.#enter(key, address);
      try {
        const result = await check();
        if (isGuess(result)) await this.#ask('take', key, false);
        return result;
      } finally {
        address.running--;
        for (const wake of address.waiting.splice(0)) wake();
      }
    } finally {
      if (--address.present === 0) this.#addresses.delete(key);
    }
  }

  async #enter(key: string, address: Address): Promise<void> {
    for (;;) {
      const [state] = (await this.#ask('look', key, true)).rates;
      const left = state?.remaining ?? 0;
      if (address.running < left) break;
      if (address.running === 0) throw refusal(state?.retryAfterMs ?? 60_000);
      await new Promise<void>((resolve) => address.waiting.push(resolve));
    }
    address.running++;
  }

  async #ask(method: 'take' | 'look', key: string, looks: boolean): Promise<LimitAnswer> {
    const rate = ratePer(60_000, this.#perMinute);
    try {
      return await this.#store[method]({
        rates: [{ key, rate, looks }],
        quotas: [],
        gauges: [],
        units: 0,
        leastUnits: 0,
        holdId: undefined,
      });
    } catch (thrown) {
      throw asUnavailable(thrown);
    }
  }
}

function refusal(retryAfterMs: number): KitFailure {
  return new KitFailure(
    'rate_limited',
    `Too many failed attempts to sign in from this address. Wait ${Math.ceil(retryAfterMs / 1000)} s.`,
    { retryAfterMs: Math.ceil(retryAfterMs), reason: 'limit failed-sign-ins' },
  );
}
