import { contentsOf } from './reduce.ts';
import { inOrder, lastLeaf, newestLeaf, pathTo } from './tree.ts';
import type { ConversationRecord, ConversationState, MessageNode } from './types.ts';

/** The state together with a record that another tab saved, merged with ours already; the same object when that changes nothing. */
export function takeIn(state: ConversationState, record: ConversationRecord): ConversationState {
  if (record.id !== state.id) return state;
  const { nodes, run } = state;
  const same =
    record.nodes.length === nodes.size && record.nodes.every((node) => nodes.get(node.id) === node);
  if (same && record.detailsAt === state.detailsAt && record.removed.length === state.removed.size)
    return state;
  const theirs = contentsOf(record);
  // Nobody writes into the answer of this run but this run, and nobody takes it away.
  for (const id of pathTo(nodes, run?.messageId ?? null)) {
    if (id === run?.messageId || !theirs.nodes.has(id)) theirs.nodes.set(id, nodes.get(id) as MessageNode);
    theirs.removed.delete(id);
  }
  const known = run === null ? theirs.nodes : inOrder(theirs.nodes);
  const queue = state.queue.filter(({ id }) => !known.has(id));
  return {
    ...state,
    ...theirs,
    nodes: same ? nodes : known,
    model: record.model ?? state.model,
    queue: queue.length === state.queue.length ? state.queue : queue,
    head: headAfterMerge(state, known, record.head),
  };
}

/** Everybody keeps the branch they look at; one that went on elsewhere is followed while nothing is written here. */
function headAfterMerge(
  { head, nodes: before, run }: ConversationState,
  nodes: ConversationState['nodes'],
  theirs: string | null,
): string | null {
  for (let id = theirs; id !== null && run === null; id = nodes.get(id)?.parentId ?? null) {
    if (id === head) return theirs;
  }
  for (let id = head; id !== null; id = before.get(id)?.parentId ?? null) {
    if (nodes.has(id)) return id === head ? id : newestLeaf(nodes, id);
  }
  return theirs !== null && nodes.has(theirs) ? theirs : lastLeaf(nodes);
}
