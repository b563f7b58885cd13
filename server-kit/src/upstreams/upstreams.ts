import type { Clock } from '../clock.ts';
import { asFailure } from '../failure.ts';
import { Demand } from '../placement/demand.ts';
import { type Candidate, cheapest, type ExpectedCost, expectedCost } from '../placement/expected-cost.ts';
import { PrefixCache } from '../placement/prefix-cache.ts';
import type { PromptPrefix } from '../placement/prefix-hashes.ts';
import type { NoPlace, Place, PlaceAsk, PlaceOutcome, Places } from './places.ts';
import { TakenPlace } from './taken-place.ts';
import { type LastingTransport, Upstream } from './upstream.ts';
import type { UpstreamSettings } from './upstream-settings.ts';

/** How long an answer is taken to hold its place, and a character to be read, before anything was seen, in ms. */
const defaultServiceMs = 8000;
const prefillMsPerCharacter = 0.1;
/**
 * How many loads it costs when a model in use has to go: it comes back and puts out another in turn, the only one of its
 * kind soonest. Found by `bench/placement`: lower, and loads chase each other; higher, and lines grow that a load would end.
 */
const missedAlone = 5;
const missedElsewhere = 2;
/** A model that is asked for less than this of late may go for any other. */
const rarely = 0.3;
/** After how long a model that is nowhere in memory is loaded whoever that holds up, in ms. */
const patienceMs = 60_000;
/** After how long those who wait although something is free are asked to look again, in ms. */
const lookAgainMs = 1000;

/** How soon a server that was found and does not answer is asked again, and at most, in ms. */
const firstAskMs = 500;
const longestAskMs = 30_000;

/** Makes the way to an upstream. */
export type OpenTransport = (settings: UpstreamSettings) => LastingTransport;

/** The model servers behind the kit, and who runs where. */
export class Upstreams implements Places {
  readonly #clock: Clock;
  readonly #open: OpenTransport;
  readonly #demand = new Demand();
  readonly #prefixes = new PrefixCache();
  readonly #listeners = new Set<() => void>();
  readonly #leaving = new Set<Upstream>();
  /** Numbers of upstreams in the prefix table, never given twice. */
  readonly #numbers = new Map<Upstream, number>();
  #nextNumber = 0;
  #all: readonly Upstream[] = [];
  /** As they are wanted; and those of them that have not answered yet and therefore are not in use. */
  #wanted: readonly Upstream[] = [];
  readonly #joining = new Set<Upstream>();
  /** How many wait for a model, by its canonical name. Whoever keeps the line says it. */
  waitingFor: (model: string) => number = () => 0;
  #isLookingAgain = false;
  /** Since when those who wait for a model have not got a place. */
  readonly #busySince = new Map<string, number>();

  constructor(settings: readonly UpstreamSettings[], open: OpenTransport, clock: Clock) {
    this.#open = open;
    this.#clock = clock;
    this.replace(settings);
  }

