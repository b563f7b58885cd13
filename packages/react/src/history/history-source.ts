import type { Cell, ConversationStorage } from '@ziggie/llm-client/conversation';
import type { ConversationSummary, History, ImportResult, SearchHit } from '@ziggie/llm-client/storage';
import type { ComposerStores } from '../composer/composer-store.ts';
import type { OpenConversations } from '../provider/open-conversations.ts';
import type { Session } from '../provider/session.ts';

/** The saved conversations as far as they are known. */
export interface HistoryState {
  /** Pinned first, then by last change, newest first. Archived ones are not in here. */
  readonly conversations: readonly ConversationSummary[];
  /** Archived ones, newest first. */
  readonly archived: readonly ConversationSummary[];
  /** `failed`: the storage could not be read; what was known stays. */
  readonly status: 'loading' | 'ready' | 'failed';
  /** What was found so far; `null` while nothing is searched for. */
  readonly hits: readonly SearchHit[] | null;
}

/** What came of an import. */
export interface ImportReport {
  readonly format: ImportResult['format'];
  /** Ids of the conversations that were read and saved. */
  readonly added: readonly string[];
  /** What was left out, by place in the file, and why. */
  readonly problems: ImportResult['problems'];
}

const unknown: HistoryState = { conversations: [], archived: [], status: 'loading', hits: null };

/**
 * The history of one storage, read while somebody watches; its code is fetched with the first watcher or action. Puts it
 * together with the conversations that are open in this page.
 */
export class HistorySource implements Cell<HistoryState> {
  readonly #storage: ConversationStorage;
  readonly #open: OpenConversations;
  readonly #composers: ComposerStores;
  readonly #listeners = new Set<() => void>();
  #state = unknown;
  #history: Promise<History> | null = null;
  #users = 0;

  constructor(storage: ConversationStorage, open: OpenConversations, composers: ComposerStores) {
    this.#storage = storage;
    this.#open = open;
    this.#composers = composers;
  }

  readonly get = (): HistoryState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    const own = () => listener();
    this.#listeners.add(own);
    this.#hold().catch(() => this.#put({ ...this.#state, status: 'failed' }));
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#listeners.delete(own);
      // A mount right after an unmount finds it as it was.
      setTimeout(() => this.#letGo(), 0);
    };
  };

  readonly rename = (id: string, title: string): Promise<void> =>
    this.#with((history) => history.rename(id, title));
  readonly pin = (id: string, pinned: boolean): Promise<void> =>
    this.#with((history) => history.pin(id, pinned));
  readonly archive = (id: string, archived: boolean): Promise<void> =>
    this.#with((history) => history.archive(id, archived));
  readonly search = (query: string): Promise<void> => this.#with((history) => history.search(query));

  /** Deletes it, its draft too. Resolves with how to bring it back; one that was shown is then shown again. */
  readonly remove = (id: string): Promise<() => Promise<void>> =>
    this.#with(async (history) => {
      const wasShown = this.#open.activeId.get() === id;
      const undo = await history.remove(id, this.#open.peek(id));
      this.#composers.forget(id);
      this.#open.forget(id);
      return async () => {
        await undo();
        if (wasShown) this.#open.show(id);
      };
    });

  readonly importText = (text: string): Promise<ImportReport> =>
    this.#with(async (history) => {
      const { importConversations } = await code();
      const { format, conversations, problems } = importConversations(text);
      const added: string[] = [];
      for (const record of conversations) {
        await history.add(record);
        added.push(record.id);
      }
      return { format, added, problems };
    });

  readonly exportJson = async (ids?: readonly string[]): Promise<string> => {
    const { exportJson } = await code();
    const wanted = ids ?? (await this.#storage.list());
    const records = await Promise.all(
      // One that cannot be read must not keep the others from being saved.
      wanted.map((id) => this.#storage.load(id).catch(() => null)),
    );
    return exportJson(records.filter((record) => record !== null));
  };

  readonly exportMarkdown = async (id: string): Promise<string> => {
    const { exportMarkdown } = await code();
    const record = await this.#storage.load(id);
    if (record === null) throw new Error('Exporting a conversation: nothing is saved under this id.');
    return exportMarkdown(record);
  };

  async #with<T>(work: (history: History) => Promise<T>): Promise<T> {
    try {
      return await work(await this.#hold());
    } finally {
      this.#letGo();
    }
  }

  #hold(): Promise<History> {
    this.#users += 1;
    this.#history ??= this.#openHistory();
    return this.#history;
  }

  #letGo(): void {
    this.#users -= 1;
    if (this.#users > 0) return;
    void this.#history?.then(
      (history) => history.dispose(),
      () => {},
    );
    this.#history = null;
  }

  async #openHistory(): Promise<History> {
    const { createHistory } = await code();
    const history = createHistory({ storage: this.#storage });
    const { conversations, archived, state, hits } = history;
    const take = () =>
      this.#put({
        conversations: conversations.get(),
        archived: archived.get(),
        status: state.get(),
        hits: hits.get(),
      });
    for (const cell of [conversations, archived, state, hits] as readonly Cell<unknown>[])
      cell.subscribe(take);
    return history;
  }

  #put(state: HistoryState): void {
    this.#state = state;
    for (const listener of [...this.#listeners]) listener();
  }
}

function code(): Promise<typeof import('./open-history.ts')> {
  return import('./open-history.ts');
}

const sources = new WeakMap<OpenConversations, HistorySource>();

/** The history of a session, the same for all who ask; `null` when it knows of no other conversations. */
export function historyOf({ open, storage, composers }: Session): HistorySource | null {
  if (open === null || storage === null) return null;
  let source = sources.get(open);
  if (source === undefined) {
    source = new HistorySource(storage, open, composers);
    sources.set(open, source);
  }
  return source;
}
