import { callOutside } from './call-outside.ts';
import { randomId } from './environment.ts';
import { toRecord } from './record.ts';
import { matchesOf, wordsOf } from './search.ts';
import { summaryOf, unreadableSummary } from './summary.ts';
import type {
  Cell,
  Conversation,
  ConversationRecord,
  ConversationStorage,
  ConversationSummary,
} from './types.ts';
import { ValueCell } from './value-cell.ts';

/** Settings of {@link createHistory}. */
export interface HistoryOptions {
  /** The same object that the conversations are opened with. */
  storage: ConversationStorage;
  /** The conversation to begin with. Default: none. */
  activeId?: string | undefined;
  /** Wall time in ms. Default `Date.now`. */
  wallNow?: (() => number) | undefined;
  /** Makes ids of conversations. Default `crypto.randomUUID`. */
  createId?: (() => string) | undefined;
  /** Told whenever the storage fails. */
  onStorageError?: ((error: unknown) => void) | undefined;
}

/** A conversation that holds what was searched for. */
export interface SearchHit {
  readonly conversation: ConversationSummary;
  /** The first message that matches; `null` when it is the title. */
  readonly messageId: string | null;
  /** The place that matches, on one line. */
  readonly excerpt: string;
}

/** The saved conversations: a list to watch, and what can be done with each. Works without React. */
export interface History {
  /** Pinned first, then by last change, newest first. Archived ones are not in here. */
  readonly conversations: Cell<readonly ConversationSummary[]>;
  /** Archived ones, newest first. */
  readonly archived: Cell<readonly ConversationSummary[]>;
  /** `failed` when the storage could not be read; what was known stays. */
  readonly state: Cell<'loading' | 'ready' | 'failed'>;
  /** Which conversation is shown. */
  readonly activeId: Cell<string | null>;
  /** What was found, newest conversation first, while it is being searched; `null` while nothing is searched for. */
  readonly hits: Cell<readonly SearchHit[] | null>;
  /** Shows a conversation. There need not be anything saved under the id. */
  open(id: string): void;
  /** A fresh id, which is shown; it is saved, and in the list, with its first message. */
  create(): string;
  /** Throws a `TypeError` for an empty title. */
  rename(id: string, title: string): Promise<void>;
  pin(id: string, pinned: boolean): Promise<void>;
  archive(id: string, archived: boolean): Promise<void>;
  /**
   * Deletes a conversation at once. Resolves with how to bring it back, as long as the page lives; the undo of a record
   * that could not be read rejects.
   *
   * @param open The conversation of this id where it is open in this page. Its run is stopped and it is emptied, so that
   *   nothing of it is saved again.
   */
  remove(id: string, open?: Conversation): Promise<() => Promise<void>>;
  /** Deletes all of them, archived and unreadable ones too: for signing out. */
  removeAll(): Promise<void>;
  /**
   * Looks for all of the words in titles and messages, without regard to case and accents. Resolves once everything was
   * looked through; a newer search ends it. An empty query ends the search.
   */
  search(query: string): Promise<void>;
  /** Puts a record into the storage, an imported one for instance. One with the same id is merged with it. */
  add(record: ConversationRecord): Promise<void>;
  /** Reads the list again. Needed only with a storage that cannot be watched. */
  refresh(): Promise<void>;
  /** Lets go of the storage and of all watchers. */
  dispose(): void;
}

/**
 * The conversations of a storage. Reads the list at once and again after every change, other tabs' included where the
 * storage can be watched. Actions reject when the storage does; nothing has changed then.
 */
