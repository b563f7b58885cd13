import type { ErrorCode } from '@ziggie/llm-protocol';
import type { Clock } from '../clock.ts';
import { MemoryBounds } from '../placement/memory-bounds.ts';
import { MovingAverage } from '../placement/moving-average.ts';
import { SlotLearner } from '../placement/slot-learner.ts';
import { ModelCatalog } from '../upstream/model-catalog.ts';
import type { Transport } from '../upstream/transport.ts';
import { Breaker } from './breaker.ts';
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
  readonly transport: LastingTransport;
  readonly catalog: ModelCatalog;
  readonly breaker = new Breaker();
  readonly bounds = new MemoryBounds();
  readonly #clock: Clock;
  readonly #runs = new Map<string, ModelRuns>();
  #boundsAt = Number.NEGATIVE_INFINITY;
  settings: UpstreamSettings;
  /** Whether slots that are not configured are found out. */
  learnsSlots = false;
  /** No new work, by an administrator. What runs there goes on. */
  isDrained = false;
  totalInFlight = 0;
  /** Requests it was given, for its share; and all that were ever sent and failed, for administrators. */
  turns = 0;
  attempts = 0;
  faults = 0;
  lastFault: { code: ErrorCode; atMs: number } | undefined;

  constructor(settings: UpstreamSettings, transport: LastingTransport, clock: Clock) {
    this.id = settings.id;
    this.dialect = settings.dialect;
    this.settings = settings;
    this.transport = transport;
    this.catalog = new ModelCatalog(transport, clock, settings.dialect);
    this.#clock = clock;
  }

  /** Whether new work may go there now. */
  isOpen(now: number): boolean {
    return !this.isDrained && this.breaker.mayPass(now);
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
    if (this.settings.slots !== undefined) return this.settings.slots;
    return this.learnsSlots ? this.runs(model).learner.allowed(now) : Number.POSITIVE_INFINITY;
  }

  /** Whether the model is in memory, or a load of it runs; as far as is known. */
  memoryOf(model: string): 'loaded' | 'loading' | 'absent' | 'unknown' {
    const runs = this.#runs.get(model);
    const { memory } = this.catalog;
    const seenAt = memory?.at ?? Number.NEGATIVE_INFINITY;
    if (runs && runs.warmAt > seenAt) return 'loaded';
    if (memory?.loaded.has(model)) return 'loaded';
    if (runs?.loadingSince !== undefined) return 'loading';
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
    return new Map([...names].map((name) => [name, this.bytesOf(name)]));
  }

  bytesOf(model: string): number {
    const known = this.catalog.memory?.loaded.get(model)?.bytes ?? this.catalog.find(model)?.sizeBytes;
    return known && known > 0 ? known : 1;
  }

  /** How long a load takes: as seen, else a guess by size, a gigabyte a second and 2 s for the rest. */
  loadMs(model: string): number {
    return this.catalog.typicalLoadMs(model) ?? 2000 + this.bytesOf(model) / 1e6;
  }

  /** Looks again in the background where knowledge is old. A server that cannot be reached is a fault of it. */
  refresh(): void {
    const { memory } = this.catalog;
    if (memory && memory.at > this.#boundsAt) {
      this.#boundsAt = memory.at;
      this.bounds.saw(
        new Map([...memory.loaded].map(([name, { bytes }]) => [name, bytes ?? this.bytesOf(name)])),
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

  /** Asks now whether it answers, and lets requests through again if it does. @throws {KitFailure} when it does not. */
  async probe(): Promise<void> {
    await this.catalog.names(0);
    this.breaker.close();
  }
}
