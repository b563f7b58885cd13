import type { ConversationRecord, ConversationSummary } from './storage-port.ts';

/** What a list shows of a record. */
export function summaryOf({
  id,
  title,
  model,
  pinned,
  archived,
  nodes,
  queue,
  updatedAt,
}: ConversationRecord): ConversationSummary {
  return { id, title, model, pinned, archived, messages: nodes.length + queue.length, updatedAt };
}

/** What a list shows of a record that cannot be read: that it is there, and why not. */
export function unreadableSummary(id: string, error: unknown): ConversationSummary {
  const code = (error as { code?: unknown } | null)?.code;
  return {
    id,
    title: null,
    model: null,
    pinned: false,
    archived: false,
    messages: 0,
    updatedAt: 0,
    unreadable: typeof code === 'string' ? code : 'storage_unavailable',
  };
}
