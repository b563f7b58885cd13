import { mergeRecords } from '../merge.ts';
import { parseRecord } from '../record.ts';
import type { ConversationStorageError } from '../storage-error.ts';
import { summaryOf, unreadableSummary } from '../summary.ts';
import type { ConversationRecord, ConversationStorage, ConversationSummary } from '../types.ts';
import { createSharedChanges } from './changes.ts';
import { finished, openDatabase, result } from './idb.ts';

/** Settings of {@link createIndexedDb}. */
export interface IndexedDbOptions {
  /**
   * Keeps conversations of different users and apps on one origin apart: put the user's id in it. Everything on the origin
   * can read them all the same.
   */
  namespace: string;
  /** Where to write. Default: the page's or worker's `indexedDB`, looked up at first use, so this can be made on a server. */
  factory?: IDBFactory | undefined;
}

const RECORDS = 'records';
const SUMMARIES = 'summaries';

/**
 * Keeps conversations in the browser's database `ziggie:<namespace>`: for thousands of conversations, images included. A
 * list reads summaries only. Works in workers too.
 *
 * Two tabs with one conversation: the record holds the messages of both, and each hears of the other. Operations reject
 * with a {@link ConversationStorageError}: `storage_full`, `storage_unavailable`, `corrupt_record` or `newer_record`; a
 * record that cannot be read is left in place.
 *
 * @throws {TypeError} when `namespace` is empty.
 */
export function createIndexedDb(options: IndexedDbOptions): ConversationStorage {
  const { namespace } = options;
  if (namespace === '') throw new TypeError('Creating a storage: the namespace is empty.');
  const name = `ziggie:${namespace}`;
  const changes = createSharedChanges(`${name}:idb`);
  const open = openDatabase(name, () => options.factory ?? globalThis.indexedDB, upgrade);

  /** What `work` throws undoes all of it. */
  async function write(
    work: (records: IDBObjectStore, summaries: IDBObjectStore, attempt: (step: () => void) => void) => void,
  ): Promise<void> {
    const transaction = (await open()).transaction([RECORDS, SUMMARIES], 'readwrite');
    let refusal: unknown;
    const done = finished(transaction, () => refusal);
    work(transaction.objectStore(RECORDS), transaction.objectStore(SUMMARIES), (step) => {
      try {
        step();
      } catch (error) {
        refusal = error;
        transaction.abort();
      }
    });
    await done;
  }

  return {
    async load(id) {
      const store = (await open()).transaction(RECORDS).objectStore(RECORDS);
      const value: unknown = await result(store.get(id));
      return value === undefined ? null : parseRecord(value, id);
    },
    async save(record) {
      let kept: ConversationRecord = record;
      await write((records, summaries, attempt) => {
        // Reading and writing in one transaction: no other tab comes between.
        const reading = records.get(record.id);
        reading.onsuccess = () =>
          attempt(() => {
            const before: unknown = reading.result;
            if (before !== undefined) kept = mergeRecords(record, parseRecord(before, record.id));
            records.put(kept, record.id);
            summaries.put(summaryOf(kept), record.id);
          });
      });
      changes.tell({ kind: 'saved', id: record.id, updatedAt: kept.updatedAt, detailsAt: kept.detailsAt });
      return kept;
    },
    async remove(id) {
      await write((records, summaries) => {
        records.delete(id);
        summaries.delete(id);
      });
      changes.tell({ kind: 'removed', id });
    },
    async list() {
      const store = (await open()).transaction(RECORDS).objectStore(RECORDS);
      return (await result(store.getAllKeys())).map(String);
    },
    async summaries() {
      const transaction = (await open()).transaction([RECORDS, SUMMARIES]);
      const keys = transaction.objectStore(RECORDS).getAllKeys();
      const [ids, found] = await Promise.all([
        result(keys),
        result(transaction.objectStore(SUMMARIES).getAll() as IDBRequest<ConversationSummary[]>),
      ]);
      const known = new Map(found.map((summary) => [summary.id, summary]));
      return ids.map(
        (id) => known.get(String(id)) ?? unreadableSummary(String(id), { code: 'corrupt_record' }),
      );
    },
    watch: changes.watch,
  };
}

function upgrade(database: IDBDatabase): void {
  for (const store of [RECORDS, SUMMARIES]) {
    if (!database.objectStoreNames.contains(store)) database.createObjectStore(store);
  }
}
