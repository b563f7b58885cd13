import { childrenOf } from './tree.ts';
import type { ConversationState, MessageNode } from './types.ts';

/** The message of the user that is to be said in other words. */
export function messageToEdit({ nodes }: ConversationState, messageId: string): MessageNode {
  const node = nodes.get(messageId);
  if (node?.role !== 'user') {
    throw new TypeError('Editing a message: there is no message of the user with this id.');
  }
  return node;
}

/** What `retry` takes up: the last question, or the last answer when it failed or was stopped. */
export function messageToRetry({ nodes, head }: ConversationState): MessageNode {
  const last = head === null ? undefined : nodes.get(head);
  const ended = last?.end?.kind;
  if (last?.role === 'user' || (last?.role === 'assistant' && (ended === 'failed' || ended === 'stopped')))
    return last;
  throw new Error('Retrying a turn: the last answer neither failed nor was stopped. Use regenerate().');
}

/** @param messageId The last message by default. */
export function answerToRegenerate(
  { nodes, head }: ConversationState,
  messageId: string | undefined,
): MessageNode {
  const node = nodes.get(messageId ?? head ?? '');
  if (node?.role !== 'assistant') throw new TypeError('Regenerating: there is no answer with this id.');
  return node;
}

/** @param messageId The last message by default. */
export function answerToContinue(
  { nodes, head }: ConversationState,
  messageId: string | undefined,
): MessageNode & { parentId: string } {
  const node = nodes.get(messageId ?? head ?? '');
  if (node?.role !== 'assistant' || node.parentId === null) {
    throw new TypeError('Continuing: there is no answer with this id.');
  }
  if (childrenOf(nodes, node.id).length > 0) {
    throw new Error('Continuing: the conversation has gone on after this answer.');
  }
  if (node.text === '' || (node.end?.kind === 'complete' && node.end.finishReason !== 'length')) {
    throw new Error('Continuing: this answer ended by itself, or holds no text. Use regenerate().');
  }
  return { ...node, parentId: node.parentId };
}
