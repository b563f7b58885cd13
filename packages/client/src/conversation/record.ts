import type { FinishReason, Role, Timings, Usage } from '@ziggie/llm-protocol';
import { migrateRecord } from './migrate.ts';
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
  ToolState,
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
  const given = object(value, 'the record');
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
  if (record['id'] !== id) throw corrupt('id');
  const seen = new Set<string>();
  const nodes = list(record['nodes'], 'nodes').map((item, index) => {
    const node = parseNode(item, `nodes[${index}]`, seen);
    seen.add(node.id);
    return node;
  });
  const head = stringOrNull(record['head'], 'head');
  if (head !== null && !seen.has(head)) throw corrupt('head');
  return {
    version: RECORD_VERSION,
    id,
    title: stringOrNull(record['title'], 'title'),
    model: stringOrNull(record['model'], 'model'),
    pinned: boolean(record['pinned'], 'pinned'),
    archived: boolean(record['archived'], 'archived'),
    head,
    nodes,
    removed: each(record['removed'], 'removed', (item, at): [string, number] => {
      const [removedId, removedAt] = list(item, at);
      return [string(removedId, `${at}[0]`), number(removedAt, `${at}[1]`)];
    }),
    queue: each(record['queue'], 'queue', parseTurn),
    cut: record['cut'] === null ? null : parseCut(record['cut'], 'cut'),
    updatedAt: number(record['updatedAt'], 'updatedAt'),
    detailsAt: number(record['detailsAt'], 'detailsAt'),
  };
}

function parseTurn(value: unknown, at: string): QueuedTurn {
  const turn = object(value, at);
  return {
    id: string(turn['id'], `${at}.id`),
    text: string(turn['text'], `${at}.text`),
    model: string(turn['model'], `${at}.model`),
    queuedAt: number(turn['queuedAt'], `${at}.queuedAt`),
    ...optional('attachments', turn, at, parseAttachments),
  };
}

function parseCut(value: unknown, at: string): ContextCut {
  const cut = object(value, at);
  return { firstId: string(cut['firstId'], `${at}.firstId`), ...optional('summary', cut, at, string) };
}

function parseNode(value: unknown, at: string, earlier: ReadonlySet<string>): MessageNode {
  const node = object(value, at);
  const id = string(node['id'], `${at}.id`);
  if (id === '' || earlier.has(id)) throw corrupt(`${at}.id`);
  const parentId = stringOrNull(node['parentId'], `${at}.parentId`);
  if (parentId !== null && !earlier.has(parentId)) throw corrupt(`${at}.parentId`);
  return {
    id,
    parentId,
    role: oneOf(roles, node['role'], `${at}.role`),
    text: string(node['text'], `${at}.text`),
    thinking: string(node['thinking'], `${at}.thinking`),
    toolCalls: each(node['toolCalls'], `${at}.toolCalls`, parseToolCall),
    createdAt: number(node['createdAt'], `${at}.createdAt`),
    ...optional('changedAt', node, at, number),
    ...optional('attachments', node, at, parseAttachments),
    ...optional('sources', node, at, (items, where) => each(items, where, parseSource)),
    ...optional('feedback', node, at, parseFeedback),
    ...optional('thinkingMs', node, at, number),
    ...optional('model', node, at, string),
    ...optional('end', node, at, parseEnd),
    ...optional('usage', node, at, parseUsage),
    ...optional('timings', node, at, parseTimings),
  };
}

function parseToolCall(value: unknown, at: string): ToolUse {
  const call = object(value, at);
  return {
    id: string(call['id'], `${at}.id`),
    name: string(call['name'], `${at}.name`),
    arguments: object(call['arguments'], `${at}.arguments`),
    ...optional('round', call, at, number),
    ...optional('textAt', call, at, number),
    ...optional('thinkingAt', call, at, number),
    ...optional('state', call, at, (state, where) => oneOf(toolStates, state, where)),
    ...optional('result', call, at, string),
    ...optional('durationMs', call, at, number),
  };
}

function parseAttachments(value: unknown, at: string): Attachment[] {
  return each(value, at, (item, where): Attachment => {
    const given = object(item, where);
    if (given['kind'] === 'image') {
      return {
        kind: 'image',
        data: string(given['data'], `${where}.data`),
        mediaType: string(given['mediaType'], `${where}.mediaType`),
        ...optional('name', given, where, string),
      };
    }
    if (given['kind'] !== 'file') throw corrupt(`${where}.kind`);
    return {
      kind: 'file',
      name: string(given['name'], `${where}.name`),
      text: string(given['text'], `${where}.text`),
      ...optional('mediaType', given, where, string),
    };
  });
}

