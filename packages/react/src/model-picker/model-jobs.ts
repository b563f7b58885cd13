import { isZiggieError, type ZiggieClient } from '@ziggie/llm-client';
import { type Admin, createAdmin, type ModelProgress } from '@ziggie/llm-client/admin';
import type { Cell } from '@ziggie/llm-client/conversation';
import type { ModelList } from '../provider/model-list.ts';

/** A model on its way to the server. */
export interface PullJob {
  readonly model: string;
  readonly state: 'running' | 'done' | 'failed' | 'cancelled';
  /** `null` before the server said anything. */
  readonly progress: ModelProgress | null;
}

/** What is being done to the models of a server. */
export interface ModelJobsState {
  /** `false` once the server refused: it does not serve this, or not to this caller. */
  readonly isAllowed: boolean;
  readonly pulls: readonly PullJob[];
  /** Models that are being brought into memory or taken out of it, or for which that failed. */
  readonly memory: ReadonlyMap<string, 'loading' | 'unloading' | 'failed'>;
}

const refusals: ReadonlySet<string> = new Set([
  'forbidden',
  'unauthorized',
  'not_found',
  'method_not_allowed',
  'capability_unsupported',
]);

/** Pulls, loads and unloads; they go on while the picker is closed, and the list of models follows them. */
export class ModelJobs implements Cell<ModelJobsState> {
  readonly #admin: Admin;
  readonly #models: ModelList;
  readonly #listeners = new Set<() => void>();
  readonly #running = new Map<string, { abort(): void }>();
  #state: ModelJobsState = { isAllowed: true, pulls: [], memory: new Map() };

  constructor(client: ZiggieClient, models: ModelList) {
    this.#admin = createAdmin(client);
    this.#models = models;
  }

  readonly get = (): ModelJobsState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    const own = () => listener();
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  };

  /** Brings a model to the server; one that is on its way already goes on. Never rejects: a failure is a state. */
  readonly pull = async (model: string): Promise<void> => {
    if (this.#running.has(model)) return;
    const stream = this.#admin.pull(model);
    let isCancelled = false;
    this.#running.set(model, {
      abort: () => {
        isCancelled = true;
        stream.abort();
      },
    });
    this.#putPull({ model, state: 'running', progress: null });
    try {
      let last: ModelProgress | null = null;
      for await (const progress of stream) {
        last = progress;
        this.#putPull({ model, state: 'running', progress });
      }
      this.#putPull({ model, state: 'done', progress: last });
      await this.#models.refresh();
    } catch (error) {
      if (!isCancelled) this.#noteRefusal(error);
      const before = this.#state.pulls.find((one) => one.model === model);
      const state = isCancelled ? 'cancelled' : 'failed';
      this.#putPull({ model, state, progress: before?.progress ?? null });
    } finally {
      this.#running.delete(model);
    }
  };

  /** What has arrived stays with the server: another pull goes on from there. */
  readonly cancel = (model: string): void => this.#running.get(model)?.abort();

  /** Takes a pull that is over out of the list. */
  readonly dismiss = (model: string): void => {
    if (this.#running.has(model)) return;
    this.#put({ pulls: this.#state.pulls.filter((one) => one.model !== model) });
  };

  readonly load = (model: string): Promise<void> =>
    this.#inMemory(model, 'loading', () => this.#admin.load(model));
  readonly unload = (model: string): Promise<void> =>
    this.#inMemory(model, 'unloading', () => this.#admin.unload(model));

  async #inMemory(model: string, doing: 'loading' | 'unloading', work: () => Promise<void>): Promise<void> {
    this.#putMemory(model, doing);
    try {
      await work();
      this.#putMemory(model, null);
    } catch (error) {
      this.#noteRefusal(error);
      this.#putMemory(model, 'failed');
    }
    await this.#models.refresh();
  }

  #noteRefusal(error: unknown): void {
    if (isZiggieError(error) && refusals.has(error.code)) this.#put({ isAllowed: false });
  }

  #putPull(job: PullJob): void {
    const others = this.#state.pulls.filter(({ model }) => model !== job.model);
    this.#put({ pulls: [...others, job] });
  }

  #putMemory(model: string, doing: 'loading' | 'unloading' | 'failed' | null): void {
    const memory = new Map(this.#state.memory);
    if (doing === null) memory.delete(model);
    else memory.set(model, doing);
    this.#put({ memory });
  }

  #put(change: Partial<ModelJobsState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of [...this.#listeners]) listener();
  }
}

const jobs = new WeakMap<ModelList, ModelJobs>();

/** The jobs of one session: the same object each time. */
export function jobsOf(client: ZiggieClient, models: ModelList): ModelJobs {
  let found = jobs.get(models);
  if (found === undefined) {
    found = new ModelJobs(client, models);
    jobs.set(models, found);
  }
  return found;
}