  get all(): readonly Upstream[] {
    return this.#all;
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
    return [...this.#all, ...this.#joining].find((one) => one.id === id);
  }

  /**
   * Takes another list. Those that stay keep their connections and what was learned; what runs on those that go ends there
   * in its own time. What was found rather than named is used once it has answered; until one of a list has, the last one
   * stays in use.
   */
  replace(settings: readonly UpstreamSettings[]): void {
    const before = new Map([...this.#all, ...this.#joining].map((one) => [one.id, one]));
    const fresh: Upstream[] = [];
    this.#wanted = settings.map((one) => {
      const known = before.get(one.id);
      if (known && isSameServer(known.settings, one)) {
        known.settings = one;
        return known;
      }
      const upstream = new Upstream(one, this.#open(one), this.#clock);
      this.#numbers.set(upstream, this.#nextNumber++ % 65_536);
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

  tryTake(ask: PlaceAsk): Place | NoPlace {
    const now = this.#clock.now();
    const { model, avoid, steadyOnly = false, warmOnly = false, digest } = ask;
    let isKnown = false;
    let isOnTrial = false;
    const open: Upstream[] = [];
    const isOnly = this.#all.length === 1;
    for (const upstream of this.#all) {
      // The only one is asked again also for what it has just refused: it alone can say so.
      const { catalog } = upstream;
      if (!(isOnly ? catalog.knownNames()?.get(model) : catalog.find(model))) continue;
      isKnown = true;
      if (avoid?.has(upstream.id)) continue;
      isOnTrial ||= upstream.isOnTrial;
      if (!upstream.isOpen(now)) continue;
      if (digest !== undefined && catalog.fileOf(model)?.digest !== digest) continue;
      if (warmOnly && !this.#isSpare(upstream, model, now)) continue;
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
    for (const upstream of this.#all) upstream.refresh();
    const prefix = open.length > 1 ? ask.prefix?.() : undefined;
    const costs = this.#costs(open, ask, prefix, now);
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
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Lets nothing new go to an upstream, or lets it again. */
  setDrained(upstream: Upstream, isDrained: boolean): void {
    upstream.isDrained = isDrained;
    if (!isDrained) this.#freed();
  }

  /** Asks an upstream whether it answers. @throws {KitFailure} when it does not. */
  async probe(upstream: Upstream): Promise<void> {
    await upstream.probe();
    if (this.#joining.delete(upstream)) this.#settle();
    else this.#freed();
  }

  /** Looks whether those that take new work live, all but some. Never rejects. */
  async prove(avoid: ReadonlySet<string>): Promise<void> {
    const now = this.#clock.now();
    const others = this.#all.filter((one) => !avoid.has(one.id) && one.isOpen(now));
    await Promise.all(others.map((one) => one.prove()));
  }

  /** When the first of those that are down lets a request through again, in ms from now; `undefined` when none is. */
  reopensInMs(): number | undefined {
    const now = this.#clock.now();
    const times = this.#all.flatMap(({ breaker }) => breaker.reopensAt ?? []);
    return times.length === 0 ? undefined : Math.max(0, Math.min(...times) - now);
  }

  async close(): Promise<void> {
    const every = this.#every();
    this.#joining.clear();
    for (const { transport } of every) await transport.close();
  }

  #costs(
    open: readonly Upstream[],
    ask: PlaceAsk,
    prefix: PromptPrefix | undefined,
    now: number,
  ): ExpectedCost[] {
    const known = prefix && this.#prefixes.find(prefix.hashes);
    const characters = prefix?.characters.at(-1) ?? 0;
    return open.map((upstream) => {
      const { model } = ask;
      const runs = upstream.runs(model);
      const warm =
        known !== undefined && known.upstream === this.#numbers.get(upstream)
          ? (prefix?.characters[known.blocks - 1] ?? 0)
          : 0;
      const load = this.#load(upstream, model, now);
      const candidate: Candidate = {
        ...load,
        inFlight: runs.inFlight,
        slots: upstream.slots(model, now),
        totalInFlight: upstream.totalInFlight,
        maxInFlight: upstream.settings.maxInFlight,
        serviceMs: runs.serviceMs.value ?? this.#serviceMs(model),
        ...this.#others(upstream, ask, now),
        waitedMs: now - (this.#busySince.get(model) ?? now),
        prefillMs: (characters - warm) * prefillMsPerCharacter,
        weight: upstream.settings.weight,
      };
      return expectedCost(candidate);
    });
  }

  /** Who else waits for what is in memory there: they go first, and a load holds them up or puts out what they wait for. */
  #others(upstream: Upstream, { model, ahead = 0 }: PlaceAsk, now: number) {
    const isCold = upstream.memoryOf(model) === 'absent';
    const homes = this.#homes(model);
    const before = ahead / Math.max(1, homes);
    const isShared = Number.isFinite(upstream.settings.maxInFlight);
    if (!isShared && !isCold) return { ahead: before, heldUp: 0 };
    const victim = isCold ? upstream.victimOf(model, now) : undefined;
    const hindered = isShared ? upstream.inMemory().keys() : victim === undefined ? [] : [victim];
    let others = 0;
    for (const name of hindered) {
      if (name !== model) others += this.waitingFor(name) / Math.max(1, this.#homes(name));
    }
    if (!isCold) return { ahead: before + others, heldUp: 0 };
    // What is in memory nowhere cannot wait for ever for a moment in which nobody minds.
    const waited = now - (this.#busySince.get(model) ?? now);
    const patience = homes > 0 ? 1 : Math.max(0, 1 - waited / patienceMs);
    return { ahead: isShared ? before + others : before, heldUp: others * patience };
  }

  /** Whether it could answer at once, and nobody waits for anything that it has. */
  #isSpare(upstream: Upstream, model: string, now: number): boolean {
    const { totalInFlight, settings, catalog } = upstream;
    if (upstream.memoryOf(model) !== 'loaded') return false;
    if (upstream.runs(model).inFlight >= upstream.slots(model, now)) return false;
    if (totalInFlight >= settings.maxInFlight) return false;
    for (const name of catalog.knownNames()?.keys() ?? []) if (this.waitingFor(name) > 0) return false;
    return true;
  }

  /** On how many upstreams a model is, or soon will be. */
  #homes(model: string): number {
    let homes = 0;
    for (const upstream of this.#all) {
      const memory = upstream.memoryOf(model);
      if (memory === 'loaded' || memory === 'loading') homes++;
    }
    return homes;
  }

  /** What a model's load costs there, itself and others. */
  #load(upstream: Upstream, model: string, now: number) {
    const memory = upstream.memoryOf(model);
    if (memory === 'loaded' || memory === 'unknown') return { loadMs: 0, evictionMs: 0, isBlocked: false };
    const whole = upstream.loadMs(model);
    if (memory === 'loading') {
      const since = upstream.runs(model).loadingSince ?? now;
      return { loadMs: Math.max(whole - (now - since), whole / 10), evictionMs: 0, isBlocked: false };
    }
    const otherLoadsMs = upstream.loadsMs(now);
    return {
      loadMs: otherLoadsMs + whole,
      evictionMs: this.#evictionMs(upstream, model, now),
      isBlocked: otherLoadsMs > 0 || this.#wouldRob(upstream, model, now),
    };
  }

  /**
   * Whether a load would put out the only copy of a model in use, which would come back soon and put out the next one. A second
   * copy is not worth that while somebody waits for the other model; a first one waits a while for a moment in which one of
   * two copies has to go, as long as there are two of something.
   */
  #wouldRob(upstream: Upstream, model: string, now: number): boolean {
    const victim = upstream.victimOf(model, now);
    if (victim === undefined || this.#homes(victim) > 1 || this.#demand.missed(victim, now) < rarely)
      return false;
    if (this.#homes(model) > 0) return this.waitingFor(victim) > 0;
    const waited = now - (this.#busySince.get(model) ?? now);
    return waited < patienceMs && this.#hasTwin();
  }

  /** Whether some model is in memory more than once. */
  #hasTwin(): boolean {
    const seen = new Set<string>();
    for (const upstream of this.#all) {
      for (const name of upstream.inMemory().keys()) {
        if (seen.has(name)) return true;
        seen.add(name);
      }
    }
    return false;
  }

  /** What the model that has to go would cost when it is asked for again. */
  #evictionMs(upstream: Upstream, model: string, now: number): number {
    const victim = upstream.victimOf(model, now);
    if (victim === undefined) return 0;
    const isElsewhere = this.#all.some(
      (other) => other !== upstream && other.isOpen(now) && other.memoryOf(victim) === 'loaded',
    );
    const missed = this.#demand.missed(victim, now) * (isElsewhere ? missedElsewhere : missedAlone);
    return upstream.loadMs(victim) * missed;
  }

  #serviceMs(model: string): number {
    for (const upstream of this.#all) {
      const { value } = upstream.runs(model).serviceMs;
      if (value !== undefined) return value;
    }
    return defaultServiceMs;
  }

  #take(
    upstream: Upstream,
    ask: PlaceAsk,
    now: number,
    expectedWaitMs: number | undefined,
    prefix?: PromptPrefix,
  ): Place {
    this.#busySince.delete(ask.model);
    this.#demand.asked(ask.model, now);
    const onOver = (outcome: PlaceOutcome) => {
      if (prefix && outcome !== 'failed') {
        const number = this.#numbers.get(upstream);
        if (number !== undefined) this.#prefixes.learn(prefix.hashes, number);
      }
      if (upstream.totalInFlight === 0 && this.#leaving.has(upstream)) void this.#let(upstream);
      this.#freed();
    };
    return new TakenPlace(upstream, ask, this.#clock, now, expectedWaitMs, { onOver, onWarm: this.#freed });
  }

  readonly #freed = (): void => {
    for (const listener of [...this.#listeners]) listener();
  };

  /** Waiting was cheaper than a load elsewhere; if the wait turns out long, that changes without anybody's doing. */
  #lookAgain(): void {
    if (this.#isLookingAgain || this.#listeners.size === 0) return;
    this.#isLookingAgain = true;
    this.#clock.setTimer(() => {
      this.#isLookingAgain = false;
      this.#freed();
    }, lookAgainMs);
  }

  /** Puts into use what is wanted and has answered, and lets go of the rest. */
  #settle(): void {
    const answered = this.#wanted.filter((one) => !this.#joining.has(one));
    // Until one of the next has answered the last ones are better than none.
    const isWaiting = answered.length === 0 && this.#wanted.length > 0;
    const next = isWaiting ? this.#all.filter((one) => this.#mayStay(one)) : answered;
    const gone = this.#all.filter((one) => !next.includes(one));
    this.#all = next;
    for (const upstream of gone) this.#retire(upstream);
    this.#freed();
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
    if (!this.#joining.delete(upstream)) return;
    upstream.breaker.close();
    this.#settle();
  }

  /** What has a place there, loads included, asks there yet; after that nobody does. */
  #retire(upstream: Upstream): void {
    this.#leaving.add(upstream);
    if (upstream.totalInFlight === 0) void this.#let(upstream);
  }

  async #let(upstream: Upstream): Promise<void> {
    await upstream.transport.retire();
    this.#leaving.delete(upstream);
    this.#numbers.delete(upstream);
  }

  #every(): Upstream[] {
    return [...this.#all, ...this.#joining, ...this.#leaving];
  }
}

/** How much of its share it has: what runs first, then what it was given so far. */
function shareOf({ totalInFlight, turns, settings }: Upstream): number {
  return (totalInFlight + 1) / settings.weight + turns / settings.weight / 1e9;
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
