import type { MessageNode } from '../message.ts';
import { RECORD_VERSION } from '../record.ts';
import type { ConversationRecord } from '../storage-port.ts';
import { titleOf } from '../title.ts';

/** A message of another tool's tree. `message` is absent for those that only hold the tree together. */
export interface ForeignNode {
  id: string;
  parentId: string | null;
  message?: Omit<MessageNode, 'id' | 'parentId' | 'createdAt'> | undefined;
  createdAt?: number | undefined;
}

/** What another tool tells about a conversation. */
export interface ForeignConversation {
  id: string;
  title?: string | undefined;
  model?: string | undefined;
  pinned?: boolean | undefined;
  archived?: boolean | undefined;
  createdAt?: number | undefined;
  updatedAt?: number | undefined;
  /** The message that was shown last. */
  currentId?: string | undefined;
  /** In any order. */
  nodes: readonly ForeignNode[];
}

/** The record: nodes without a message are taken out, their children move up; cycles and strays end at the top. */
export function toRecordFromForeign(from: ForeignConversation): ConversationRecord | null {
  const byId = new Map(from.nodes.map((node) => [node.id, node]));
  const placed = new Map<string, MessageNode>();
  const open = new Set<string>();

  /** The id of the nearest message at or above a node, placed. Walks with a list: trees can be deep. */
  function place(id: string | null): string | null {
    const line: ForeignNode[] = [];
    let above: string | null = null;
    for (let at = id; at !== null; ) {
      if (placed.has(at)) {
        above = at;
        break;
      }
      const node = byId.get(at);
      if (node === undefined || open.has(at)) break;
      open.add(at);
      line.push(node);
      at = node.parentId;
    }
    for (const { id: own, message, createdAt } of line.reverse()) {
      open.delete(own);
      if (message === undefined) continue;
      const before = above === null ? undefined : placed.get(above)?.createdAt;
      const at = createdAt ?? before ?? from.createdAt ?? from.updatedAt ?? 0;
      placed.set(own, { ...message, id: own, parentId: above, createdAt: at });
      above = own;
    }
    return above;
  }

  for (const { id } of from.nodes) place(id);
  if (placed.size === 0) return null;
  const nodes = [...placed.values()];
  const updatedAt = from.updatedAt ?? Math.max(...nodes.map(({ createdAt }) => createdAt));
  const head = nearest(from.currentId, byId, placed) ?? nodes.at(-1)?.id ?? null;
  const first = nodes.find(({ role }) => role === 'user')?.text ?? '';
  return {
    version: RECORD_VERSION,
    id: from.id,
    title: from.title?.trim() || titleOf(first) || null,
    model: from.model ?? null,
    pinned: from.pinned ?? false,
    archived: from.archived ?? false,
    head,
    nodes,
    removed: [],
    queue: [],
    cut: null,
    updatedAt,
    detailsAt: updatedAt,
  };
}

function nearest(
  id: string | undefined,
  byId: ReadonlyMap<string, ForeignNode>,
  placed: ReadonlyMap<string, MessageNode>,
): string | undefined {
  const seen = new Set<string>();
  for (let at = id ?? null; at !== null && !seen.has(at); at = byId.get(at)?.parentId ?? null) {
    if (placed.has(at)) return at;
    seen.add(at);
  }
  return undefined;
}
