import type { ConversationAction } from './actions.ts';
import { changeTime, leavingThinking, withNode } from './answer.ts';
import type { MessageNode } from './message.ts';
import { reduceQueue } from './queue.ts';
import { titleOf } from './title.ts';
import { childrenOf, inOrder, lastLeaf, newestLeaf, subtreeOf } from './tree.ts';
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
        ...state,
        ...contentsOf(action.record),
        head,
        model: model ?? state.model,
        queue: waiting,
        // What was sent in another life waits until somebody looks at it.
        queuePause: queue.length > 0 ? 'reloaded' : state.queuePause,
      };
    }
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
    case 'turn-queued':
    case 'turn-edited':
    case 'turn-moved':
    case 'turn-unqueued':
    case 'queue-paused':
    case 'queue-resumed':
      return reduceQueue(state, action);
    case 'stop-asked': {
      const { run } = state;
      if (run?.messageId !== action.id || run.phase.kind === 'stopping') return state;
      return { ...state, run: { ...run, phase: { kind: 'stopping' } } };
    }
    case 'answer-ended': {
      const { run } = state;
      const node = state.nodes.get(action.id);
      if (run?.messageId !== action.id || node === undefined) return state;
      // The stop came first: whatever ends the stream after it, for the reader the answer was stopped.
      const end = run.phase.kind === 'stopping' ? ({ kind: 'stopped' } as const) : action.end;
      const ended = leavingThinking(node, run.phase, action.at);
      const changedAt = changeTime(node, action.at);
      const { timings = node.timings } = action;
      return { ...withNode(state, { ...ended, end, changedAt, ...(timings && { timings }) }), run: null };
    }
    default:
      return state;
  }
}

/** Later than the last such change, whatever the clock says: the newest wins when records are put together. */
function detailsTime({ detailsAt }: ConversationState, at: number): number {
  return Math.max(at, detailsAt + 1);
}

/** What a record tells about messages and details. Answers that somebody else still writes are stopped, for us. */
export function contentsOf({ title, pinned, archived, nodes, removed, detailsAt, cut }: ConversationRecord) {
  return {
    title,
    pinned,
    archived,
    nodes: new Map(nodes.map((node) => [node.id, withoutOpenEnd(node)])),
    removed: new Map(removed),
    detailsAt,
    cut,
  };
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
