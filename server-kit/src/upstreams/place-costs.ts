import { Demand } from '../placement/demand.ts';
import { lossMs, type Resident } from '../placement/eviction.ts';
import { type Candidate, type ExpectedCost, expectedCost } from '../placement/expected-cost.ts';
import { PrefixCache } from '../placement/prefix-cache.ts';
import type { PromptPrefix } from '../placement/prefix-hashes.ts';
import { FleetMemory } from './fleet-memory.ts';
import type { Membership } from './membership.ts';
import type { PlaceAsk } from './places.ts';
import type { Upstream } from './upstream.ts';

/** How long an answer is taken to hold its place, and a character to be read, before anything was seen, in ms. */
const defaultServiceMs = 8000;
const prefillMsPerCharacter = 0.1;
/** A model that is asked for less than this of late may go for any other. */
const rarely = 0.3;
/** What one upstream is asked about. */
interface Moment {
  upstream: Upstream;
  model: string;
  fleet: FleetMemory;
  /** On how many upstreams the model is. */
  homes: number;
  /** How long those who ask for it have not got a place. */
  waitedMs: number;
  now: number;
}

/** What a request would cost on each upstream: itself, those who wait for something else, and those who come later. */
export class PlaceCosts {
  readonly #members: Membership;
  readonly #demand = new Demand();
  readonly #prefixes = new PrefixCache();
  /** How many wait for a model, by its canonical name. */
  waitingFor: (model: string) => number = () => 0;

  constructor(members: Membership) {
    this.#members = members;
  }

  /** A model was asked for. */
  asked(model: string, now: number): void {
    this.#demand.asked(model, now);
  }

  /** A prompt was read there: its cache is warm. */
  wasRead(prefix: PromptPrefix, upstream: Upstream): void {
    this.#prefixes.learn(prefix.hashes, upstream.number);
  }

