import { expect, it } from 'vitest';
import { toRequest, toRequestMessages } from './to-request.ts';
import type { MessageNode } from './types.ts';

function tree(...nodes: (Partial<MessageNode> & { id: string })[]): Map<string, MessageNode> {
  let parentId: string | null = null;
  return new Map(
    nodes.map((given): [string, MessageNode] => {
      const role = given.id.startsWith('u') ? 'user' : 'assistant';
      const node = {
        parentId,
        role,
        text: given.id,
        thinking: '',
        toolCalls: [],
        createdAt: 0,
        ...given,
      } as const;
      parentId = given.id;
      return [given.id, node];
    }),
  );
}

const failed: MessageNode['end'] = {
  kind: 'failed',
  failure: { code: 'truncated', message: 'x', retryable: true },
};

it('toRequestMessages() puts the system prompt first and sends what was stopped, not what failed or is empty', () => {
  const nodes = tree(
    { id: 'u1' },
    { id: 'partial', end: { kind: 'stopped' }, thinking: 'not sent' },
    { id: 'u2' },
    { id: 'broken', end: failed },
    { id: 'u3' },
    { id: 'empty', text: '', thinking: 'only thought', end: { kind: 'stopped' } },
    { id: 'u4' },
    { id: 'not on the way' },
  );
  expect(toRequestMessages(nodes, 'u4', 'Be kind.')).toEqual([
    { role: 'system', content: 'Be kind.' },
    { role: 'user', content: 'u1' },
    { role: 'assistant', content: 'partial' },
    { role: 'user', content: 'u2' },
    { role: 'user', content: 'u3' },
    { role: 'user', content: 'u4' },
  ]);
});

it('toRequestMessages() sends an answer that is tool calls only', () => {
  const toolCalls = [{ id: 'c', name: 'f', arguments: {} }];
  const nodes = tree({ id: 'u1' }, { id: 'calls', text: '', toolCalls }, { id: 'u2' });
  expect(toRequestMessages(nodes, 'u2')[1]).toEqual({ role: 'assistant', content: '', toolCalls });
});

it('toRequest() carries model, think and options, and no member that was not given', () => {
  const nodes = tree({ id: 'u1' });
  const messages = [{ role: 'user', content: 'u1' }];
  expect(toRequest({}, 'm', nodes, 'u1')).toStrictEqual({ model: 'm', messages });
  expect(toRequest({ think: false, options: { seed: 1 } }, 'm', nodes, 'u1')).toStrictEqual({
    model: 'm',
    messages,
    think: false,
    options: { seed: 1 },
  });
});
