import type { MessageNode } from './message.ts';
import type { ContextCut } from './ports.ts';
import type { QueuedTurn } from './types.ts';

/** Saved form of a conversation. `version` tells the shape; readers bring older ones up to date and refuse newer ones. */
export interface ConversationRecord {
  version: 2;
  id: string;
  title: string | null;
  model: string | null;
  pinned: boolean;
  archived: boolean;
  head: string | null;
  /** Parents before their children. */
  nodes: MessageNode[];
  /** Ids of deleted messages and when that was. */
  removed: [id: string, at: number][];
  queue: QueuedTurn[];
  cut: ContextCut | null;
  /** Wall time in ms. */
  updatedAt: number;
  /** Wall time in ms of the last change to title, model, pinned or archived. */
  detailsAt: number;
}

/** What a list of conversations shows of one. */
export interface ConversationSummary {
  id: string;
  title: string | null;
  model: string | null;
  pinned: boolean;
  archived: boolean;
  /** Those that wait to be sent included. */
  messages: number;
  /** Wall time in ms. */
  updatedAt: number;
  /** Why the record cannot be read; it is left in place. */
  unreadable?: string | undefined;
}

/** Something happened to a record, here or in another tab. */
export interface StorageChange {
  kind: 'saved' | 'removed';
  id: string;
  /** Of the saved record: who saved it knows it again. */
  updatedAt?: number | undefined;
  detailsAt?: number | undefined;
}

/** Where conversations are kept. Memory, localStorage and IndexedDB are here; anything that passes the contract will do. */
export interface ConversationStorage {
  /** `null` when there is none. A record that cannot be read (corrupt, newer version) is left in place and rejects. */
  load(id: string): Promise<ConversationRecord | null>;
  /**
   * Keeps the record. When others may write too, puts it together with what is there by `mergeRecords` and resolves with
   * the outcome; a storage of a single process may just replace and resolve with nothing. When it rejects, the record
   * before it is still there.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: an async function without a return is a fine `save`
  save(record: ConversationRecord): Promise<ConversationRecord | void>;
  /** Resolves also when there was none. */
  remove(id: string): Promise<void>;
  /** The ids of all records, those that cannot be read included. */
  list(): Promise<string[]>;
  /** What a list shows, without reading every record where the storage can. Default: every record is read. */
  summaries?(): Promise<ConversationSummary[]>;
  /** Calls back after each change, by others too (another tab); returns how to stop it. */
  watch?(listener: (change: StorageChange) => void): () => void;
}
