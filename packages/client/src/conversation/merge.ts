import type { MessageNode } from './message.ts';
import type { ConversationRecord } from './storage-port.ts';
import { inOrder } from './tree.ts';

/**
 * Two records of one conversation as one, so that nothing that either of them holds is lost: all messages of both; of a
 * message in both the one that changed last; without those that were deleted after their last change, unless something
 * newer stands below them. Title, model, pinned and archived are those that changed last; the shown branch and the queue
 * are those of the record that was saved last.
 *
 * The order of the arguments decides nothing but ties. Pure: neither record is changed, and a message that comes through
 * unchanged is the same object.
 */
export function mergeRecords(one: ConversationRecord, other: ConversationRecord): ConversationRecord {
  const removed = new Map(one.removed);
  for (const [id, at] of other.removed) removed.set(id, Math.max(at, removed.get(id) ?? 0));
  const nodes = newestOf(one, other);
  revive(nodes, removed);
  for (const id of removed.keys()) nodes.delete(id);
  const [newer, older] = other.updatedAt > one.updatedAt ? [other, one] : [one, other];
  const details = other.detailsAt > one.detailsAt ? other : one;
  // As in `one` where that holds them all.
  const own = one.nodes.flatMap(({ id }) => nodes.get(id) ?? []);
  const kept = own.length === nodes.size ? own : [...inOrder(nodes).values()];
  const head = [newer.head, older.head].find((id) => id !== null && nodes.has(id)) ?? kept.at(-1)?.id ?? null;
  return {
    version: one.version,
    id: one.id,
    title: details.title ?? newer.title ?? older.title,
    model: details.model ?? newer.model ?? older.model,
    pinned: details.pinned,
    archived: details.archived,
    head,
    nodes: kept,
    removed: [...removed],
    queue: newer.queue.filter(({ id }) => !nodes.has(id)),
    cut: newer.cut,
    updatedAt: newer.updatedAt,
    detailsAt: details.detailsAt,
  };
}

function newestOf(one: ConversationRecord, other: ConversationRecord): Map<string, MessageNode> {
  const nodes = new Map(one.nodes.map((node) => [node.id, node]));
  for (const node of other.nodes) {
    const known = nodes.get(node.id);
    if (known === undefined || isNewer(node, known)) nodes.set(node.id, node);
  }
  return nodes;
}

/** At the same time the one that says more: an answer that ended before one that had not, a longer before a shorter. */
function isNewer(node: MessageNode, known: MessageNode): boolean {
  const difference = changeOf(node) - changeOf(known);
  if (difference !== 0) return difference > 0;
  if ((node.end === undefined) !== (known.end === undefined)) return node.end !== undefined;
  return node.text.length > known.text.length;
}

function changeOf(node: MessageNode): number {
  return node.changedAt ?? node.createdAt;
}

/** Takes the deletion off messages that changed after it, and off everything above them. */
function revive(nodes: Map<string, MessageNode>, removed: Map<string, number>): void {
  for (const node of [...nodes.values()]) {
    const at = removed.get(node.id);
    if (at !== undefined && changeOf(node) <= at) continue;
    removed.delete(node.id);
    for (let id = node.parentId; id !== null; ) {
      const parent = nodes.get(id);
      const removedAt = removed.get(id);
      if (parent === undefined || removedAt === undefined) break;
      removed.delete(id);
      // Newer than the deletion, which others still know of.
      if (changeOf(parent) <= removedAt) nodes.set(id, { ...parent, changedAt: removedAt + 1 });
      id = parent.parentId;
    }
  }
  // What hangs below nothing cannot be shown: its parent was deleted and nobody has it any more.
  let orphans = [...nodes.values()].filter((node) => isOrphan(node, nodes, removed));
  while (orphans.length > 0) {
    for (const { id } of orphans) nodes.delete(id);
    orphans = [...nodes.values()].filter((node) => isOrphan(node, nodes, removed));
  }
}

function isOrphan(
  node: MessageNode,
  nodes: ReadonlyMap<string, MessageNode>,
  removed: ReadonlyMap<string, number>,
): boolean {
  const { parentId } = node;
  if (removed.has(node.id) || parentId === null) return false;
  return !nodes.has(parentId) || removed.has(parentId);
}
