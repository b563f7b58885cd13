import { later } from '../fetch-later.ts';
import { parseRecord } from '../record.ts';
import type { ConversationRecord, ConversationStorage, StorageChange } from '../types.ts';
import { createChanges } from './changes.ts';

/** Keeps conversations as long as the program runs. For tests, and for pages that must leave nothing behind. */
export function createMemoryStorage(): ConversationStorage {
  const records = new Map<string, ConversationRecord>();
  const changes = createChanges<StorageChange>();
  return {
    async load(id) {
      const record = records.get(id);
      return record === undefined ? null : parseRecord(structuredClone(record), id);
    },
    async save(record) {
      const { id } = record;
      // Fetched first: between reading and writing nobody else may come.
      const part = records.has(id) ? await later() : null;
      const before = records.get(id);
      const kept = before === undefined || part === null ? record : part.mergeRecords(record, before);
      records.set(id, structuredClone(kept));
      const { updatedAt, detailsAt } = kept;
      changes.tell({ kind: 'saved', id, updatedAt, detailsAt });
      return kept;
    },
    async remove(id) {
      if (records.delete(id)) changes.tell({ kind: 'removed', id });
    },
    async list() {
      return [...records.keys()];
    },
    watch: changes.watch,
  };
}