function parseSource(value: unknown, at: string): Source {
  const source = object(value, at);
  return {
    id: string(source['id'], `${at}.id`),
    ...optional('title', source, at, string),
    ...optional('url', source, at, string),
    ...optional('excerpt', source, at, string),
  };
}

function parseFeedback(value: unknown, at: string): Feedback {
  const feedback = object(value, at);
  return {
    rating: oneOf(['up', 'down'], feedback['rating'], `${at}.rating`),
    at: number(feedback['at'], `${at}.at`),
    ...optional('note', feedback, at, string),
  };
}

function parseEnd(value: unknown, at: string): TurnEnd {
  const end = object(value, at);
  switch (end['kind']) {
    case 'complete':
      return {
        kind: 'complete',
        finishReason: oneOf(finishReasons, end['finishReason'], `${at}.finishReason`),
      };
    case 'stopped':
      return { kind: 'stopped' };
    case 'failed':
      return { kind: 'failed', failure: parseFailure(end['failure'], `${at}.failure`) };
    default:
      throw corrupt(`${at}.kind`);
  }
}

function parseFailure(value: unknown, at: string): TurnFailure {
  const failure = object(value, at);
  if (typeof failure['retryable'] !== 'boolean') throw corrupt(`${at}.retryable`);
  return {
    code: string(failure['code'], `${at}.code`),
    message: string(failure['message'], `${at}.message`),
    retryable: failure['retryable'],
    ...optional('status', failure, at, number),
    ...optional('requestId', failure, at, string),
    ...optional('retryAt', failure, at, number),
  };
}

function parseUsage(value: unknown, at: string): Usage {
  const usage = object(value, at);
  return {
    inputTokens: number(usage['inputTokens'], `${at}.inputTokens`),
    outputTokens: number(usage['outputTokens'], `${at}.outputTokens`),
    source: oneOf(usageSources, usage['source'], `${at}.source`),
    ...optional('cachedInputTokens', usage, at, number),
  };
}

function parseTimings(value: unknown, at: string): Timings {
  const timings = object(value, at);
  return {
    ...optional('queueMs', timings, at, number),
    ...optional('loadMs', timings, at, number),
    ...optional('prefillMs', timings, at, number),
    ...optional('decodeMs', timings, at, number),
    ...optional('ttftMs', timings, at, number),
    ...optional('totalMs', timings, at, number),
  };
}

const toolStates: readonly ToolState[] = ['called', 'waiting', 'running', 'done', 'failed', 'denied'];
const roles: readonly Role[] = ['system', 'user', 'assistant', 'tool'];
const finishReasons: readonly FinishReason[] = ['stop', 'length', 'tool_calls'];
const usageSources: readonly Usage['source'][] = ['upstream', 'estimated'];

function corrupt(member: string): ConversationStorageError {
  return new ConversationStorageError(
    'corrupt_record',
    `Reading a saved conversation: ${member} is not as this library writes it. The record was left as it is.`,
  );
}

function object(value: unknown, at: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw corrupt(at);
  return value as Record<string, unknown>;
}

function list(value: unknown, at: string): unknown[] {
  if (!Array.isArray(value)) throw corrupt(at);
  return value;
}

function each<T>(value: unknown, at: string, parse: (item: unknown, at: string) => T): T[] {
  return list(value, at).map((item, index) => parse(item, `${at}[${index}]`));
}

function boolean(value: unknown, at: string): boolean {
  if (typeof value !== 'boolean') throw corrupt(at);
  return value;
}

function string(value: unknown, at: string): string {
  if (typeof value !== 'string') throw corrupt(at);
  return value;
}

function stringOrNull(value: unknown, at: string): string | null {
  return value === null ? null : string(value, at);
}

function number(value: unknown, at: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw corrupt(at);
  return value;
}

function oneOf<T extends string>(allowed: readonly T[], value: unknown, at: string): T {
  if (!(allowed as readonly unknown[]).includes(value)) throw corrupt(at);
  return value as T;
}

function optional<K extends string, T>(
  name: K,
  from: Record<string, unknown>,
  at: string,
  parse: (value: unknown, at: string) => T,
): { [name in K]?: T } {
  const value = from[name];
  if (value === undefined) return {};
  return { [name]: parse(value, `${at}.${name}`) } as { [name in K]?: T };
}
