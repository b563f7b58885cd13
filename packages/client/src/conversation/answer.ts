import type { MessageNode } from './message.ts';
import type { ConversationState, RunPhase } from './types.ts';

export function withNode(state: ConversationState, node: MessageNode): ConversationState {
  return { ...state, nodes: new Map(state.nodes).set(node.id, node) };
}

/**
 * When a message changed: never before its last change, whatever the clock says, and later than it where a change must win
 * over the message as it was.
 */
export function changeTime({ changedAt, createdAt }: MessageNode, at: number, later = false): number {
  const last = changedAt ?? createdAt;
  return at > last ? at : last + (later ? 1 : 0);
}

/** The node with the time of the thinking that ends here added, when the phase is `thinking`. */
export function leavingThinking(node: MessageNode, phase: RunPhase, at: number): MessageNode {
  if (phase.kind !== 'thinking') return node;
  return { ...node, thinkingMs: (node.thinkingMs ?? 0) + Math.max(0, at - phase.startedAt) };
}
