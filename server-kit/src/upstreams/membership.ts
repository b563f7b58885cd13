import type { Clock } from '../clock.ts';
import { asFailure } from '../failure.ts';
import { type LastingTransport, Upstream } from './upstream.ts';
import type { UpstreamSettings } from './upstream-settings.ts';

/** How soon a server that was found and does not answer is asked again, and at most, in ms. */
const firstAskMs = 500;
const longestAskMs = 30_000;
/** As many as the prefix table tells apart; after that the numbers begin again. */
const maxNumbers = 65_536;

/** Makes the way to an upstream. */
export type OpenTransport = (settings: UpstreamSettings) => LastingTransport;

/** Which upstreams there are: those in use, those that have not answered yet, and those that only end what they have. */
export class Membership {
  readonly #clock: Clock;
  readonly #open: OpenTransport;
  readonly #onChange: () => void;
  readonly #joining = new Set<Upstream>();
  readonly #leaving = new Set<Upstream>();
  #nextNumber = 0;
  #inUse: readonly Upstream[] = [];
  /** As they are wanted; those of them that have not answered yet are not in use. */
  #wanted: readonly Upstream[] = [];

  /** @param onChange Hears that others are in use than before. */
  constructor(open: OpenTransport, clock: Clock, onChange: () => void) {
    this.#open = open;
    this.#clock = clock;
    this.#onChange = onChange;
  }

  get inUse(): readonly Upstream[] {
    return this.#inUse;
  }

  /** Those that were found and have not answered yet. */
  get joining(): ReadonlySet<Upstream> {
    return this.#joining;
  }

  /** Requests that are open to any of them, also to those that were taken out. */
  get openRequests(): number {
    let open = 0;
    for (const { transport } of this.#every()) open += transport.open;
    return open;
  }

  find(id: string): Upstream | undefined {
    return [...this.#inUse, ...this.#joining].find((one) => one.id === id);
  }

  /**
   * Takes another list. Those that stay keep their connections and what was learned; what runs on those that go ends there
   * in its own time. What was found rather than named is used once it has answered; until one of a list has, the last one
   * stays in use.
   */
  replace(settings: readonly UpstreamSettings[]): void {
    const before = new Map([...this.#inUse, ...this.#joining].map((one) => [one.id, one]));
    const fresh: Upstream[] = [];
    this.#wanted = settings.map((one) => {
      const known = before.get(one.id);
      if (known && isSameServer(known.settings, one)) {
        known.settings = one;
        return known;
      }
      const upstream = new Upstream(one, this.#open(one), this.#clock, this.#nextNumber++ % maxNumbers);
      if (one.allowed) fresh.push(upstream);
      return upstream;
    });
    for (const upstream of this.#joining) {
      if (this.#wanted.includes(upstream)) continue;
      this.#joining.delete(upstream);
      this.#retire(upstream);
    }
    for (const upstream of fresh) this.#joining.add(upstream);
    this.#settle();
    for (const upstream of fresh) void this.#join(upstream, firstAskMs);
  }

  /** One has answered. Gives whether that was waited for; then it is in use. */
  answered(upstream: Upstream): boolean {
    if (!this.#joining.delete(upstream)) return false;
    this.#settle();
    return true;
  }

  /** Closes the way to one that was taken out, once nobody has a place there. */
  letGo(upstream: Upstream): void {
    if (upstream.totalInFlight === 0 && this.#leaving.has(upstream)) void this.#close(upstream);
  }

  async close(): Promise<void> {
    const every = this.#every();
    this.#joining.clear();
    for (const { transport } of every) await transport.close();
  }

  /** Puts into use what is wanted and has answered, and lets go of the rest. */
  #settle(): void {
    const answered = this.#wanted.filter((one) => !this.#joining.has(one));
    // Until one of the next has answered the last ones are better than none.
    const isWaiting = answered.length === 0 && this.#wanted.length > 0;
    const next = isWaiting ? this.#inUse.filter((one) => this.#mayStay(one)) : answered;
    const gone = this.#inUse.filter((one) => !next.includes(one));
    this.#inUse = next;
    for (const upstream of gone) this.#retire(upstream);
    this.#onChange();
  }

  /** Whether one that was found is allowed by what holds now: a list that has become narrower holds at once. */
  #mayStay({ settings: { allowed, url } }: Upstream): boolean {
    return this.#wanted.every(({ settings: { allowed: now } }) => {
      return !allowed || !now || now.key === allowed.key || now.surelyHas(url);
    });
  }

  /** Asks one that was found until it answers; then it is used. */
  async #join(upstream: Upstream, waitMs: number): Promise<void> {
    try {
      await upstream.catalog.look();
    } catch (thrown) {
      if (!this.#joining.has(upstream)) return;
      upstream.ended('failed', asFailure(thrown).code, false);
      this.#clock.setTimer(() => {
        if (this.#joining.has(upstream)) void this.#join(upstream, Math.min(waitMs * 2, longestAskMs));
      }, waitMs);
      return;
    }
    if (!this.#joining.has(upstream)) return;
    upstream.breaker.close();
    this.answered(upstream);
  }

  /** What has a place there, loads included, asks there yet; after that nobody does. */
  #retire(upstream: Upstream): void {
    this.#leaving.add(upstream);
    this.letGo(upstream);
  }

  async #close(upstream: Upstream): Promise<void> {
    await upstream.transport.retire();
    this.#leaving.delete(upstream);
  }

  #every(): Upstream[] {
    return [...this.#inUse, ...this.#joining, ...this.#leaving];
  }
}

function isSameServer(one: UpstreamSettings, other: UpstreamSettings): boolean {
  return (
    one.url.href === other.url.href &&
    one.dialect === other.dialect &&
    one.apiKey === other.apiKey &&
    one.connectMs === other.connectMs &&
    one.allowed?.key === other.allowed?.key
  );
}
