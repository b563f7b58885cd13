import type { Clock } from '../clock.ts';
import { cheapest, type ExpectedCost } from '../placement/expected-cost.ts';
import type { PromptPrefix } from '../placement/prefix-hashes.ts';
import { Membership, type OpenTransport } from './membership.ts';
import { PlaceCosts } from './place-costs.ts';
import type { NoPlace, Place, PlaceAsk, PlaceOutcome, Places } from './places.ts';
import { TakenPlace } from './taken-place.ts';
import type { Upstream } from './upstream.ts';
import type { UpstreamSettings } from './upstream-settings.ts';

/** After how long those who wait although something is free are asked to look again, in ms. */
const lookAgainMs = 1000;

/** The model servers behind the kit, and who runs where. */
export class Upstreams implements Places {
  readonly #clock: Clock;
  readonly #members: Membership;
  readonly #costs: PlaceCosts;
  /** Another list when one comes or goes: whoever is being told is not disturbed. */
  #listeners: readonly (() => void)[] = [];
  #isLookingAgain = false;
  /** Since when those who wait for a model have not got a place. */
  readonly #busySince = new Map<string, number>();

  constructor(settings: readonly UpstreamSettings[], open: OpenTransport, clock: Clock) {
    this.#clock = clock;
    this.#members = new Membership(open, clock, this.#freed);
    this.#costs = new PlaceCosts(this.#members);
    this.replace(settings);
  }

  /** How many wait for a model, by its canonical name. Whoever keeps the line says it. */
  set waitingFor(count: (model: string) => number) {
    this.#costs.waitingFor = count;
  }

  /** Those in use. */
  get all(): readonly Upstream[] {
    return this.#members.inUse;
  }

  /** Those that were found and have not answered yet. */
  get joining(): ReadonlySet<Upstream> {
    return this.#members.joining;
  }

  /** Requests that are open to any of them, also to those that were taken out. */
  get openRequests(): number {
    return this.#members.openRequests;
  }

  find(id: string): Upstream | undefined {
    return this.#members.find(id);
  }

  /** Takes another list, see {@link Membership.replace}. */
  replace(settings: readonly UpstreamSettings[]): void {
    this.#members.replace(settings);
  }

  tryTake(ask: PlaceAsk): Place | NoPlace {
    const now = this.#clock.now();
    const { model, avoid, steadyOnly = false, warmOnly = false, digest } = ask;
    let isKnown = false;
    let isOnTrial = false;
    const open: Upstream[] = [];
    const { all } = this;
    const isOnly = all.length === 1;
    for (const upstream of all) {
      // The only one is asked again also for what it has just refused: it alone can say so.
      const { catalog } = upstream;
      if (!(isOnly ? catalog.knownNames()?.get(model) : catalog.find(model))) continue;
      isKnown = true;
      if (avoid?.has(upstream.id)) continue;
      isOnTrial ||= upstream.isOnTrial;
      if (!upstream.isOpen(now)) continue;
      if (digest !== undefined && catalog.fileOf(model)?.digest !== digest) continue;
      if (warmOnly && !this.#costs.isSpare(upstream, model, now)) continue;
      if (!steadyOnly || upstream.isSteady) open.push(upstream);
    }
    const [first] = open;
    if (first === undefined) {
      if (!isKnown) return 'unknown_model';
      // Somebody is finding out whether one of them is well again: whoever can wait is told when that is known.
      return isOnTrial && !steadyOnly && !warmOnly ? 'busy' : 'none_healthy';
    }
    if (isOnly) {
      const slots = first.slots(model, now);
      const { inFlight } = first.runs(model);
      if (inFlight >= slots || first.totalInFlight >= first.settings.maxInFlight) return 'busy';
      return this.#take(first, ask, now, undefined);
    }
    for (const upstream of all) {
      upstream.refresh();
      this.#costs.findStrays(upstream, now);
    }
    const prefix = open.length > 1 ? ask.prefix?.() : undefined;
    const waitedMs = now - (this.#busySince.get(model) ?? now);
    const costs = this.#costs.of(open, ask, prefix, waitedMs, now);
    const best = cheapest(costs, (at) => shareOf(open[at] as Upstream));
    const chosen = open[best] as Upstream;
    const cost = costs[best] as ExpectedCost;
    if (!cost.isFree) {
      if (!this.#busySince.has(model)) this.#busySince.set(model, now);
      this.#lookAgain();
      return 'busy';
    }
    return this.#take(chosen, ask, now, cost.waitMs, prefix);
  }

  onFreed(listener: () => void): () => void {
    this.#listeners = [...this.#listeners, listener];
    return () => {
      this.#listeners = this.#listeners.filter((one) => one !== listener);
    };
  }

  /** Lets nothing new go to an upstream, or lets it again. */
  setDrained(upstream: Upstream, isDrained: boolean): void {
    upstream.isDrained = isDrained;
    if (!isDrained) this.#freed();
  }

  /** Asks an upstream whether it answers. @throws {KitFailure} when it does not. */
  async probe(upstream: Upstream): Promise<void> {
    await upstream.probe();
    if (!this.#members.answered(upstream)) this.#freed();
  }

  /** Looks whether those that take new work live, all but some. Never rejects. */
  async prove(avoid: ReadonlySet<string>): Promise<void> {
    const now = this.#clock.now();
    const others = this.all.filter((one) => !avoid.has(one.id) && one.isOpen(now));
    await Promise.all(others.map((one) => one.prove()));
  }

  /** When the first of those that are down lets a request through again, in ms from now; `undefined` when none is. */
  reopensInMs(): number | undefined {
    const now = this.#clock.now();
    const times = this.all.flatMap(({ breaker }) => breaker.reopensAt ?? []);
    return times.length === 0 ? undefined : Math.max(0, Math.min(...times) - now);
  }

  async close(): Promise<void> {
    await this.#members.close();
  }

  #take(
    upstream: Upstream,
    ask: PlaceAsk,
    now: number,
    expectedWaitMs: number | undefined,
    prefix?: PromptPrefix,
  ): Place {
    this.#busySince.delete(ask.model);
    this.#costs.asked(ask.model, now);
    const onOver = (outcome: PlaceOutcome) => {
      if (prefix && outcome !== 'failed') this.#costs.wasRead(prefix, upstream);
      this.#members.letGo(upstream);
      this.#freed();
    };
    const { model } = ask;
    const isCold = upstream.memoryOf(model) === 'absent';
    const evicts = isCold ? this.#costs.victims(upstream, model, now) : [];
    const events = { onOver, onWarm: this.#freed };
    return new TakenPlace(upstream, ask, this.#clock, now, expectedWaitMs, evicts, events);
  }

  readonly #freed = (): void => {
    for (const listener of this.#listeners) listener();
  };

  /** Waiting was cheaper than a load elsewhere; if the wait turns out long, that changes without anybody's doing. */
  #lookAgain(): void {
    if (this.#isLookingAgain || this.#listeners.length === 0) return;
    this.#isLookingAgain = true;
    this.#clock.setTimer(() => {
      this.#isLookingAgain = false;
      this.#freed();
    }, lookAgainMs);
  }
}

/** How much of its share it has: what runs first, then what it was given so far. */
function shareOf({ totalInFlight, turns, settings }: Upstream): number {
  return (totalInFlight + 1) / settings.weight + turns / settings.weight / 1e9;
}
