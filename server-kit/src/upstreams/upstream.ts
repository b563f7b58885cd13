import type { ErrorCode } from '@ziggie/llm-protocol';
import type { Clock } from '../clock.ts';
import { asFailure } from '../failure.ts';
import { type Resident, toEvict } from '../placement/eviction.ts';
import { MemoryBounds } from '../placement/memory-bounds.ts';
import { MovingAverage } from '../placement/moving-average.ts';
import { SlotLearner } from '../placement/slot-learner.ts';
import { type LoadedModel, ModelCatalog } from '../upstream/model-catalog.ts';
import type { Transport } from '../upstream/transport.ts';
import { Breaker } from './breaker.ts';
import type { CacheSaltScope } from './cache-salt.ts';
import { faultsOf } from './faults.ts';
import type { PlaceOutcome, PlaceUpstream } from './places.ts';
import type { UpstreamDialect, UpstreamSettings } from './upstream-settings.ts';

/** How old a look in the background may be while requests come, in ms. */
const listEveryMs = 5000;
const memoryEveryMs = 1000;

/** What runs of one model on one upstream have shown. */
export class ModelRuns {
  /** Places taken, and answers of them that have begun. */
  inFlight = 0;
  writing = 0;
  /** How long a place was held for a whole answer, in ms, loads not counted. */
  readonly serviceMs = new MovingAverage();
  readonly learner = new SlotLearner();
  /** Since when a load is known to run, and since when the model is known to answer. */
  loadingSince: number | undefined;
  warmAt = Number.NEGATIVE_INFINITY;
  /** When it is known to have gone, and the model on its way for which it goes. */
  goneAt = Number.NEGATIVE_INFINITY;
  goesFor: ModelRuns | undefined;
  lastUsedAt = Number.NEGATIVE_INFINITY;
  /** What it took when it was seen in memory last. */
  bytes: number | undefined;
}

/** A transport that can also be let go of when it is quiet. */
export interface LastingTransport extends Transport {
  retire(): Promise<void>;
}

/** One model server: the way to it, what it has, how it does, and what runs there. */
export class Upstream implements PlaceUpstream {
  readonly id: string;
  readonly dialect: UpstreamDialect;
  /** Stands for it in the prefix table. */
  readonly number: number;
  readonly transport: LastingTransport;
  readonly catalog: ModelCatalog;
  readonly breaker = new Breaker();
  readonly bounds = new MemoryBounds();
  readonly #clock: Clock;
  readonly #runs = new Map<string, ModelRuns>();
  /** The last look that was learned from. Its time says nothing: one that has become old early has none. */
  #learnedFrom: ReadonlyMap<string, LoadedModel> | undefined;
  #straysAt = Number.NEGATIVE_INFINITY;
  settings: UpstreamSettings;
  /** No new work, by an administrator. What runs there goes on. */
  isDrained = false;
  totalInFlight = 0;
  /** Requests it was given, for its share; and all that were ever sent and failed, for administrators. */
  turns = 0;
  attempts = 0;
  faults = 0;
  /** How its requests ended, since the start. */
  readonly ends: Record<PlaceOutcome, number> = { done: 0, left: 0, failed: 0 };
  lastFault: { code: ErrorCode; atMs: number } | undefined;

  constructor(settings: UpstreamSettings, transport: LastingTransport, clock: Clock, number: number) {
    this.id = settings.id;
    this.dialect = settings.dialect;
    this.number = number;
    this.settings = settings;
    this.transport = transport;
    this.catalog = new ModelCatalog(transport, clock, settings.dialect);
    this.#clock = clock;
  }

  get cacheSalt(): CacheSaltScope | undefined {
    return this.settings.cacheSalt;
  }

  /** Whether new work may go there now. */
  isOpen(now: number): boolean {
    return !this.isDrained && this.breaker.mayPass(now);
  }

  /** Whether it will soon be known if new work may go there. */
  get isOnTrial(): boolean {
    return !this.isDrained && this.breaker.isOnTrial;
  }

