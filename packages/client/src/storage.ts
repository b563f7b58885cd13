export { exportJson, exportMarkdown, type MarkdownOptions } from './conversation/exchange/export.ts';
export { type ImportResult, importConversations } from './conversation/exchange/import.ts';
export {
  createHistory,
  type History,
  type HistoryOptions,
  type SearchHit,
} from './conversation/history.ts';
export { mergeRecords } from './conversation/merge.ts';
export { parseRecord } from './conversation/record.ts';
export { createIndexedDb, type IndexedDbOptions } from './conversation/storage/indexed-db.ts';
export { createLocalStorage, type LocalStorageOptions } from './conversation/storage/local-storage.ts';
export { createMemoryStorage } from './conversation/storage/memory.ts';
export {
  ConversationStorageError,
  type ConversationStorageErrorCode,
} from './conversation/storage-error.ts';
export type {
  ConversationRecord,
  ConversationStorage,
  ConversationSummary,
  StorageChange,
} from './conversation/types.ts';
