import type { AnswerWritten, RunAction } from './actions.ts';
import { changeTime, leavingThinking, withNode } from './answer.ts';
import type { MessageNode, ToolUse } from './message.ts';
import { canEnter, writingSpeed } from './phases.ts';
import { addUsage } from './sums.ts';
import type { ConversationState, RunPhase } from './types.ts';

/** The state after something that a run brings; the same object when it is not of the run in progress. */
export function reduceRun(state: ConversationState, action: RunAction): ConversationState {
  const node = state.nodes.get(action.id);
  if (state.run?.messageId !== action.id || node === undefined) return state;
  const { phase, before } = state.run;
  switch (action.type) {
    case 'context-cut':
      return state.cut === action.cut ? state : { ...state, cut: action.cut };
    case 'run-accepted':
      return phase.kind === 'reading' ? state : enter(state, { kind: 'reading', startedAt: action.at });
    case 'run-retrying': {
      const { attempt, nextTryAt, at } = action;
      if (!canEnter(phase.kind, 'reconnecting')) return state;
      const paused = phase.kind === 'thinking' ? withNode(state, leavingThinking(node, phase, at)) : state;
      return enter(paused, { kind: 'reconnecting', attempt, maxAttempts: null, nextTryAt });
    }
    case 'run-retried':
      return phase.kind === 'reconnecting' ? enter(state, { kind: 'connecting' }) : state;
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
      const use: ToolUse = {
        ...call,
        round: roundOf(before),
        textAt: node.text.length,
        thinkingAt: node.thinking.length,
      };
      const called = {
        ...leavingThinking(node, phase, at),
        toolCalls: [...node.toolCalls, use],
        changedAt: changeTime(node, at),
      };
      return enter(withNode(state, called), { kind: 'tool', callId: call.id, name: call.name });
    }
    case 'tool-noted': {
      const { callId } = action;
      const use = node.toolCalls.find((call) => isOpen(call, before) && call.id === callId);
      if (use === undefined) return state;
      const noted = changed(node, use, { state: action.state });
      return enter(withNode(state, noted), { kind: 'tool', callId, name: use.name });
    }
    case 'tool-answered': {
      const { outcome, durationMs, at } = action;
      const use = node.toolCalls.find((call) => isOpen(call, before) && call.id === outcome.callId);
      if (use === undefined) return state;
      const { content: result, state: how = 'done', sources } = outcome;
      const answered = changed(node, use, { state: how, result, durationMs });
      const known = new Map(
        [...(node.sources ?? []), ...(sources ?? [])].map((source) => [source.id, source]),
      );
      const cited = known.size > 0 ? { ...answered, sources: [...known.values()] } : answered;
      return withNode(state, { ...cited, changedAt: changeTime(node, at) });
    }
    case 'round-started': {
      const timed = { ...node, timings: action.timings };
      const next = withNode(state, timed);
      if (phase.kind === 'stopping') return next;
      return { ...next, run: { messageId: node.id, phase: { kind: 'connecting' }, before: timed } };
    }
    case 'answer-voided': {
      // Once a stop was asked for, what is there is kept: no other attempt will be read.
      if (phase.kind === 'stopping') return state;
      const { thinkingMs: _, usage: __, ...rest } = node;
      const { text, thinking, toolCalls, thinkingMs, usage } = before ?? emptyAnswer;
      const kept = { text, thinking, toolCalls, ...(thinkingMs !== undefined && { thinkingMs }) };
      const empty: MessageNode = { ...rest, ...kept, ...(usage && { usage }) };
      return enter(withNode(state, empty), { kind: 'connecting' });
    }
    case 'usage-counted':
      return withNode(state, { ...node, usage: addUsage(before?.usage, action.usage) });
    default:
      return state;
  }
}

const emptyAnswer: Pick<MessageNode, 'text' | 'thinking' | 'toolCalls' | 'thinkingMs' | 'usage'> = {
  text: '',
  thinking: '',
  toolCalls: [],
};

/** Rounds are counted by the calls that were there before: a continued answer goes on counting. */
function roundOf(before: MessageNode | undefined): number {
  const last = before?.toolCalls.at(-1);
  return last === undefined ? 0 : (last.round ?? 0) + 1;
}

/** Whether a call is one of the round in progress and has no outcome yet. Engines give the same id again in later rounds. */
function isOpen(use: ToolUse, before: MessageNode | undefined): boolean {
  return use.result === undefined && (use.round ?? 0) === roundOf(before);
}

function changed(node: MessageNode, use: ToolUse, members: Partial<ToolUse>): MessageNode {
  return {
    ...node,
    toolCalls: node.toolCalls.map((other) => (other === use ? { ...use, ...members } : other)),
  };
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
    changedAt: changeTime(node, action.at),
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
  const after = withNode(state, next);
  return state.run === null ? after : { ...after, run: { ...state.run, phase: current } };
}

function enter(state: ConversationState, phase: RunPhase): ConversationState {
  if (state.run === null || !canEnter(state.run.phase.kind, phase.kind)) return state;
  return { ...state, run: { ...state.run, phase } };
}