  /** @param waitedMs How long those who ask for the model have not got a place. */
  of(
    open: readonly Upstream[],
    ask: PlaceAsk,
    prefix: PromptPrefix | undefined,
    waitedMs: number,
    now: number,
  ): ExpectedCost[] {
    const known = prefix && this.#prefixes.find(prefix.hashes);
    const characters = prefix?.characters.at(-1) ?? 0;
    const { model } = ask;
    const fleet = new FleetMemory(this.#members.inUse);
    const homes = fleet.homes(model);
    return open.map((upstream) => {
      const runs = upstream.runs(model);
      const warm =
        known !== undefined && known.upstream === upstream.number
          ? (prefix?.characters[known.blocks - 1] ?? 0)
          : 0;
      const moment: Moment = { upstream, model, fleet, homes, waitedMs, now };
      const memory = upstream.memoryOf(model);
      const victims = memory === 'absent' ? this.#victims(moment) : [];
      const candidate: Candidate = {
        ...this.#load(moment, memory, victims),
        inFlight: runs.inFlight,
        slots: upstream.slots(model, now),
        totalInFlight: upstream.totalInFlight,
        maxInFlight: upstream.settings.maxInFlight,
        serviceMs: runs.serviceMs.value ?? this.#serviceMs(model),
        ...this.#others(moment, memory === 'absent', victims, ask.ahead ?? 0),
        waitedMs,
        prefillMs: (characters - warm) * prefillMsPerCharacter,
        weight: upstream.settings.weight,
      };
      return expectedCost(candidate);
    });
  }

  /** Whether it could answer at once, and nobody waits for anything that it has. */
  isSpare(upstream: Upstream, model: string, now: number): boolean {
    const { totalInFlight, settings, catalog } = upstream;
    if (upstream.memoryOf(model) !== 'loaded') return false;
    if (upstream.runs(model).inFlight >= upstream.slots(model, now)) return false;
    if (totalInFlight >= settings.maxInFlight) return false;
    for (const name of catalog.knownNames()?.keys() ?? []) if (this.waitingFor(name) > 0) return false;
    return true;
  }

  /** Which models go from an upstream for this one; none where it is there or has room. */
  victims(upstream: Upstream, model: string, now: number): Resident[] {
    const fleet = new FleetMemory(this.#members.inUse);
    return this.#victims({ upstream, model, fleet, homes: fleet.homes(model), waitedMs: 0, now });
  }

  /** A model that was thought to be in memory and is not is on its way: others go for it, and get no new work meanwhile. */
  findStrays(upstream: Upstream, now: number): void {
    for (const name of upstream.strays()) upstream.loads(name, this.victims(upstream, name, now), now);
  }

  /** Who else waits for what is in memory there: they go first, and a load holds them up or puts out what they wait for. */
  #others(
    { upstream, model, fleet, homes, waitedMs }: Moment,
    isCold: boolean,
    victims: readonly Resident[],
    ahead: number,
  ) {
    const before = ahead / Math.max(1, homes);
    const isShared = Number.isFinite(upstream.settings.maxInFlight);
    if (!isShared && !isCold) return { ahead: before, heldUp: 0 };
    let others = 0;
    for (const name of isShared ? fleet.on(upstream).keys() : victims.map((victim) => victim.name)) {
      if (name !== model) others += this.waitingFor(name) / Math.max(1, fleet.homes(name));
    }
    if (!isCold) return { ahead: before + others, heldUp: 0 };
    // What is in memory nowhere does not wait longer than its load takes for a moment in which nobody minds.
    const patience = homes > 0 ? 1 : Math.max(0, 1 - waitedMs / upstream.loadMs(model));
    return { ahead: isShared ? before + others : before, heldUp: others * patience };
  }

  /** What a model's load costs there, itself and others. */
  #load(moment: Moment, memory: ReturnType<Upstream['memoryOf']>, victims: readonly Resident[]) {
    if (memory === 'loaded' || memory === 'unknown') return { loadMs: 0, evictionMs: 0, isBlocked: false };
    const { upstream, model, now } = moment;
    const whole = upstream.loadMs(model);
    if (memory === 'loading') {
      const since = upstream.runs(model).loadingSince ?? now;
      return { loadMs: Math.max(whole - (now - since), whole / 10), evictionMs: 0, isBlocked: false };
    }
    const otherLoadsMs = upstream.loadsMs(now);
    return {
      loadMs: otherLoadsMs + whole,
      evictionMs: victims.reduce((sum, victim) => sum + victim.lossMs, 0),
      isBlocked: otherLoadsMs > 0 || this.#wouldRob(moment, victims, whole),
    };
  }

  /**
   * Whether a load would put out the only copy of a model in use, which would come back soon and put out the next one. A second
   * copy is not worth that while somebody waits for the other model; a first one waits, no longer than it takes to load,
   * for a moment in which one of two copies has to go, as long as there are two of something.
   */
  #wouldRob({ fleet, homes, waitedMs, now }: Moment, victims: readonly Resident[], loadMs: number): boolean {
    return victims.some(({ name }) => {
      if (fleet.homes(name) > 1 || this.#demand.missed(name, now) < rarely) return false;
      if (homes > 0) return this.waitingFor(name) > 0;
      return waitedMs < loadMs && fleet.hasTwin;
    });
  }

  #victims({ upstream, model, fleet, now }: Moment): Resident[] {
    return upstream.victimsOf(model, fleet.on(upstream), (name) =>
      lossMs({
        loadMs: upstream.loadMs(name),
        missed: this.#demand.missed(name, now),
        perMs: this.#demand.perMs(name, this.waitingFor(name), now),
        serviceMs: upstream.runs(name).serviceMs.value ?? this.#serviceMs(name),
        placesElsewhere: fleet.placesBeside(upstream, name, now),
      }),
    );
  }

  #serviceMs(model: string): number {
    for (const upstream of this.#members.inUse) {
      const { value } = upstream.runs(model).serviceMs;
      if (value !== undefined) return value;
    }
    return defaultServiceMs;
  }
}
