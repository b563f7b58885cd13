import type { FakeClock } from '../types.ts';
import type { InstalledModel } from './catalog.ts';
import { deferred } from './deferred.ts';
import { ClientLeft, HttpFailure } from './http-failure.ts';
import { Runner } from './runner.ts';
import { sleep } from './sleep.ts';

/** The settings of the scheduler, named after Ollama's environment. */
export interface SchedulerOptions {
  clock: FakeClock;
  loadMs: number;
  slotsPerModel: number;
  maxLoadedModels: number;
  maxQueue: number;
  defaultKeepAliveMs: number;
  /** Called after every change. */
  onChange: () => void;
}

/** What a request needs of a runner. */
export interface RunnerRequest {
  model: InstalledModel;
  /** Options that are fixed when a model is loaded; a runner with others has to be loaded anew. */
  loadKey: string;
  contextLength: number;
  /** `undefined` leaves the runner's own. */
  keepAliveMs: number | undefined;
  signal: AbortSignal;
}

interface Pending {
  request: RunnerRequest;
  resolve: (runner: Runner) => void;
  reject: (reason: unknown) => void;
}

/**
 * Which models are in memory, and who waits for one: Ollama's `server/sched.go`.
 *
 * Requests for a loaded model pass at once. All others stand in one line, handled one at a time, loads and evictions
 * included; the line is bounded, the runner's own line for its slots is not.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #runners = new Map<string, Runner>();
  #line: Pending[] = [];
  #inHand: Pending | undefined;
  #onUnload: (() => void) | undefined;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  /** Models in memory, longest remaining time first. */
  loaded(): Runner[] {
    return [...this.#runners.values()].sort((a, b) => b.expiresAtMs - a.expiresAtMs);
  }

  /** Generations that hold a slot. */
  get running(): number {
    return this.loaded().reduce((sum, runner) => sum + runner.running, 0);
  }

  /** Requests that wait for a load or a slot. */
  get waiting(): number {
    const lines = this.loaded().reduce((sum, runner) => sum + runner.waiting, 0);
    const inHand = this.#inHand && !this.#inHand.request.signal.aborted ? 1 : 0;
    return lines + this.#line.length + inHand;
  }

  /**
   * A runner with the model loaded, counted as used until `release`. It has a free slot or will have one: ask it.
   *
   * @throws {HttpFailure} 503 when the line is full.
   * @throws {ClientLeft} when the signal fires first.
   */
  async acquire(request: RunnerRequest): Promise<Runner> {
    if (request.signal.aborted) throw new ClientLeft();
    const runner = this.#usable(request);
    if (runner) {
      runner.use(request.keepAliveMs);
      return runner;
    }
    if (this.#inHand && this.#line.length >= this.#options.maxQueue) {
      throw new HttpFailure(503, 'server busy, please try again.  maximum pending requests exceeded');
    }
    const { promise, resolve, reject } = deferred<Runner>();
    const pending = { request, resolve, reject };
    const leave = () => {
      this.#line = this.#line.filter((other) => other !== pending);
      reject(new ClientLeft());
      this.#options.onChange();
    };
    request.signal.addEventListener('abort', leave, { once: true });
    this.#line.push(pending);
    this.#options.onChange();
    if (!this.#inHand) void this.#work();
    try {
      return await promise;
    } finally {
      request.signal.removeEventListener('abort', leave);
    }
  }

  /** Frees a model once nobody uses it; nothing happens when it is not loaded. */
  unload(model: InstalledModel): void {
    this.#runners.get(model.shortName)?.expireWhenIdle();
  }

  /** Frees everything at once, as if the process ended. Requests that wait are refused as if their clients left. */
  reset(): void {
    const line = this.#line;
    this.#line = [];
    for (const pending of line) pending.reject(new ClientLeft());
    this.#inHand?.reject(new ClientLeft());
    for (const runner of this.loaded()) runner.dispose();
    this.#runners.clear();
    this.#onUnload?.();
    this.#options.onChange();
  }

  #usable({ model, loadKey }: RunnerRequest): Runner | undefined {
    const runner = this.#runners.get(model.shortName);
    return runner?.loadKey === loadKey ? runner : undefined;
  }

  async #work(): Promise<void> {
    for (let next = this.#line.shift(); next; next = this.#line.shift()) {
      this.#inHand = next;
      try {
        const runner = await this.#provide(next.request);
        runner.use(next.request.keepAliveMs);
        if (next.request.signal.aborted) runner.release();
        else next.resolve(runner);
      } catch (cause) {
        next.reject(cause);
      }
      this.#inHand = undefined;
      this.#options.onChange();
    }
  }

  async #provide(request: RunnerRequest): Promise<Runner> {
    while (!request.signal.aborted) {
      const usable = this.#usable(request);
      if (usable) return usable;
      const victim = this.#victim(request.model);
      if (!victim) return this.#load(request);
      const unloaded = deferred<void>();
      this.#onUnload = unloaded.resolve;
      victim.expireWhenIdle();
      await unloaded.promise;
    }
    throw new ClientLeft();
  }

  /** Which model must go first: its own with other options, or, when memory is full, an idle one, else the briefest. */
  #victim(model: InstalledModel): Runner | undefined {
    const own = this.#runners.get(model.shortName);
    if (own) return own;
    if (this.#runners.size < this.#options.maxLoadedModels) return undefined;
    const byTime = [...this.#runners.values()].sort((a, b) => a.keepAliveMs - b.keepAliveMs);
    return byTime.find((runner) => runner.idle) ?? byTime[0];
  }

  /** Takes the load time. A client that leaves aborts the load, whoever else waits for the model: they start it anew. */
  async #load(request: RunnerRequest): Promise<Runner> {
    const { clock, loadMs, slotsPerModel, defaultKeepAliveMs, onChange } = this.#options;
    await sleep(clock, loadMs, request.signal);
    const runner = new Runner({
      model: request.model,
      loadKey: request.loadKey,
      contextLength: request.contextLength,
      slots: slotsPerModel,
      keepAliveMs: request.keepAliveMs ?? defaultKeepAliveMs,
      clock,
      onChange,
      onExpired: () => {
        this.#runners.delete(request.model.shortName);
        this.#onUnload?.();
        onChange();
      },
    });
    this.#runners.set(request.model.shortName, runner);
    return runner;
  }
}
