import type { MessageNode, ToolUse } from '../message.ts';
import { parseRecord } from '../record.ts';
import type { ConversationRecord } from '../storage-port.ts';
import { pathTo } from '../tree.ts';

/** Names the form of an export; readers look for it. */
export const EXPORT_FORMAT = 'ziggie-conversations';

/**
 * Conversations as JSON text, with every branch, attachment and count: what `importConversations` reads back without loss.
 * The same conversations give the same text.
 *
 * @throws {ConversationStorageError} when one is not a record of ours.
 */
export function exportJson(conversations: readonly ConversationRecord[]): string {
  // Read as a file would be: members in one order, none that is not ours.
  const checked = conversations.map((record) => parseRecord(record, record.id));
  return JSON.stringify({ format: EXPORT_FORMAT, version: 1, conversations: checked }, null, 2);
}

/** What goes into a Markdown export. */
export interface MarkdownOptions {
  /** Default `false`. */
  thinking?: boolean | undefined;
  /** Tool calls and their results. Default `false`. */
  tools?: boolean | undefined;
  /** Heading of the user's messages. Default `You`. */
  userName?: string | undefined;
}

/**
 * The shown branch as Markdown, for reading and for passing on. Messages are headings of the second level; what was written
 * in them stands as it was. Files are quoted, images named. Answers that failed without a word are left out.
 */
export function exportMarkdown(record: ConversationRecord, options: MarkdownOptions = {}): string {
  const nodes = new Map(record.nodes.map((node) => [node.id, node]));
  const blocks = [`# ${oneLine(record.title ?? 'Conversation')}`];
  for (const id of pathTo(nodes, record.head)) {
    const node = nodes.get(id) as MessageNode;
    const body = bodyOf(node, options);
    if (body.length > 0) blocks.push(`## ${headingOf(node, options)}`, ...body);
  }
  return `${blocks.join('\n\n')}\n`;
}

function headingOf({ role, model }: MessageNode, { userName = 'You' }: MarkdownOptions): string {
  if (role === 'user') return oneLine(userName);
  if (role === 'assistant') return oneLine(model ?? 'Assistant');
  return role === 'system' ? 'System' : 'Tool';
}

function bodyOf(node: MessageNode, options: MarkdownOptions): string[] {
  const blocks: string[] = [];
  if (options.thinking && node.thinking !== '') blocks.push(quoted(node.thinking));
  for (const attachment of node.attachments ?? []) {
    if (attachment.kind === 'image')
      blocks.push(`*Image: ${oneLine(attachment.name ?? attachment.mediaType)}*`);
    else blocks.push(`*File: ${oneLine(attachment.name)}*`, fenced(attachment.text));
  }
  if (options.tools) blocks.push(...node.toolCalls.flatMap(toolBlocks));
  if (node.text.trim() !== '') blocks.push(node.text.trim());
  const sources = (node.sources ?? []).map(
    ({ title, url, id }) => `- ${oneLine(title ?? url ?? id)}${url ? ` <${oneLine(url)}>` : ''}`,
  );
  if (sources.length > 0) blocks.push(sources.join('\n'));
  if (blocks.length > 0 && node.end?.kind === 'stopped') blocks.push('*(stopped)*');
  return blocks;
}

function toolBlocks({ name, arguments: given, result }: ToolUse): string[] {
  const call = [`*Tool: ${oneLine(name)}*`, fenced(JSON.stringify(given, null, 2))];
  return result === undefined ? call : [...call, fenced(result)];
}

function quoted(text: string): string {
  return text
    .trim()
    .split('\n')
    .map((line) => `> ${line}`.trimEnd())
    .join('\n');
}

function fenced(text: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${text}\n${fence}`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
