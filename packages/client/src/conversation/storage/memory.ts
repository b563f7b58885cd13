import { mergeRecords } from '../merge.ts';
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
      const before = records.get(record.id);
      const kept = before === undefined ? record : mergeRecords(record, before);
      records.set(record.id, structuredClone(kept));
      const { updatedAt, detailsAt } = kept;
      changes.tell({ kind: 'saved', id: record.id, updatedAt, detailsAt });
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
