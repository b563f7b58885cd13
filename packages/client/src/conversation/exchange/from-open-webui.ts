import type { Attachment } from '../message.ts';
import type { ForeignConversation, ForeignNode } from './foreign-tree.ts';
import { asList, asObject, asText, asTimeMs, objectsIn } from './untrusted.ts';

/** Whether this is a chat as Open WebUI exports them. */
export function isOpenWebUi(item: Record<string, unknown>): boolean {
  const chat = asObject(item['chat']);
  return chat !== undefined && (asObject(chat['history']) !== undefined || Array.isArray(chat['messages']));
}

/** A chat of Open WebUI's export: all branches, thinking taken out of its fold, images that are part of the file. */
export function fromOpenWebUi(item: Record<string, unknown>): ForeignConversation | null {
  const chat = asObject(item['chat']) ?? {};
  const id = asText(item['id']) ?? asText(chat['id']);
  if (id === undefined || id === '') return null;
  const history = asObject(chat['history']);
  const tree = Object.values(asObject(history?.['messages']) ?? {});
  const messages = objectsIn(tree.length > 0 ? tree : asList(chat['messages']));
  const nodes = messages.flatMap((message, index): ForeignNode[] => {
    const own = asText(message['id']) ?? (tree.length > 0 ? '' : `${index}`);
    if (own === '') return [];
    // Old exports hold a plain list: each message follows the one before.
    const before = index === 0 ? null : (asText(messages[index - 1]?.['id']) ?? `${index - 1}`);
    const parentId = tree.length > 0 ? (asText(message['parentId']) ?? null) : before;
    return [{ id: own, parentId, createdAt: asTimeMs(message['timestamp']), message: messageOf(message) }];
  });
  return {
    id,
    title: asText(item['title']) ?? asText(chat['title']),
    model: asText(asList(chat['models'])[0]),
    pinned: item['pinned'] === true,
    archived: item['archived'] === true,
    createdAt: asTimeMs(item['created_at']),
    updatedAt: asTimeMs(item['updated_at']),
    currentId: asText(history?.['currentId']),
    nodes,
  };
}

function messageOf(message: Record<string, unknown>): ForeignNode['message'] {
  const role = message['role'];
  const content = asText(message['content']) ?? '';
  if (role === 'user') {
    const attachments = imagesOf(message['files']);
    if (content === '' && attachments.length === 0) return undefined;
    return {
      role,
      text: content,
      thinking: '',
      toolCalls: [],
      ...(attachments.length > 0 && { attachments }),
    };
  }
  if (role !== 'assistant') return undefined;
  const { text, thinking } = withoutFolds(content);
  if (text === '' && thinking === '') return undefined;
  const model = asText(message['model']);
  const end = { kind: 'complete', finishReason: 'stop' } as const;
  return { role, text, thinking, toolCalls: [], end, ...(model !== undefined && { model }) };
}

const FOLD = '<details type="reasoning"';
const FOLD_END = '</details>';

/** Open WebUI writes thinking into the text, as a fold of quoted and escaped lines. */
function withoutFolds(content: string): { text: string; thinking: string } {
  let text = '';
  const thoughts: string[] = [];
  let at = 0;
  for (;;) {
    const start = content.indexOf(FOLD, at);
    const end = start < 0 ? -1 : content.indexOf(FOLD_END, start);
    if (end < 0) break;
    text += content.slice(at, start);
    const inside = content.slice(start, end);
    const summary = inside.indexOf('</summary>');
    thoughts.push(unquoted(inside.slice(summary < 0 ? inside.indexOf('>') + 1 : summary + 10)));
    at = end + FOLD_END.length;
  }
  return { text: (text + content.slice(at)).trim(), thinking: thoughts.join('\n\n') };
}

const entities: Readonly<Record<string, string>> = {
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#x27;': "'",
  '&#39;': "'",
  '&amp;': '&',
};

function unquoted(text: string): string {
  return text
    .replace(/&(?:lt|gt|quot|amp|#x27|#39);/g, (entity) => entities[entity] ?? entity)
    .trim()
    .replace(/^> ?/gm, '');
}

function imagesOf(files: unknown): Attachment[] {
  return asList(files).flatMap((value): Attachment[] => {
    const file = asObject(value);
    const url = asText(file?.['url']) ?? '';
    const match = /^data:(image\/[\w.+-]+);base64,/.exec(url.slice(0, 80));
    if (file?.['type'] !== 'image' || match === null) return [];
    const name = asText(file['name']);
    const image = { kind: 'image', mediaType: match[1] ?? '', data: url.slice(match[0].length) } as const;
    return [name === undefined ? image : { ...image, name }];
  });
}
