import { Demand } from '../placement/demand.ts';
import { type Candidate, type ExpectedCost, expectedCost } from '../placement/expected-cost.ts';
import { PrefixCache } from '../placement/prefix-cache.ts';
import type { PromptPrefix } from '../placement/prefix-hashes.ts';
import type { Membership } from './membership.ts';
import type { PlaceAsk } from './places.ts';
import type { Upstream } from './upstream.ts';

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
    return open.map((upstream) => {
      const { model } = ask;
      const runs = upstream.runs(model);
      const warm =
        known !== undefined && known.upstream === upstream.number
          ? (prefix?.characters[known.blocks - 1] ?? 0)
          : 0;
      const load = this.#load(upstream, model, waitedMs, now);
      const candidate: Candidate = {
        ...load,
        inFlight: runs.inFlight,
        slots: upstream.slots(model, now),
        totalInFlight: upstream.totalInFlight,
        maxInFlight: upstream.settings.maxInFlight,
        serviceMs: runs.serviceMs.value ?? this.#serviceMs(model),
        ...this.#others(upstream, ask, waitedMs, now),
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

  /** Who else waits for what is in memory there: they go first, and a load holds them up or puts out what they wait for. */
  #others(upstream: Upstream, { model, ahead = 0 }: PlaceAsk, waitedMs: number, now: number) {
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
    const patience = homes > 0 ? 1 : Math.max(0, 1 - waitedMs / patienceMs);
    return { ahead: isShared ? before + others : before, heldUp: others * patience };
  }

  /** On how many upstreams a model is, or soon will be. */
  #homes(model: string): number {
    let homes = 0;
    for (const upstream of this.#members.inUse) {
      const memory = upstream.memoryOf(model);
      if (memory === 'loaded' || memory === 'loading') homes++;
    }
    return homes;
  }

  /** What a model's load costs there, itself and others. */
  #load(upstream: Upstream, model: string, waitedMs: number, now: number) {
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
      isBlocked: otherLoadsMs > 0 || this.#wouldRob(upstream, model, waitedMs, now),
    };
  }

  /**
   * Whether a load would put out the only copy of a model in use, which would come back soon and put out the next one. A second
   * copy is not worth that while somebody waits for the other model; a first one waits a while for a moment in which one of
   * two copies has to go, as long as there are two of something.
   */
  #wouldRob(upstream: Upstream, model: string, waitedMs: number, now: number): boolean {
    const victim = upstream.victimOf(model, now);
    if (victim === undefined || this.#homes(victim) > 1 || this.#demand.missed(victim, now) < rarely)
      return false;
    if (this.#homes(model) > 0) return this.waitingFor(victim) > 0;
    return waitedMs < patienceMs && this.#hasTwin();
  }

  /** Whether some model is in memory more than once. */
  #hasTwin(): boolean {
    const seen = new Set<string>();
    for (const upstream of this.#members.inUse) {
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
    const isElsewhere = this.#members.inUse.some(
      (other) => other !== upstream && other.isOpen(now) && other.memoryOf(victim) === 'loaded',
    );
    const missed = this.#demand.missed(victim, now) * (isElsewhere ? missedElsewhere : missedAlone);
    return upstream.loadMs(victim) * missed;
  }

  #serviceMs(model: string): number {
    for (const upstream of this.#members.inUse) {
      const { value } = upstream.runs(model).serviceMs;
      if (value !== undefined) return value;
    }
    return defaultServiceMs;
  }
}
