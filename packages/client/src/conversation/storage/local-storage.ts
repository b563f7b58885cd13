import { MAX_JSON_DEPTH, parseJson } from '@ziggie/llm-protocol';
import { mergeRecords } from '../merge.ts';
import { parseRecord } from '../record.ts';
import { ConversationStorageError } from '../storage-error.ts';
import type { ConversationStorage } from '../types.ts';
import { createSharedChanges } from './changes.ts';

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

// A record wraps what came over the wire (arguments of tool calls) in a few levels of its own.
const MAX_RECORD_DEPTH = MAX_JSON_DEPTH + 8;

/**
 * Keeps conversations in the browser under `ziggie:<namespace>:<id>`, the namespace URL-encoded so that none can reach
 * into another. Browsers give an origin about 5 MiB: some thousand messages.
 *
 * When two tabs save the same conversation the record holds the messages of both, and each hears of the other. Operations
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
  return {
    async load(id) {
      const text = area().getItem(prefix + id);
      return text === null ? null : parseRecord(parseText(text), id);
    },
    async save(record) {
      const { id } = record;
      const into = area();
      // Reading, merging and writing in one task: no other tab comes between.
      const before = into.getItem(prefix + id);
      const own = before === null || before === written.get(id);
      const kept = own ? record : mergeRecords(record, parseRecord(parseText(before), id));
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
      changes.tell({ kind: 'saved', id, updatedAt: kept.updatedAt, detailsAt: kept.detailsAt });
      return own ? undefined : kept;
    },
    async remove(id) {
      area().removeItem(prefix + id);
      written.delete(id);
      changes.tell({ kind: 'removed', id });
    },
    watch(listener) {
      const leave = changes.watch(listener);
      // Another process is told of a change before the change itself is there; this event comes with it.
      const onArrival = ({ key, storageArea }: StorageEvent): void => {
        const here = area();
        if (storageArea !== here || !key?.startsWith(prefix)) return;
        listener({
          kind: here.getItem(key) === null ? 'removed' : 'saved',
          id: key.slice(prefix.length),
        });
      };
      globalThis.addEventListener?.('storage', onArrival);
      return () => {
        leave();
        globalThis.removeEventListener?.('storage', onArrival);
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

function parseText(text: string): unknown {
  try {
    return parseJson(text, MAX_RECORD_DEPTH);
  } catch (cause) {
    throw new ConversationStorageError(
      'corrupt_record',
      'Reading a saved conversation: it is not valid JSON. The record was left as it is.',
      { cause },
    );
  }
}
