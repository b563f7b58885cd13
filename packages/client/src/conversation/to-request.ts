import type { ChatMessage, ChatRequest, ToolCall } from '@ziggie/llm-protocol';
import type { Attachment, MessageNode, ToolUse } from './message.ts';
import type { TurnTools } from './ports.ts';
import { pathTo } from './tree.ts';
import type { ConversationOptions, ConversationState } from './types.ts';

/** One message of the branch and what a model gets to read of it. */
export interface BranchPart {
  readonly node: MessageNode;
  readonly messages: readonly ChatMessage[];
}

/** Asks in words for the rest of an answer, where a server does not take the beginning of one. */
const CONTINUE = 'Go on exactly where your last answer ends. Repeat nothing and add no introduction.';

/** What a model reads in place of a result when nobody ran its call. */
const NOT_RUN = 'This tool was not run.';

/**
 * What a model gets to read of a branch for the answer `answerId` below `parentId`.
 *
 * Failed answers and answers without text or tool calls are left out; answers that were stopped go along as far as they
 * were written. Thinking stays here: models expect it back only within the tool loop in progress. An answer in progress
 * comes last: its rounds so far, and with `prefill` its open text for the model to go on with.
 */
export function branchFor(
  nodes: ConversationState['nodes'],
  parentId: string | null,
  answerId?: string | undefined,
  prefill = true,
): BranchPart[] {
  const parts: BranchPart[] = [];
  for (const id of pathTo(nodes, parentId)) {
    const node = nodes.get(id);
    if (node !== undefined && isWorthSending(node)) parts.push({ node, messages: messagesOf(node, false) });
  }
  const open = answerId === undefined ? undefined : nodes.get(answerId);
  if (open === undefined || (open.text === '' && open.toolCalls.length === 0)) return parts;
  const messages = messagesOf(open, true);
  // After tool results the model goes on by itself; after words of its own it has to be asked, or be given them.
  if (messages.at(-1)?.role === 'assistant' && !prefill) messages.push({ role: 'user', content: CONTINUE });
  parts.push({ node: open, messages });
  return parts;
}

/** The request with these messages. */
export function toRequest(
  options: Pick<ConversationOptions, 'think' | 'options'>,
  tools: TurnTools | undefined,
  model: string,
  messages: readonly ChatMessage[],
): ChatRequest {
  const request: ChatRequest = { model, messages };
  if (options.think !== undefined) request.think = options.think;
  if (options.options !== undefined) request.options = options.options;
  if (tools !== undefined && tools.definitions.length > 0) request.tools = tools.definitions;
  return request;
}

/** A message with the rounds of its tool calls: each round the model's words and calls, then the outcomes. */
function messagesOf(node: MessageNode, withThinking: boolean): ChatMessage[] {
  const messages: ChatMessage[] = [];
  let text = 0;
  let thinking = 0;
  for (const round of roundsOf(node.toolCalls)) {
    const last = round.at(-1) as ToolUse;
    const textEnd = last.textAt ?? node.text.length;
    const thinkingEnd = last.thinkingAt ?? node.thinking.length;
    const thought = withThinking ? node.thinking.slice(thinking, thinkingEnd) : '';
    messages.push({
      role: 'assistant',
      content: node.text.slice(text, textEnd),
      toolCalls: round.map(({ id, name, arguments: given }): ToolCall => ({ id, name, arguments: given })),
      ...(thought !== '' && { thinking: thought }),
    });
    for (const { id, name, result } of round) {
      messages.push({ role: 'tool', content: result ?? NOT_RUN, toolName: name, toolCallId: id });
    }
    text = textEnd;
    thinking = thinkingEnd;
  }
  const rest = node.text.slice(text);
  if (node.toolCalls.length === 0 || rest !== '') messages.push(plainMessage(node, rest));
  return messages;
}

function roundsOf(uses: readonly ToolUse[]): ToolUse[][] {
  const rounds: ToolUse[][] = [];
  for (const use of uses) {
    const current = rounds.at(-1);
    if (current !== undefined && current[0]?.round === use.round) current.push(use);
    else rounds.push([use]);
  }
  return rounds;
}

function plainMessage({ role, attachments = [] }: MessageNode, text: string): ChatMessage {
  const images = attachments.flatMap((attachment) => (attachment.kind === 'image' ? [attachment.data] : []));
  const files = attachments.flatMap((attachment) => (attachment.kind === 'file' ? [fenced(attachment)] : []));
  return {
    role,
    content: [...files, ...(text === '' && files.length > 0 ? [] : [text])].join('\n\n'),
    ...(images.length > 0 && { images }),
  };
}

/** A fence longer than any in the file, so that the file cannot end it. */
function fenced({ name, text }: Extract<Attachment, { kind: 'file' }>): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${name.replace(/[\r\n`]+/g, ' ')}\n${fence}\n${text}\n${fence}`;
}

function isWorthSending(node: MessageNode): boolean {
  if (node.role !== 'assistant') return true;
  return node.end?.kind !== 'failed' && (node.text !== '' || node.toolCalls.length > 0);
}
