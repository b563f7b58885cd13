import type { FinishReason, Role, Timings, ToolCall, Usage } from '@ziggie/llm-protocol';
import { ConversationStorageError } from './storage-error.ts';
import type { ConversationRecord, ConversationState, MessageNode, TurnEnd, TurnFailure } from './types.ts';

/** The version that this library writes and reads. */
const RECORD_VERSION = 1;

/** The saved form of a state. A run in progress is saved as far as it is written; its message has no end. */
export function toRecord(state: ConversationState, updatedAt: number): ConversationRecord {
  const { id, title, model, head, nodes } = state;
  return { version: RECORD_VERSION, id, title, model, head, nodes: [...nodes.values()], updatedAt };
}

/**
 * Reads a saved record as what it is: untrusted. Every member is checked and copied; members that are not ours are
 * dropped. A parent must stand before its children, which rules out missing parents and cycles.
 *
 * @throws {ConversationStorageError} `newer_record` for a higher version, else `corrupt_record`. The message names the
 *   member, never its value.
 */
export function parseRecord(value: unknown, id: string): ConversationRecord {
  const record = object(value, 'the record');
  const { version } = record;
  if (typeof version === 'number' && Number.isInteger(version) && version > RECORD_VERSION) {
    throw new ConversationStorageError(
      'newer_record',
      `Reading a saved conversation: it has version ${version}, this library reads version ${RECORD_VERSION}. ` +
        'Update the library to open it.',
    );
  }
  if (version !== RECORD_VERSION) throw corrupt('version');
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
    head,
    nodes,
    updatedAt: number(record['updatedAt'], 'updatedAt'),
  };
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
    toolCalls: list(node['toolCalls'], `${at}.toolCalls`).map((call, index) =>
      parseToolCall(call, `${at}.toolCalls[${index}]`),
    ),
    createdAt: number(node['createdAt'], `${at}.createdAt`),
    ...optional('thinkingMs', node, at, number),
    ...optional('model', node, at, string),
    ...optional('end', node, at, parseEnd),
    ...optional('usage', node, at, parseUsage),
    ...optional('timings', node, at, parseTimings),
  };
}

function parseToolCall(value: unknown, at: string): ToolCall {
  const call = object(value, at);
  return {
    id: string(call['id'], `${at}.id`),
    name: string(call['name'], `${at}.name`),
    arguments: object(call['arguments'], `${at}.arguments`),
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
