import type { ConversationAction } from './actions.ts';
import { changeTime, withNode } from './answer.ts';
import type { MessageNode } from './message.ts';
import { reduceQueue } from './queue.ts';
import { reduceRun } from './reduce-run.ts';
import { titleOf } from './title.ts';
import { childrenOf, newestLeaf, pathTo, subtreeOf } from './tree.ts';
import type { ConversationRecord, ConversationState } from './types.ts';

/** A conversation without messages. */
export function emptyState(id: string, model: string | null): ConversationState {
  return {
    id,
    title: null,
    model,
    pinned: false,
    archived: false,
    nodes: new Map(),
    head: null,
    run: null,
    queue: [],
    queuePause: null,
    removed: new Map(),
    detailsAt: 0,
    cut: null,
  };
}

/**
 * The state after an action. Pure; an action that does not fit gives back the same object, so `===` tells whether
 * anything happened.
 */
export function reduce(state: ConversationState, action: ConversationAction): ConversationState {
  switch (action.type) {
    case 'conversation-loaded': {
      if (state.nodes.size > 0 || state.run !== null || action.record.id !== state.id) return state;
      const { head, model, queue } = action.record;
      const waiting = [...queue, ...state.queue];
      return {
        ...adopted(state, action.record),
        head,
        model: model ?? state.model,
        queue: waiting,
        // What was sent in another life waits until somebody looks at it.
        queuePause: queue.length > 0 ? 'reloaded' : state.queuePause,
      };
    }
    case 'record-merged':
      return merged(state, action.record);
    case 'conversation-cleared':
      return emptyState(state.id, state.model);
    case 'model-set':
      return state.model === action.model
        ? state
        : { ...state, model: action.model, detailsAt: detailsTime(state, action.at) };
    case 'title-set':
      return state.title === action.title
        ? state
        : { ...state, title: action.title, detailsAt: detailsTime(state, action.at) };
    case 'message-added': {
      const { id, parentId, text, attachments, at } = action;
      if (state.run !== null || !fits(state, id, parentId)) return state;
      const title = state.title ?? titleOf(text || (attachments?.[0]?.name ?? ''));
      const node = newNode({ id, parentId, role: 'user', text, createdAt: at });
      const added = withNode(state, attachments?.length ? { ...node, attachments } : node);
      const detailsAt = state.title === null ? at : state.detailsAt;
      return { ...added, head: id, title, detailsAt };
    }
    case 'head-moved': {
      if (!state.nodes.has(action.id)) return state;
      const head = newestLeaf(state.nodes, action.id);
      return head === state.head ? state : { ...state, head };
    }
    case 'answer-started': {
      const { id, parentId, model, at } = action;
      if (state.run !== null || !fits(state, id, parentId)) return state;
      const node = newNode({ id, parentId, role: 'assistant', text: '', createdAt: at, model });
      return { ...withNode(state, node), head: id, run: { messageId: id, phase: { kind: 'connecting' } } };
    }
    case 'answer-continued': {
      const node = state.nodes.get(action.id);
      if (state.run !== null || node?.role !== 'assistant' || node.end === undefined) return state;
      const { end: _, ...open } = node;
      const run = { messageId: node.id, phase: { kind: 'connecting' }, before: node } as const;
      return {
        ...withNode(state, { ...open, changedAt: changeTime(node, action.at, true) }),
        head: node.id,
        run,
      };
    }
    case 'answer-dropped': {
      const node = state.nodes.get(action.id);
      if (node?.role !== 'assistant' || childrenOf(state.nodes, node.id).length > 0) return state;
      return without(state, node, action.at);
    }
    case 'message-removed': {
      const node = state.nodes.get(action.id);
      return node === undefined ? state : without(state, node, action.at);
    }
    case 'messages-restored':
      return restored(state, action.nodes, action.head, action.at);
    case 'feedback-given': {
      const node = state.nodes.get(action.id);
      if (node?.role !== 'assistant' || (action.feedback === null && node.feedback === undefined))
        return state;
      const { feedback: _, ...rest } = node;
      const given = action.feedback === null ? {} : { feedback: action.feedback };
      return withNode(state, { ...rest, ...given, changedAt: changeTime(node, action.at, true) });
    }
    case 'sources-added': {
      const node = state.nodes.get(action.id);
      if (node === undefined || action.sources.length === 0) return state;
      const sources = new Map(
        [...(node.sources ?? []), ...action.sources].map((source) => [source.id, source]),
      );
      const changedAt = changeTime(node, action.at, true);
      return withNode(state, { ...node, sources: [...sources.values()], changedAt });
    }
    case 'context-cut':
      return state.cut === action.cut ? state : { ...state, cut: action.cut };
    case 'turn-queued':
    case 'turn-edited':
    case 'turn-moved':
    case 'turn-unqueued':
    case 'queue-paused':
    case 'queue-resumed':
      return reduceQueue(state, action);
    default:
      return reduceRun(state, action);
  }
}

