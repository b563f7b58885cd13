import { expect, it } from 'vitest';
import { branchFor, toRequest } from './to-request.ts';
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

const sent = (...args: Parameters<typeof branchFor>) =>
  branchFor(...args).flatMap(({ messages }) => messages);

it('branchFor() sends what was stopped, not what failed or is empty', () => {
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
  expect(sent(nodes, 'u4')).toEqual([
    { role: 'user', content: 'u1' },
    { role: 'assistant', content: 'partial' },
    { role: 'user', content: 'u2' },
    { role: 'user', content: 'u3' },
    { role: 'user', content: 'u4' },
  ]);
});

it('branchFor() answers every tool call, also one that nobody ran', () => {
  const toolCalls = [{ id: 'c', name: 'f', arguments: {} }];
  const nodes = tree({ id: 'u1' }, { id: 'calls', text: '', toolCalls }, { id: 'u2' });
  expect(sent(nodes, 'u2').slice(1, 3)).toEqual([
    { role: 'assistant', content: '', toolCalls },
    { role: 'tool', content: 'This tool was not run.', toolName: 'f', toolCallId: 'c' },
  ]);
});

const rounds: Partial<MessageNode> & { id: string } = {
  id: 'answer',
  text: 'Let me look. And again. Done.',
  thinking: 'ab',
  toolCalls: [
    { id: 'c', name: 'f', arguments: {}, round: 0, textAt: 12, thinkingAt: 1, state: 'done', result: '1' },
    { id: 'c', name: 'g', arguments: {}, round: 0, textAt: 12, thinkingAt: 1, state: 'failed', result: '2' },
    { id: 'c', name: 'f', arguments: {}, round: 1, textAt: 23, thinkingAt: 2, state: 'done', result: '3' },
  ],
};

it('branchFor() sends the rounds of an answer apart: words and calls, then results; thinking only while it goes on', () => {
  const nodes = tree(
    { id: 'u1' },
    { ...rounds, end: { kind: 'complete', finishReason: 'stop' } },
    { id: 'u2' },
  );
  expect(
    sent(nodes, 'u2').map(({ role, content, toolName }) => `${role} ${toolName ?? ''}: ${content}`),
  ).toEqual([
    'user : u1',
    'assistant : Let me look.',
    'tool f: 1',
    'tool g: 2',
    'assistant :  And again.',
    'tool f: 3',
    'assistant :  Done.',
    'user : u2',
  ]);
  expect(sent(nodes, 'u2').some((message) => 'thinking' in message)).toBe(false);
  const open = sent(tree({ id: 'u1' }, rounds), 'u1', 'answer');
  expect(open.map(({ thinking }) => thinking)).toEqual([
    undefined,
    'a',
    undefined,
    undefined,
    'b',
    undefined,
    undefined,
  ]);
});

it('branchFor() gives the open answer last for the model to go on with, or asks in words', () => {
  const nodes = tree({ id: 'u1' }, { id: 'answer', text: 'Once upon' });
  expect(sent(nodes, 'u1', 'answer').slice(1)).toEqual([{ role: 'assistant', content: 'Once upon' }]);
  expect(sent(nodes, 'u1', 'answer', false).slice(1)).toEqual([
    { role: 'assistant', content: 'Once upon' },
    { role: 'user', content: expect.stringContaining('exactly where your last answer ends') },
  ]);
  expect(sent(tree({ id: 'u1' }, { id: 'answer', text: '' }), 'u1', 'answer')).toEqual([
    { role: 'user', content: 'u1' },
  ]);
});

it('branchFor() sends images as images and files between fences that they cannot end', () => {
  const nodes = tree({
    id: 'u1',
    text: 'Look',
    attachments: [
      { kind: 'image', data: 'AAAA', mediaType: 'image/png' },
      { kind: 'file', name: 'a`\n.md', text: '```js\nx\n````' },
    ],
  });
  expect(sent(nodes, 'u1')).toEqual([
    { role: 'user', content: 'a .md\n`````\n```js\nx\n````\n`````\n\nLook', images: ['AAAA'] },
  ]);
});

it('toRequest() carries model, think, options and tools, and no member that was not given', () => {
  const messages = [{ role: 'user', content: 'u1' }] as const;
  expect(toRequest({}, undefined, 'm', messages)).toStrictEqual({ model: 'm', messages });
  const definitions = [{ name: 'f', parameters: {} }];
  const tools = { definitions, run: async () => [] };
  expect(toRequest({ think: false, options: { seed: 1 } }, tools, 'm', messages)).toStrictEqual({
    model: 'm',
    messages,
    think: false,
    options: { seed: 1 },
    tools: definitions,
  });
});
