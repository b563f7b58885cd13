import { parseJson } from '@ziggie/llm-protocol';
import { parseRecord } from '../record.ts';
import type { ConversationRecord } from '../storage-port.ts';
import { EXPORT_FORMAT } from './export.ts';
import { toRecordFromForeign } from './foreign-tree.ts';
import { fromChatGpt, isChatGpt } from './from-chatgpt.ts';
import { fromOpenWebUi, isOpenWebUi } from './from-open-webui.ts';
import { asList, asObject, asText, objectsIn } from './untrusted.ts';

/** What came out of an import. */
export interface ImportResult {
  /** `null` when nothing was recognised. */
  readonly format: 'ziggie' | 'chatgpt' | 'open-webui' | null;
  readonly conversations: readonly ConversationRecord[];
  /** What was left out, by place in the file (counted from 0), and why. Never quotes the file. */
  readonly problems: readonly { readonly index: number; readonly message: string }[];
}

/** Deeper than any export is, far below what would exhaust the stack. */
const MAX_DEPTH = 128;

/**
 * Reads conversations from an export: ours (`exportJson`, without loss), ChatGPT's `conversations.json`, or Open WebUI's.
 * All branches come along. Ids are kept, so importing twice adds nothing twice. One broken conversation costs only itself.
 *
 * @throws {TypeError} when the text is not JSON.
 */
export function importConversations(text: string): ImportResult {
  let value: unknown;
  try {
    value = parseJson(text.replace(/^\ufeff/, ''), MAX_DEPTH);
  } catch (cause) {
    throw new TypeError(
      'Importing conversations: the file is not JSON. Give the export as it was downloaded.',
      {
        cause,
      },
    );
  }
  const whole = asObject(value);
  if (whole?.['format'] === EXPORT_FORMAT) {
    return collect('ziggie', asList(whole['conversations']), readOwn);
  }
  const items = Array.isArray(value) ? value : [value];
  const known = objectsIn(items);
  if (known.some(isChatGpt)) {
    return collect('chatgpt', items, (item) => toForeignRecord(isChatGpt(item) ? fromChatGpt(item) : null));
  }
  if (known.some(isOpenWebUi)) {
    return collect('open-webui', items, (item) =>
      toForeignRecord(isOpenWebUi(item) ? fromOpenWebUi(item) : null),
    );
  }
  const message = 'This is no export of Ziggie, ChatGPT (conversations.json) or Open WebUI.';
  return { format: null, conversations: [], problems: [{ index: 0, message }] };
}

function collect(
  format: ImportResult['format'],
  items: readonly unknown[],
  read: (item: Record<string, unknown>) => ConversationRecord | string,
): ImportResult {
  const conversations: ConversationRecord[] = [];
  const problems: { index: number; message: string }[] = [];
  for (const [index, value] of items.entries()) {
    const item = asObject(value);
    const result = item === undefined ? 'It is not a conversation.' : read(item);
    if (typeof result === 'string') problems.push({ index, message: result });
    else conversations.push(result);
  }
  return { format, conversations, problems };
}

function readOwn(item: Record<string, unknown>): ConversationRecord | string {
  try {
    return parseRecord(item, asText(item['id']) ?? '');
  } catch (error) {
    // Names the member, never its value.
    return (error as Error).message;
  }
}

function toForeignRecord(
  from: Parameters<typeof toRecordFromForeign>[0] | null,
): ConversationRecord | string {
  if (from === null) return 'It is not a conversation, or has no id.';
  return toRecordFromForeign(from) ?? 'It holds no messages.';
}
