import type { ForeignConversation, ForeignNode } from './foreign-tree.ts';
import { asList, asObject, asText, asTimeMs } from './untrusted.ts';

/** Whether this is a conversation as ChatGPT's `conversations.json` holds them. */
export function isChatGpt(item: Record<string, unknown>): boolean {
  return asObject(item['mapping']) !== undefined;
}

/**
 * A conversation of ChatGPT's data export. What people do not see there is left out: system messages, tool calls and
 * results, hidden messages. Thoughts become the thinking of the answer that follows. Images are in other files of the
 * export and are not brought along.
 */
export function fromChatGpt(item: Record<string, unknown>): ForeignConversation | null {
  const id = asText(item['conversation_id']) ?? asText(item['id']);
  const mapping = asObject(item['mapping']) ?? {};
  if (id === undefined || id === '') return null;
  const entries = Object.entries(mapping).flatMap(([key, value]) => {
    const entry = asObject(value);
    return entry === undefined || key === '' ? [] : [[key, entry] as const];
  });
  const thoughts = new Map(entries.map(([key, entry]) => [key, thoughtsOf(asObject(entry['message']))]));
  const nodes = entries.map(([key, entry]): ForeignNode => {
    const parentId = asText(entry['parent']) ?? null;
    const message = asObject(entry['message']);
    const thinking = parentId === null ? '' : (thoughts.get(parentId) ?? '');
    return {
      id: key,
      parentId,
      createdAt: asTimeMs(message?.['create_time']),
      message: message === undefined ? undefined : messageOf(message, thinking),
    };
  });
  return {
    id,
    title: asText(item['title']),
    model: asText(item['default_model_slug']),
    archived: item['is_archived'] === true,
    createdAt: asTimeMs(item['create_time']),
    updatedAt: asTimeMs(item['update_time']),
    currentId: asText(item['current_node']),
    nodes,
  };
}

function messageOf(message: Record<string, unknown>, thinking: string): ForeignNode['message'] {
  const role = asText(asObject(message['author'])?.['role']);
  const metadata = asObject(message['metadata']) ?? {};
  const recipient = message['recipient'] ?? 'all';
  if ((role !== 'user' && role !== 'assistant') || recipient !== 'all') return undefined;
  if (metadata['is_visually_hidden_from_conversation'] === true) return undefined;
  const content = asObject(message['content']) ?? {};
  const kind = content['content_type'];
  if (kind !== 'text' && kind !== 'multimodal_text') return undefined;
  const parts = asList(content['parts']).flatMap(
    (part) => asText(part) ?? asText(asObject(part)?.['text']) ?? [],
  );
  const text = parts.join('\n\n');
  if (text === '' && thinking === '') return undefined;
  if (role === 'user') return { role, text, thinking: '', toolCalls: [] };
  const model = asText(metadata['model_slug']);
  const end = { kind: 'complete', finishReason: 'stop' } as const;
  return { role, text, thinking, toolCalls: [], end, ...(model !== undefined && { model }) };
}

function thoughtsOf(message: Record<string, unknown> | undefined): string {
  const content = asObject(message?.['content']);
  if (content?.['content_type'] !== 'thoughts') return '';
  return asList(content['thoughts'])
    .flatMap((thought) => asText(asObject(thought)?.['content']) ?? [])
    .join('\n\n');
}
