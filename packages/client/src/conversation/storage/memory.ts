import { parseRecord } from '../record.ts';
import type { ConversationRecord, ConversationStorage } from '../types.ts';

/** Keeps conversations as long as the program runs. For tests, and for pages that must leave nothing behind. */
export function createMemoryStorage(): ConversationStorage {
  const records = new Map<string, ConversationRecord>();
  return {
    async load(id) {
      const record = records.get(id);
      return record === undefined ? null : parseRecord(structuredClone(record), id);
    },
    async save(record) {
      records.set(record.id, structuredClone(record));
    },
    async remove(id) {
      records.delete(id);
    },
    async list() {
      return [...records.keys()];
    },
  };
}