export function createHistory(options: HistoryOptions): History {
  const { storage, wallNow = Date.now, createId = randomId } = options;
  const conversations = new ValueCell<readonly ConversationSummary[]>([]);
  const archived = new ValueCell<readonly ConversationSummary[]>([]);
  const state = new ValueCell<'loading' | 'ready' | 'failed'>('loading');
  const activeId = new ValueCell<string | null>(options.activeId ?? null);
  const hits = new ValueCell<readonly SearchHit[] | null>(null);
  let reading: Promise<void> | null = null;
  let readAgain = false;
  let searches = 0;
  let disposed = false;

  /** One read at a time; whoever asks meanwhile gets one that begins after this. */
  function refresh(): Promise<void> {
    if (reading !== null) readAgain = true;
    reading ??= read().finally(() => {
      reading = null;
    });
    return reading;
  }

  async function read(): Promise<void> {
    do {
      readAgain = false;
      try {
        const all = [...(await summariesOf(storage))].sort(byAge);
        if (disposed) return;
        show(all);
        state.set('ready');
      } catch (error) {
        if (disposed) return;
        state.set('failed');
        callOutside(() => options.onStorageError?.(error));
      }
    } while (readAgain && !disposed);
  }

  function show(all: readonly ConversationSummary[]): void {
    const listed = all.filter((summary) => !summary.archived && !isBlank(summary));
    const pinnedFirst = [...listed.filter(({ pinned }) => pinned), ...listed.filter(({ pinned }) => !pinned)];
    setIfChanged(conversations, pinnedFirst);
    setIfChanged(
      archived,
      all.filter((summary) => summary.archived),
    );
  }

  async function change(id: string, members: Partial<ConversationRecord>): Promise<void> {
    const record = await storage.load(id);
    if (record === null) throw new Error('Changing a conversation: nothing is saved under this id.');
    const detailsAt = Math.max(wallNow(), record.detailsAt + 1);
    await storage.save({ ...record, ...members, detailsAt });
    await refresh();
  }

  async function remove(id: string, open?: Conversation): Promise<() => Promise<void>> {
    let record: ConversationRecord | null = null;
    let failure: unknown;
    open?.stop();
    const state = open?.getState();
    try {
      // What is open may hold more than what was saved last.
      record = state && state.nodes.size > 0 ? toRecord(state, wallNow()) : await storage.load(id);
    } catch (error) {
      failure = error;
    }
    // Saves that are under way end first.
    await (open?.clear() ?? storage.remove(id));
    if (activeId.get() === id) activeId.set(null);
    await refresh();
    return async () => {
      if (failure !== undefined) throw failure;
      if (record === null) return;
      await storage.save(record);
      await refresh();
    };
  }

  async function search(query: string): Promise<void> {
    const words = wordsOf(query);
    const search = ++searches;
    if (words.length === 0) {
      hits.set(null);
      return;
    }
    const found: SearchHit[] = [];
    hits.set(found);
    for (const conversation of [...conversations.get(), ...archived.get()].sort(byAge)) {
      if (conversation.unreadable !== undefined) continue;
      const record = await storage.load(conversation.id).catch(() => null);
      if (search !== searches || disposed) return;
      const match = record === null ? null : matchesOf(record, words);
      if (match === null) continue;
      found.push({ conversation, ...match });
      hits.set([...found]);
    }
  }

  const unwatch = storage.watch?.(() => void refresh());
  void refresh();
  return {
    conversations,
    archived,
    state,
    activeId,
    hits,
    open: (id) => activeId.set(id),
    create() {
      const id = createId();
      activeId.set(id);
      return id;
    },
    async rename(id, title) {
      if (title.trim() === '') throw new TypeError('Renaming a conversation: the title is empty.');
      await change(id, { title: title.trim() });
    },
    pin: (id, pinned) => change(id, { pinned }),
    archive: (id, to) => change(id, { archived: to }),
    remove,
    async removeAll() {
      for (const id of await storage.list()) await storage.remove(id);
      activeId.set(null);
      await refresh();
    },
    search,
    async add(record) {
      await storage.save(record);
      await refresh();
    },
    refresh,
    dispose() {
      disposed = true;
      unwatch?.();
      for (const cell of [conversations, archived, state, activeId, hits]) cell.release();
    },
  };
}

/** What a list shows of every record, unreadable ones included. */
async function summariesOf(storage: ConversationStorage): Promise<ConversationSummary[]> {
  if (storage.summaries !== undefined) return storage.summaries();
  const ids = await storage.list();
  const found = ids.map(async (id) => {
    try {
      const record = await storage.load(id);
      return record === null ? [] : [summaryOf(record)];
    } catch (error) {
      return [unreadableSummary(id, error)];
    }
  });
  return (await Promise.all(found)).flat();
}

function byAge(one: ConversationSummary, other: ConversationSummary): number {
  return other.updatedAt - one.updatedAt || (one.id < other.id ? -1 : 1);
}

/** A model was chosen, but nothing said: no row called "Untitled" for that. */
function isBlank({ messages, title, pinned, unreadable }: ConversationSummary): boolean {
  return messages === 0 && title === null && !pinned && unreadable === undefined;
}

/** A list of the same rows is the same list: watchers draw only what changed. */
function setIfChanged(
  cell: ValueCell<readonly ConversationSummary[]>,
  list: readonly ConversationSummary[],
): void {
  const before = cell.get();
  const byId = new Map(before.map((summary) => [summary.id, summary]));
  const kept = list.map((summary) => {
    const known = byId.get(summary.id);
    return known !== undefined && sameSummary(known, summary) ? known : summary;
  });
  if (kept.length !== before.length || kept.some((summary, index) => summary !== before[index]))
    cell.set(kept);
}

function sameSummary(one: ConversationSummary, other: ConversationSummary): boolean {
  const names = Object.keys(other) as (keyof ConversationSummary)[];
  return names.every((name) => one[name] === other[name]) && names.length === Object.keys(one).length;
}
