import type { Timings, Usage } from '@ziggie/llm-protocol';
import { migrateRecord } from './migrate.ts';
import {
  boolean,
  byKind,
  corrupt,
  list,
  maybe,
  members,
  number,
  object,
  oneOf,
  orNull,
  pair,
  string,
} from './read-value.ts';
import { ConversationStorageError } from './storage-error.ts';
import type {
  Attachment,
  ContextCut,
  ConversationRecord,
  ConversationState,
  Feedback,
  MessageNode,
  QueuedTurn,
  Source,
  ToolUse,
  TurnEnd,
  TurnFailure,
} from './types.ts';

/** The version that this library writes. Older ones are brought up to it, newer ones refused. */
export const RECORD_VERSION = 2;

/**
 * The saved form of a state. A run in progress is saved as far as it is written; its message has no end.
 *
 * @param writingAt When the answer in progress counts as changed, so that a deletion elsewhere does not take it away. By
 *   the clock of its run, which what comes after is told by as well: nothing saved may look newer than its own future.
 */
export function toRecord(
  state: ConversationState,
  updatedAt: number,
  writingAt?: number | undefined,
): ConversationRecord {
  const { id, title, model, pinned, archived, head, run, removed, queue, cut, detailsAt } = state;
  const nodes = [...state.nodes.values()];
  const open =
    writingAt !== undefined && run !== null ? nodes.findIndex((node) => node.id === run.messageId) : -1;
  if (open >= 0) nodes[open] = { ...(nodes[open] as MessageNode), changedAt: writingAt };
  return {
    version: RECORD_VERSION,
    id,
    title,
    model,
    pinned,
    archived,
    head,
    nodes,
    removed: [...removed],
    queue: [...queue],
    cut,
    updatedAt,
    detailsAt,
  };
}

/**
 * Reads a saved record as what it is: untrusted. Every member is checked and copied; members that are not ours are
 * dropped. A parent must stand before its children, which rules out missing parents and cycles.
 *
 * @throws {ConversationStorageError} `newer_record` for a higher version, else `corrupt_record`. The message names the
 *   member, never its value.
 */
export function parseRecord(value: unknown, id: string): ConversationRecord {
  const given = object(value);
  const { version } = given;
  if (typeof version === 'number' && Number.isInteger(version) && version > RECORD_VERSION) {
    throw new ConversationStorageError(
      'newer_record',
      `Reading a saved conversation: it has version ${version}, this library reads version ${RECORD_VERSION}. ` +
        'Update the library to open it.',
    );
  }
  const record = migrateRecord(given, RECORD_VERSION);
  if (record === null) throw corrupt('version');
  const read = readRecord(record);
  if (read.id !== id) throw corrupt('id');
  const seen = new Set<string>();
  for (const [index, node] of read.nodes.entries()) {
    if (node.id === '' || seen.has(node.id)) throw corrupt(`nodes[${index}].id`);
    if (node.parentId !== null && !seen.has(node.parentId)) throw corrupt(`nodes[${index}].parentId`);
    seen.add(node.id);
  }
  if (read.head !== null && !seen.has(read.head)) throw corrupt('head');
  return read;
}

const readToolCall = members<ToolUse>({
  id: string,
  name: string,
  arguments: object,
  round: maybe(number),
  textAt: maybe(number),
  thinkingAt: maybe(number),
  state: maybe(oneOf('called', 'waiting', 'running', 'done', 'failed', 'denied')),
  result: maybe(string),
  durationMs: maybe(number),
});

const readAttachments = list<Attachment>(
  byKind({
    image: members({ kind: oneOf('image'), data: string, mediaType: string, name: maybe(string) }),
    file: members({ kind: oneOf('file'), name: string, text: string, mediaType: maybe(string) }),
  }),
);

const readSource = members<Source>({
  id: string,
  title: maybe(string),
  url: maybe(string),
  excerpt: maybe(string),
});

const readFailure = members<TurnFailure>({
  code: string,
  message: string,
  retryable: boolean,
  status: maybe(number),
  requestId: maybe(string),
  retryAt: maybe(number),
});

const readEnd = byKind<TurnEnd>({
  complete: members({ kind: oneOf('complete'), finishReason: oneOf('stop', 'length', 'tool_calls') }),
  stopped: members({ kind: oneOf('stopped') }),
  failed: members({ kind: oneOf('failed'), failure: readFailure }),
});

const readNode = members<MessageNode>({
  id: string,
  parentId: orNull(string),
  role: oneOf('system', 'user', 'assistant', 'tool'),
  text: string,
  thinking: string,
  toolCalls: list(readToolCall),
  createdAt: number,
  changedAt: maybe(number),
  attachments: maybe(readAttachments),
  sources: maybe(list(readSource)),
  feedback: maybe(members<Feedback>({ rating: oneOf('up', 'down'), at: number, note: maybe(string) })),
  thinkingMs: maybe(number),
  model: maybe(string),
  end: maybe(readEnd),
  usage: maybe(
    members<Usage>({
      inputTokens: number,
      outputTokens: number,
      source: oneOf('upstream', 'estimated'),
      cachedInputTokens: maybe(number),
    }),
  ),
  timings: maybe(
    members<Timings>({
      queueMs: maybe(number),
      loadMs: maybe(number),
      prefillMs: maybe(number),
      decodeMs: maybe(number),
      ttftMs: maybe(number),
      totalMs: maybe(number),
    }),
  ),
});

const readTurn = members<QueuedTurn>({
  id: string,
  text: string,
  model: string,
  queuedAt: number,
  attachments: maybe(readAttachments),
});

const readRecord = members<ConversationRecord>({
  version: () => RECORD_VERSION,
  id: string,
  title: orNull(string),
  model: orNull(string),
  pinned: boolean,
  archived: boolean,
  head: orNull(string),
  nodes: list(readNode),
  removed: list(pair(string, number)),
  queue: list(readTurn),
  cut: orNull(members<ContextCut>({ firstId: string, summary: maybe(string) })),
  updatedAt: number,
  detailsAt: number,
});
