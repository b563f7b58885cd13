import { KitFailure } from '../failure.ts';
import type { Settings } from '../kit-options.ts';
import { addressKey } from './address-key.ts';
import { type Decision, perMinute, type Rate } from './gcra.ts';
import { type LimitStore, MemoryLimitStore } from './limit-store.ts';

/** The request limits of the kit: per address before anybody is looked at, per principal after. */
export class RateLimits {
  // Apart, so that a flood of addresses never takes the room of people who are signed in.
  readonly #addresses: LimitStore = new MemoryLimitStore();
  readonly #principals: LimitStore = new MemoryLimitStore();
  readonly #now: () => number;
  readonly #address: Rate | undefined;
  readonly #principal: Rate | undefined;

  constructor(settings: Settings) {
    const { requestsPerMinute, requestsPerMinutePerAddress } = settings.limits;
    this.#now = () => settings.clock.now();
    this.#address = rateOf(requestsPerMinutePerAddress);
    this.#principal = rateOf(requestsPerMinute);
  }

  /** @throws {KitFailure} `rate_limited` */
  async takeAddress(address: string, headers: Headers): Promise<void> {
    await this.#take('address', addressKey(address), this.#address, headers);
  }

  /** @throws {KitFailure} `rate_limited` */
  async takePrincipal(id: string, headers: Headers): Promise<void> {
    await this.#take('principal', id, this.#principal, headers);
  }

  async #take(
    name: 'address' | 'principal',
    id: string,
    rate: Rate | undefined,
    headers: Headers,
  ): Promise<void> {
    if (rate === undefined) return;
    const store = name === 'address' ? this.#addresses : this.#principals;
    const decision = await store.take(id, rate, this.#now());
    if (name === 'principal' || !decision.allowed) setLimitHeaders(headers, name, rate, decision);
    if (decision.allowed) return;
    const who = name === 'address' ? 'from this address' : 'for this user';
    throw new KitFailure(
      'rate_limited',
      `More than ${rate.burst} requests a minute ${who}. Wait ${Math.ceil(decision.retryAfterMs / 1000)} s.`,
      { retryAfterMs: Math.ceil(decision.retryAfterMs) },
    );
  }
}

function rateOf(requestsPerMinute: number): Rate | undefined {
  return Number.isFinite(requestsPerMinute) ? perMinute(requestsPerMinute) : undefined;
}

/** `RateLimit-Policy` and `RateLimit` in the form of draft-ietf-httpapi-ratelimit-headers-10. */
function setLimitHeaders(headers: Headers, name: string, rate: Rate, decision: Decision): void {
  const windowSeconds = Math.ceil((rate.burst * rate.intervalMs) / 1000);
  headers.set('ratelimit-policy', `"${name}";q=${rate.burst};w=${windowSeconds}`);
  headers.set('ratelimit', `"${name}";r=${decision.remaining};t=${Math.ceil(decision.resetMs / 1000)}`);
}
