import { expect } from 'vitest';
import { parseRecord, toRecord } from '../../src/conversation/record.ts';
import { pathTo } from '../../src/conversation/tree.ts';
import type { Conversation, ConversationState } from '../../src/conversation/types.ts';

/** What holds in every state, whatever happened before. */
export function expectSoundState(state: ConversationState): void {
  const { nodes, head, run } = state;
  if (head !== null) expect(nodes.has(head)).toBe(true);
  for (const [id, node] of nodes) {
    expect(node.id).toBe(id);
    if (node.parentId !== null) expect(nodes.has(node.parentId)).toBe(true);
    // The answer being written, and it alone, has no end.
    expect(node.role === 'assistant' && node.end === undefined).toBe(run?.messageId === id);
  }
  const path = pathTo(nodes, head);
  expect(new Set(path).size).toBe(path.length);
  for (const [index, id] of path.entries()) expect(nodes.get(id)?.parentId).toBe(path[index - 1] ?? null);
  if (run !== null) expect(nodes.get(run.messageId)?.role).toBe('assistant');
  // Whatever is reached can be saved and read again.
  const saved = JSON.parse(JSON.stringify(toRecord(state, 0))) as unknown;
  const read = parseRecord(saved, state.id);
  expect(read.nodes).toEqual([...nodes.values()]);
  expect(read).toMatchObject({ head, title: state.title, model: state.model });
}

/** Cells and `getState()` tell the same. */
export function expectCellsToShowState(conversation: Conversation, ids: Iterable<string>): void {
  const state = conversation.getState();
  expect(conversation.messageIds.get()).toEqual(pathTo(state.nodes, state.head));
  expect(conversation.phase.get()).toBe(state.run?.phase ?? null);
  expect(conversation.runningId.get()).toBe(state.run?.messageId ?? null);
  expect(conversation.model.get()).toBe(state.model);
  expect(conversation.title.get()).toBe(state.title);
  expect(conversation.queue.items.get()).toBe(state.queue);
  expect(conversation.queue.paused.get()).toBe(state.queuePause);
  for (const id of ids) expect(conversation.message(id).get()).toBe(state.nodes.get(id));
}