/** Later than the last such change, whatever the clock says: the newest wins when records are put together. */
function detailsTime({ detailsAt }: ConversationState, at: number): number {
  return Math.max(at, detailsAt + 1);
}

/** What a record tells about messages and details. Answers that somebody else still writes are stopped, for us. */
function adopted(state: ConversationState, record: ConversationRecord): ConversationState {
  const { title, model, pinned, archived, nodes, removed, detailsAt, cut } = record;
  const known = new Map(nodes.map((node) => [node.id, withoutOpenEnd(node)]));
  const deleted = new Map(removed);
  // Nobody writes into the answer of this run but this run, and nobody takes it away.
  for (const id of pathTo(state.nodes, state.run?.messageId ?? null)) {
    const ours = state.nodes.get(id) as MessageNode;
    if (id === state.run?.messageId || !known.has(id)) known.set(id, ours);
    deleted.delete(id);
  }
  return {
    ...state,
    title,
    model,
    pinned,
    archived,
    nodes: state.run === null ? known : inOrder(known),
    removed: deleted,
    detailsAt,
    cut,
  };
}

function merged(state: ConversationState, record: ConversationRecord): ConversationState {
  if (record.id !== state.id) return state;
  const { nodes } = state;
  const same =
    record.nodes.length === nodes.size && record.nodes.every((node) => nodes.get(node.id) === node);
  if (same && record.detailsAt === state.detailsAt && record.removed.length === state.removed.size)
    return state;
  const next = adopted(state, record);
  const queue = state.queue.filter(({ id }) => !next.nodes.has(id));
  return {
    ...next,
    ...(same && { nodes }),
    model: record.model ?? state.model,
    queue: queue.length === state.queue.length ? state.queue : queue,
    head: headAfterMerge(state, next.nodes, record.head),
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

function without(state: ConversationState, root: MessageNode, at: number): ConversationState {
  const gone = subtreeOf(state.nodes, root.id);
  const nodes = new Map(state.nodes);
  const removed = new Map(state.removed);
  for (const { id, changedAt, createdAt } of gone) {
    if (state.run?.messageId === id) return state;
    nodes.delete(id);
    // Never before the last change: a clock that went back must not bring the message back.
    removed.set(id, Math.max(at, changedAt ?? createdAt));
  }
  let { head } = state;
  if (head !== null && !nodes.has(head)) {
    head = root.parentId === null ? lastLeaf(nodes) : newestLeaf(nodes, root.parentId);
  }
  return { ...state, nodes, removed, head };
}

function restored(
  state: ConversationState,
  back: readonly MessageNode[],
  head: string | null,
  at: number,
): ConversationState {
  const nodes = new Map(state.nodes);
  const removed = new Map(state.removed);
  for (const node of back) {
    if (nodes.has(node.id) || (node.parentId !== null && !nodes.has(node.parentId))) continue;
    const changedAt = Math.max(at, (removed.get(node.id) ?? 0) + 1);
    nodes.set(node.id, withoutOpenEnd({ ...node, changedAt }));
    removed.delete(node.id);
  }
  if (nodes.size === state.nodes.size) return state;
  const shown = state.run === null && head !== null && nodes.has(head) ? head : state.head;
  return { ...state, nodes: inOrder(nodes), removed, head: shown };
}

/** Siblings stand oldest first, also those that come back. */
function inOrder(nodes: Map<string, MessageNode>): Map<string, MessageNode> {
  const sorted = [...nodes.values()].sort((one, other) => one.createdAt - other.createdAt);
  const placed = new Map<string, MessageNode>();
  const place = (node: MessageNode): void => {
    const parent = node.parentId === null ? undefined : nodes.get(node.parentId);
    if (parent !== undefined && !placed.has(parent.id)) place(parent);
    placed.set(node.id, node);
  };
  for (const node of sorted) if (!placed.has(node.id)) place(node);
  return placed;
}

function lastLeaf(nodes: ConversationState['nodes']): string | null {
  const top = childrenOf(nodes, null).at(-1);
  return top === undefined ? null : newestLeaf(nodes, top);
}

/** Whether a new message may stand there: a fresh id below a message that exists, or at the top. */
function fits(state: ConversationState, id: string, parentId: string | null): boolean {
  return !state.nodes.has(id) && !state.removed.has(id) && (parentId === null || state.nodes.has(parentId));
}

function newNode(
  node: Pick<MessageNode, 'id' | 'parentId' | 'role' | 'text' | 'createdAt' | 'model'>,
): MessageNode {
  return { thinking: '', toolCalls: [], ...node };
}

/** A run that was cut while its page went away is saved without an end: it was stopped. */
function withoutOpenEnd(node: MessageNode): MessageNode {
  return node.role === 'assistant' && node.end === undefined ? { ...node, end: { kind: 'stopped' } } : node;
}
