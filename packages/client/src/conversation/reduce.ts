import type { AnswerWritten, ConversationAction, RunAction } from './actions.ts';
import { canEnter, writingSpeed } from './phases.ts';
import { titleOf } from './title.ts';
import { childrenOf, newestLeaf } from './tree.ts';
import type { ConversationState, MessageNode, RunPhase, TurnEnd } from './types.ts';

/** A conversation without messages. */
export function emptyState(id: string, model: string | null): ConversationState {
  return { id, title: null, model, nodes: new Map(), head: null, run: null };
}

/**
 * The state after an action. Pure; an action that does not fit gives back the same object, so `===` tells whether
 * anything happened.
 */
export function reduce(state: ConversationState, action: ConversationAction): ConversationState {
  switch (action.type) {
    case 'conversation-loaded': {
      if (state.nodes.size > 0 || state.run !== null || action.record.id !== state.id) return state;
      const { title, model, head, nodes } = action.record;
      const loaded = nodes.map((node): [string, MessageNode] => [node.id, withoutOpenEnd(node)]);
      return { ...state, title, model: model ?? state.model, head, nodes: new Map(loaded) };
    }
    case 'conversation-cleared':
      return emptyState(state.id, state.model);
    case 'model-set':
      return state.model === action.model ? state : { ...state, model: action.model };
    case 'message-added': {
      const { id, parentId, text, at } = action;
      if (state.run !== null || !fits(state, id, parentId)) return state;
      const node = newNode({ id, parentId, role: 'user', text, createdAt: at });
      return { ...withNode(state, node), head: id, title: state.title ?? titleOf(text) };
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
    case 'answer-dropped': {
      const node = state.nodes.get(action.id);
      if (node?.role !== 'assistant' || state.run?.messageId === node.id) return state;
      if (childrenOf(state.nodes, node.id).length > 0) return state;
      const nodes = new Map(state.nodes);
      nodes.delete(node.id);
      return { ...state, nodes, head: state.head === node.id ? node.parentId : state.head };
    }
    default:
      return reduceRun(state, action);
  }
}

function reduceRun(state: ConversationState, action: RunAction): ConversationState {
  const node = state.nodes.get(action.id);
  if (state.run?.messageId !== action.id || node === undefined) return state;
  const { phase } = state.run;
  switch (action.type) {
    case 'run-accepted':
      return phase.kind === 'reading' ? state : enter(state, { kind: 'reading', startedAt: action.at });
    case 'run-queued': {
      const { position, of, etaMs } = action;
      return enter(state, { kind: 'queued', position, of, etaMs });
    }
    case 'run-loading': {
      const { model, typicalMs } = action;
      // The start is counted back from each event; holding on to the first keeps the time on screen from jumping.
      const startedAt =
        phase.kind === 'loading' && phase.model === model ? phase.startedAt : action.startedAt;
      return enter(state, { kind: 'loading', model, startedAt, typicalMs });
    }
    case 'answer-written':
      return written(state, node, phase, action);
    case 'tool-called': {
      const { call, at } = action;
      const called = { ...leavingThinking(node, phase, at), toolCalls: [...node.toolCalls, call] };
      return enter(withNode(state, called), { kind: 'tool', callId: call.id, name: call.name });
    }
    case 'answer-voided': {
      // Once a stop was asked for, what is there is kept: no other attempt will be read.
      if (phase.kind === 'stopping') return state;
      const { thinkingMs: _, usage: __, ...rest } = node;
      const empty: MessageNode = { ...rest, text: '', thinking: '', toolCalls: [] };
      return enter(withNode(state, empty), { kind: 'connecting' });
    }
    case 'usage-counted':
      return withNode(state, { ...node, usage: action.usage });
    case 'stop-asked':
      return enter(state, { kind: 'stopping' });
    case 'answer-ended': {
      const { timings, at } = action;
      // The stop came first: whatever ends the stream after it, for the reader the answer was stopped.
      const end: TurnEnd = phase.kind === 'stopping' ? { kind: 'stopped' } : action.end;
      const ended = { ...leavingThinking(node, phase, at), end, ...(timings && { timings }) };
      return { ...withNode(state, ended), run: null };
    }
  }
}

function written(
  state: ConversationState,
  node: MessageNode,
  phase: RunPhase,
  action: AnswerWritten,
): ConversationState {
  let next: MessageNode = {
    ...node,
    thinking: node.thinking + action.thinking,
    text: node.text + action.text,
  };
  let current = phase;
  if (action.thinkingAt !== null && current.kind !== 'thinking' && canEnter(current.kind, 'thinking')) {
    current = { kind: 'thinking', startedAt: action.thinkingAt };
  }
  if (action.textAt !== null && canEnter(current.kind, 'writing')) {
    next = leavingThinking(next, current, action.textAt);
    const startedAt = current.kind === 'writing' ? current.startedAt : action.textAt;
    const tokens = (current.kind === 'writing' ? current.tokens : 0) + action.tokens;
    const tokensPerSecond = writingSpeed(tokens, action.at - startedAt);
    current = { kind: 'writing', startedAt, tokens, tokensPerSecond };
  }
  return { ...withNode(state, next), run: { messageId: node.id, phase: current } };
}

/** The node with the time of the thinking that ends here added, when the phase is `thinking`. */
function leavingThinking(node: MessageNode, phase: RunPhase, at: number): MessageNode {
  if (phase.kind !== 'thinking') return node;
  return { ...node, thinkingMs: (node.thinkingMs ?? 0) + Math.max(0, at - phase.startedAt) };
}

function enter(state: ConversationState, phase: RunPhase): ConversationState {
  if (state.run === null || !canEnter(state.run.phase.kind, phase.kind)) return state;
  return { ...state, run: { messageId: state.run.messageId, phase } };
}

/** Whether a new message may stand there: a fresh id below a message that exists, or at the top. */
function fits(state: ConversationState, id: string, parentId: string | null): boolean {
  return !state.nodes.has(id) && (parentId === null || state.nodes.has(parentId));
}

function withNode(state: ConversationState, node: MessageNode): ConversationState {
  return { ...state, nodes: new Map(state.nodes).set(node.id, node) };
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
