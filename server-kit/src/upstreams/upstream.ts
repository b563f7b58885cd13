import type { ErrorCode } from '@ziggie/llm-protocol';
import type { Clock } from '../clock.ts';
import { asFailure } from '../failure.ts';
import { MemoryBounds } from '../placement/memory-bounds.ts';
import { MovingAverage } from '../placement/moving-average.ts';
import { SlotLearner } from '../placement/slot-learner.ts';
import { ModelCatalog } from '../upstream/model-catalog.ts';
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
  /** When another model was sent there for which this one has to go. */
  goneAt = Number.NEGATIVE_INFINITY;
  lastUsedAt = Number.NEGATIVE_INFINITY;
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
  #boundsAt = Number.NEGATIVE_INFINITY;
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
    const names = new Set(this.catalog.memory?.loaded.keys());
    for (const name of this.#runs.keys()) {
      const memory = this.memoryOf(name);
      if (memory === 'loaded' || memory === 'loading') names.add(name);
    }
    return new Map(
      [...names].filter((name) => this.memoryOf(name) !== 'absent').map((name) => [name, this.bytesOf(name)]),
    );
  }

  /** The model that a load of this one would put out, as Ollama chooses: the one idle for longest. `undefined`: there is room. */
  victimOf(model: string, now: number): string | undefined {
    const inMemory = this.inMemory();
    let sum = 0;
    for (const bytes of inMemory.values()) sum += bytes;
    if (this.bounds.hasRoom(sum, this.bytesOf(model))) return undefined;
    let victim: string | undefined;
    let idleSince = Number.POSITIVE_INFINITY;
    for (const name of inMemory.keys()) {
      const { inFlight, lastUsedAt } = this.runs(name);
      // What is in use goes last, and of that again what was used least recently.
      const since = inFlight > 0 ? now + lastUsedAt : lastUsedAt;
      if (victim !== undefined && since >= idleSince) continue;
      victim = name;
      idleSince = since;
    }
    return victim;
  }

  bytesOf(model: string): number {
    const known = this.catalog.memory?.loaded.get(model)?.bytes ?? this.catalog.find(model)?.sizeBytes;
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
    if (memory && memory.at > this.#boundsAt) {
      this.#boundsAt = memory.at;
      const sizes = (names: Iterable<string>) =>
        new Map([...names].map((name) => [name, this.bytesOf(name)] as const));
      const loading = [...this.#runs].filter(
        ([name, { loadingSince, inFlight }]) =>
          (loadingSince !== undefined || inFlight > 0) && !memory.loaded.has(name),
      );
      this.bounds.saw(sizes(memory.loaded.keys()), sizes(loading.map(([name]) => name)));
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
