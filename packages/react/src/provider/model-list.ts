import type { Cell } from '@ziggie/llm-client/conversation';
import type { ModelInfo } from '@ziggie/llm-protocol';
import type { ClientSource } from './client-source.ts';

/** The models of a server as far as they are known. */
export interface ModelListState {
  /** The last list that arrived; it stays while a newer one is asked for. */
  readonly models: readonly ModelInfo[];
  readonly status: 'idle' | 'loading' | 'ready' | 'failed';
}

/**
 * The models that the caller may use, asked for when somebody first watches.
 *
 * Embedding-only models are left out: they cannot chat.
 */
export class ModelList implements Cell<ModelListState> {
  readonly #client: ClientSource | null;
  readonly #listeners = new Set<() => void>();
  #state: ModelListState = { models: [], status: 'idle' };
  #asking: Promise<void> | null = null;

  constructor(client: ClientSource | null) {
    this.#client = client;
  }

  readonly get = (): ModelListState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#state.status === 'idle') void this.refresh();
    return () => {
      this.#listeners.delete(listener);
    };
  };

  /** Asks again. Calls while a question is open share it. Never rejects: a failure is a state. */
  readonly refresh = (): Promise<void> => {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  };

  async #ask(): Promise<void> {
    if (this.#client === null) return;
    this.#put({ ...this.#state, status: this.#state.models.length > 0 ? 'ready' : 'loading' });
    try {
      const client = await this.#client.open();
      const models = await client.models.list();
      this.#put({ models: models.filter(canChat), status: 'ready' });
    } catch {
      this.#put({ ...this.#state, status: 'failed' });
    }
  }

  #put(state: ModelListState): void {
    this.#state = state;
    for (const listener of [...this.#listeners]) listener();
  }
}

function canChat({ capabilities }: ModelInfo): boolean {
  return capabilities.length === 0 || capabilities.includes('completion');
}

/** The model to begin with: one in memory answers at once, so it goes before the first of the list. */
export function preferredModel(models: readonly ModelInfo[]): string | null {
  return (models.find((model) => model.loaded !== null) ?? models[0])?.name ?? null;
}