  get isSteady(): boolean {
    return this.breaker.isSteady;
  }

  /** Answers that run, by model. */
  *inFlight(): Iterable<readonly [model: string, count: number]> {
    for (const [model, { inFlight }] of this.#runs) if (inFlight > 0) yield [model, inFlight];
  }

  runs(model: string): ModelRuns {
    let runs = this.#runs.get(model);
    if (!runs) {
      runs = new ModelRuns();
      this.#runs.set(model, runs);
    }
    return runs;
  }

  /** Answers of a model at once: as configured, else as learned. */
  slots(model: string, now: number): number {
    return this.settings.slots ?? this.runs(model).learner.allowed(now);
  }

  /** Whether the model is in memory, or a load of it runs; as far as is known. */
  memoryOf(model: string): 'loaded' | 'loading' | 'absent' | 'unknown' {
    const runs = this.#runs.get(model);
    const { memory } = this.catalog;
    // As long as the other one is not there it may be listed yet: what is sent to it now would put out another in turn.
    if (runs?.goesFor?.loadingSince !== undefined) return 'absent';
    const seenAt = memory?.at ?? Number.NEGATIVE_INFINITY;
    if (runs && runs.warmAt > seenAt && runs.warmAt > runs.goneAt) return 'loaded';
    if (memory?.loaded.has(model) && !(runs && runs.goneAt >= seenAt)) return 'loaded';
    // What runs without being there waits for its load, also when it was there when it was sent.
    if (runs && (runs.loadingSince !== undefined || (memory && runs.inFlight > 0))) return 'loading';
    // Servers that do not say what is in memory serve what they list.
    return memory ? 'absent' : this.dialect === 'openai' ? 'loaded' : 'unknown';
  }

  /** Names of the models in memory with their sizes, and those on their way. */
  inMemory(): Map<string, number> {
    const sizes = new Map<string, number>();
    const add = (name: string) => {
      if (sizes.has(name)) return;
      const memory = this.memoryOf(name);
      if (memory === 'loaded' || memory === 'loading') sizes.set(name, this.bytesOf(name));
    };
    for (const name of this.catalog.memory?.loaded.keys() ?? []) add(name);
    for (const name of this.#runs.keys()) add(name);
    return sizes;
  }

  /**
   * Which models a load of this one puts out; none where there is room, as far as is known.
   *
   * @param inMemory What is there now ({@link inMemory}).
   * @param lossMs What it costs when a model goes from here.
   */
  victimsOf(
    model: string,
    inMemory: ReadonlyMap<string, number>,
    lossMs: (name: string) => number,
  ): Resident[] {
    let sum = 0;
    for (const bytes of inMemory.values()) sum += bytes;
    const more = this.bytesOf(model);
    const now = this.#clock.now();
    if (this.bounds.hasRoom(sum, more, now)) return [];
    const residents = [...inMemory].map(([name, bytes]) => {
      const { inFlight, lastUsedAt } = this.runs(name);
      const isKept = this.catalog.memory?.loaded.get(name)?.isKept ?? false;
      return { name, bytes, isIdle: inFlight === 0, isKept, lastUsedAt, lossMs: lossMs(name) };
    });
    return toEvict(residents, (freed) => this.bounds.hasRoom(sum - freed, more, now));
  }

  /** A load of a model begins, for which others go. */
  loads(model: string, victims: readonly Resident[], now: number): void {
    const runs = this.runs(model);
    runs.loadingSince ??= now;
    runs.goesFor = undefined;
    for (const { name } of victims) {
      const gone = this.runs(name);
      gone.goneAt = now;
      gone.goesFor = runs;
    }
  }

  /** It is through: what is older than that does not know that the others have gone. */
  isThere(model: string, now: number): void {
    const runs = this.runs(model);
    runs.loadingSince = undefined;
    runs.warmAt = now;
    for (const gone of this.#runs.values()) {
      if (gone.goesFor !== runs) continue;
      gone.goesFor = undefined;
      gone.goneAt = now;
    }
  }

  /** Models that are asked for there and were not in memory when it was looked at last, though they were sent as if. */
  strays(): string[] {
    const { memory } = this.catalog;
    if (!memory || memory.at <= this.#straysAt) return [];
    this.#straysAt = memory.at;
    const strays: string[] = [];
    for (const [name, { inFlight, writing, loadingSince, warmAt }] of this.#runs) {
      if (loadingSince !== undefined || inFlight <= writing || memory.loaded.has(name)) continue;
      if (warmAt < memory.at) strays.push(name);
    }
    return strays;
  }

  /** What it takes in memory, or took when it was there last: its context counts too, and its file does not have that. */
  bytesOf(model: string): number {
    const seen = this.catalog.memory?.loaded.get(model)?.bytes ?? this.#runs.get(model)?.bytes;
    const known = seen ?? this.catalog.find(model)?.sizeBytes;
    return known && known > 0 ? known : 1;
  }

  /** How long a load takes: as seen, else a guess by size, a gigabyte a second and 2 s for the rest. */
  loadMs(model: string): number {
    return this.catalog.typicalLoadMs(model) ?? 2000 + this.bytesOf(model) / 1e6;
  }

  /** How long until the loads that run there are through: they are made one after another. */
  loadsMs(now: number): number {
    let sum = 0;
    for (const [name, { loadingSince = now }] of this.#runs) {
      if (this.memoryOf(name) !== 'loading') continue;
      const whole = this.loadMs(name);
      // One that takes longer than expected is not through for that.
      sum += Math.max(whole / 10, whole - (sum === 0 ? now - loadingSince : 0));
    }
    return sum;
  }

  /** Looks again in the background where knowledge is old. A server that cannot be reached is a fault of it. */
  refresh(): void {
    const { memory } = this.catalog;
    if (memory && memory.loaded !== this.#learnedFrom) {
      const before = this.#learnedFrom;
      this.#learnedFrom = memory.loaded;
      for (const [name, { bytes }] of memory.loaded) if (bytes !== null) this.runs(name).bytes = bytes;
      const sizes = (names: Iterable<string>) =>
        new Map([...names].map((name) => [name, this.bytesOf(name)] as const));
      const loading = [...this.#runs].filter(
        ([name, { loadingSince, inFlight }]) =>
          (loadingSince !== undefined || inFlight > 0) && !memory.loaded.has(name),
      );
      const wallNow = this.#clock.wallNow();
      this.bounds.saw(
        sizes(memory.loaded.keys()),
        sizes(loading.map(([name]) => name)),
        this.#clock.now(),
        (name) => (before?.get(name)?.expiresAt ?? Number.NaN) <= wallNow,
      );
    }
    this.catalog.refresh(listEveryMs, memoryEveryMs, ({ code }) => {
      if (faultsOf(code).isFault) this.ended('failed', code, false);
    });
  }

  /** Notes how a request of somebody ended. */
  ended(outcome: PlaceOutcome, code: ErrorCode | undefined, wasTrial: boolean, who?: string): void {
    const now = this.#clock.now();
    this.breaker.ended(
      outcome === 'done' ? 'good' : outcome === 'failed' ? 'fault' : 'neutral',
      now,
      wasTrial,
      code !== undefined && faultsOf(code).isSuspect ? who : undefined,
    );
    if (outcome !== 'failed') return;
    this.faults++;
    this.lastFault = { code: code ?? 'upstream_error', atMs: this.#clock.wallNow() };
  }

  /** Looks whether it answers; if it does not, that is a fault of it. */
  async prove(): Promise<void> {
    try {
      await this.catalog.look();
    } catch (thrown) {
      this.ended('failed', asFailure(thrown).code, false);
    }
  }

  /** Asks now whether it answers, and lets requests through again if it does. @throws {KitFailure} when it does not. */
  async probe(): Promise<void> {
    await this.catalog.look();
    this.breaker.close();
  }
}
