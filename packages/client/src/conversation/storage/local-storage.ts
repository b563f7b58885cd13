import { mergeRecords } from '../merge.ts';
import { ConversationStorageError } from '../storage-error.ts';
import type { StorageChange } from '../storage-port.ts';
import type { ConversationStorage } from '../types.ts';
import { createChanges, createSharedChanges } from './changes.ts';
import { mendedText, readText } from './record-text.ts';

/** Settings of {@link createLocalStorage}. */
export interface LocalStorageOptions {
  /**
   * Keeps conversations of different users and apps on one origin apart: put the user's id in it. Everything on the origin
   * can read them all the same; a shared computer wants {@link createMemoryStorage}.
   */
  namespace: string;
  /** Where to write. Default: the page's `localStorage`, looked up at each use, so this can be made on a server. */
  area?: Storage | undefined;
}

/**
 * Keeps conversations in the browser under `ziggie:<namespace>:<id>`, the namespace URL-encoded so that none can reach
 * into another. Browsers give an origin about 5 MiB: some thousand messages.
 *
 * When two tabs save the same conversation the record holds the messages of both, and each hears of the other; when they
 * save in the same moment it does so a moment later, as long as one of them watches (an open conversation does). Operations
 * reject with a
 * {@link ConversationStorageError}: `storage_full`, `storage_unavailable`, `corrupt_record` or `newer_record`; a record
 * that cannot be read is left in place.
 *
 * @throws {TypeError} when `namespace` is empty or not well-formed text.
 */
export function createLocalStorage(options: LocalStorageOptions): ConversationStorage {
  const prefix = `ziggie:${encodeNamespace(options.namespace)}:`;
  const area = (): Storage => options.area ?? pageStorage();
  const changes = createSharedChanges(prefix);
  // What this page wrote last needs no merging: the text is compared, not parsed.
  const written = new Map<string, string>();
  /** What this page wrote and has not seen in the text of another tab yet. */
  const unseen = new Map<string, string>();
  const arrivals = createChanges<StorageChange>();
  let watchers = 0;

  // Another process is told of a change before the change itself is there; this event comes with it.
  const onArrival = ({ key, newValue, storageArea }: StorageEvent): void => {
    const here = area();
    if (storageArea !== here || !key?.startsWith(prefix)) return;
    const id = key.slice(prefix.length);
    if (newValue === null) unseen.delete(id);
    else mend(here, id, newValue);
    arrivals.tell({ kind: here.getItem(key) === null ? 'removed' : 'saved', id });
  };

  /** @param theirs What another tab has written. */
  function mend(here: Storage, id: string, theirs: string): void {
    const own = unseen.get(id);
    const now = here.getItem(prefix + id);
    if (own === undefined || now === null) return;
    try {
      const text = mendedText(id, now, theirs, own);
      if (text !== undefined) {
        here.setItem(prefix + id, text);
        unseen.set(id, text);
        changes.tell({ kind: 'saved', id });
      } else if (now === theirs) unseen.delete(id);
    } catch {
      // Unreadable, or no room for both: it stays as it is, and the next save tells.
    }
  }

  return {
    async load(id) {
      const text = area().getItem(prefix + id);
      return text === null ? null : readText(text, id);
    },
    async save(record) {
      const { id } = record;
      const into = area();
      // Reading, merging and writing in one task: no other tab of this process comes between, and a page that is being
      // closed still gets it done.
      const before = into.getItem(prefix + id);
      const own = before === null || before === written.get(id);
      const kept = own ? record : mergeRecords(record, readText(before, id));
      const text = JSON.stringify(kept);
      try {
        into.setItem(prefix + id, text);
      } catch (cause) {
        if (!isFull(cause)) throw cause;
        throw new ConversationStorageError(
          'storage_full',
          `Saving a conversation: the browser has no room for ${text.length} characters. Remove other conversations.`,
          { cause },
        );
      }
      written.set(id, text);
      unseen.set(id, text);
      changes.tell({ kind: 'saved', id, updatedAt: kept.updatedAt, detailsAt: kept.detailsAt });
      return own ? undefined : kept;
    },
    async remove(id) {
      area().removeItem(prefix + id);
      written.delete(id);
      unseen.delete(id);
      changes.tell({ kind: 'removed', id });
    },
    watch(listener) {
      const leave = changes.watch(listener);
      const leaveArrivals = arrivals.watch(listener);
      if (watchers++ === 0) globalThis.addEventListener?.('storage', onArrival);
      let watching = true;
      return () => {
        if (!watching) return;
        watching = false;
        leave();
        leaveArrivals();
        if (--watchers === 0) globalThis.removeEventListener?.('storage', onArrival);
      };
    },
    async list() {
      const from = area();
      const ids: string[] = [];
      for (let index = 0; index < from.length; index++) {
        const key = from.key(index);
        if (key?.startsWith(prefix)) ids.push(key.slice(prefix.length));
      }
      return ids;
    },
  };
}

function encodeNamespace(namespace: string): string {
  if (namespace === '') throw new TypeError('Creating a storage: the namespace is empty.');
  try {
    return encodeURIComponent(namespace);
  } catch (cause) {
    throw new TypeError('Creating a storage: the namespace is not well-formed text.', { cause });
  }
}

/** Firefox has had a name of its own for it. */
function isFull(error: unknown): boolean {
  return (
    error instanceof Error &&
    (error.name === 'QuotaExceededError' || error.name === 'NS_ERROR_DOM_QUOTA_REACHED')
  );
}

function pageStorage(): Storage {
  let area: Storage | undefined;
  let cause: unknown;
  try {
    // Blocked site data makes the mere look-up throw.
    area = globalThis.localStorage as Storage | undefined;
  } catch (error) {
    cause = error;
  }
  if (area) return area;
  throw new ConversationStorageError(
    'storage_unavailable',
    'Opening the browser storage: there is no localStorage here, or the browser forbids it for this page.',
    { cause },
  );
}
