import type { ChatMessage, ChatRequest } from '@ziggie/llm-protocol';
import { pathTo } from './tree.ts';
import type { ConversationOptions, ConversationState, MessageNode } from './types.ts';

/** The request for an answer below `parentId`. */
export function toRequest(
  options: Pick<ConversationOptions, 'system' | 'think' | 'options'>,
  model: string,
  nodes: ConversationState['nodes'],
  parentId: string,
): ChatRequest {
  const request: ChatRequest = { model, messages: toRequestMessages(nodes, parentId, options.system) };
  if (options.think !== undefined) request.think = options.think;
  if (options.options !== undefined) request.options = options.options;
  return request;
}

/**
 * What a model gets to read for an answer below `parentId`: the system prompt first, then the branch down to there.
 *
 * Failed answers and answers without text or tool calls are left out; answers that were stopped go along as far as they
 * were written. Thinking stays here: models expect it back only within tool loops.
 */
export function toRequestMessages(
  nodes: ConversationState['nodes'],
  parentId: string | null,
  system?: string | undefined,
): ChatMessage[] {
  const messages: ChatMessage[] = system ? [{ role: 'system', content: system }] : [];
  for (const id of pathTo(nodes, parentId)) {
    const node = nodes.get(id);
    if (node === undefined || !isWorthSending(node)) continue;
    const message: ChatMessage = { role: node.role, content: node.text };
    if (node.toolCalls.length > 0) message.toolCalls = node.toolCalls;
    messages.push(message);
  }
  return messages;
}

function isWorthSending(node: MessageNode): boolean {
  if (node.role !== 'assistant') return true;
  return node.end?.kind !== 'failed' && (node.text !== '' || node.toolCalls.length > 0);
}
