import type { UpstreamAnswer, UpstreamRequest } from '../../src/upstream/transport.ts';
import type { LastingTransport } from '../../src/upstreams/upstream.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** How the simulated machines are. */
export interface GpuSettings {
  models: readonly string[];
  /** Models in memory at once. */
  resident: number;
  loadMs: number;
  /** Answers at once, over all models (`machine`), or of each model in memory (`model`). */
  slotsPer: 'machine' | 'model';
  /** How many answers those are. */
  slots: number;
  /** Which goes first of two idle models that are kept equally long: the one whose file comes first by name. */
  fileOrder: (model: string) => number;
  /** From the place to the first token, once the model is there. */
  prefillMs: number;
}

interface Job {
  model: string;
  serviceMs: number;
  onFirst: (loadMs: number) => void;
  onDone: () => void;
  /** When it came, and how long it then waited for a load. */
  loadedFor: number;
}

const bytes = 8e9;

/**
 * A machine that runs models as Ollama does: what is in memory answers at once as far as there are slots, everything else
 * waits for its load; loads are made one after another in the order they were asked for. Each takes out an idle model, of
 * those kept equally long the one whose file comes first by name (`findRunnerToUnload` in Ollama's scheduler: first those told
 * to go), and waits for one when none is idle.
 */
export class SimulatedGpu implements LastingTransport {
  readonly #clock: VirtualClock;
  readonly #settings: GpuSettings;
  readonly #loaded = new Set<string>();
  readonly #running = new Map<string, number>();
  readonly #waiting: Job[] = [];
  readonly #expiring = new Set<string>();
  #loading: string | undefined;
  /** The model that has to go, once it is idle. */
  #leaving: string | undefined;
  loads = 0;
  open = 0;

  constructor(clock: VirtualClock, settings: GpuSettings) {
    this.#clock = clock;
    this.#settings = settings;
  }

  /** Requests that are there, running or waiting. */
  get load(): number {
    let running = 0;
    for (const count of this.#running.values()) running += count;
    return running + this.#waiting.length;
  }

  generate(model: string, serviceMs: number, onFirst: (loadMs: number) => void, onDone: () => void): void {
    this.#waiting.push({ model, serviceMs, onFirst, onDone, loadedFor: 0 });
    this.#work();
  }

  send({ path }: UpstreamRequest): Promise<UpstreamAnswer> {
    const names = path === '/api/ps' ? [...this.#loaded] : this.#settings.models;
    const models = names.map((name) => ({ name, model: name, size: bytes, size_vram: bytes }));
    let unread: Buffer | null = Buffer.from(JSON.stringify({ models }));
    const read = () => {
      const all = unread;
      unread = null;
      return all;
    };
    const take = () => {
      const all = read();
      return all && { bytes: all, from: 0, to: all.length };
    };
    return Promise.resolve({
      status: 200,
      contentType: 'application/json',
      retryAfter: undefined,
      body: { take, waiter: undefined, read: () => Promise.resolve(read()), cancel() {} },
    });
  }

  async close(): Promise<void> {}
  async retire(): Promise<void> {}

  /** Takes a model out of memory, once its answers are over (`keep_alive: 0`). */
  unload(model: string): void {
    if (!this.#loaded.has(model)) return;
    this.#expiring.add(model);
    if ((this.#running.get(model) ?? 0) === 0) this.#unload(model);
  }

  #unload(model: string): void {
    this.#loaded.delete(model);
    this.#expiring.delete(model);
    if (this.#leaving === model) this.#leaving = undefined;
  }

  get #nextToLoad(): Job | undefined {
    return this.#waiting.find(({ model }) => !this.#loaded.has(model));
  }

  #work(): void {
    // Nobody has to go any more when there is room by now, or nothing left to load.
    if (!this.#nextToLoad || this.#loaded.size < this.#settings.resident) this.#leaving = undefined;
    for (let at = 0; at < this.#waiting.length; at++) {
      const job = this.#waiting[at] as Job;
      if (job.model === this.#leaving || !this.#loaded.has(job.model) || !this.#hasSlot(job.model)) continue;
      this.#waiting.splice(at--, 1);
      this.#run(job);
    }
    this.#load();
  }

  #hasSlot(model: string): boolean {
    const { slotsPer, slots } = this.#settings;
    if (slotsPer === 'model') return (this.#running.get(model) ?? 0) < slots;
    let running = 0;
    for (const count of this.#running.values()) running += count;
    return running < slots;
  }

  #run(job: Job): void {
    const { model } = job;
    this.#count(model, 1);
    this.#clock.setTimer(() => job.onFirst(job.loadedFor), this.#settings.prefillMs);
    this.#clock.setTimer(() => {
      this.#count(model, -1);
      if (this.#expiring.has(model) && this.#running.get(model) === 0) this.#unload(model);
      job.onDone();
      this.#work();
    }, this.#settings.prefillMs + job.serviceMs);
  }

  #count(model: string, change: number): void {
    this.#running.set(model, (this.#running.get(model) ?? 0) + change);
  }

  #load(): void {
    if (this.#loading !== undefined) return;
    const next = this.#nextToLoad;
    if (!next) return;
    if (this.#loaded.size >= this.#settings.resident) {
      const { fileOrder } = this.#settings;
      const isIdle = (name: string) => (this.#running.get(name) ?? 0) === 0;
      const rank = (name: string) => (this.#expiring.has(name) ? Number.NEGATIVE_INFINITY : fileOrder(name));
      const inOrder = [...this.#loaded].sort((a, b) => rank(a) - rank(b));
      const victim = this.#leaving ?? inOrder.find(isIdle) ?? inOrder[0];
      if (victim === undefined) return;
      // Nothing new begins on it; what runs there is waited for.
      this.#leaving = victim;
      if (!isIdle(victim)) return;
      this.#leaving = undefined;
      this.#unload(victim);
    }
    const { model } = next;
    this.#loading = model;
    this.loads++;
    this.#clock.setTimer(() => {
      this.#loading = undefined;
      this.#loaded.add(model);
      for (const job of this.#waiting) if (job.model === model) job.loadedFor = this.#settings.loadMs;
      this.#work();
    }, this.#settings.loadMs);
  }
}
