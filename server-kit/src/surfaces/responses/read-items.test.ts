import { expect, test } from 'vitest';
import { messagesOf } from './read-items.ts';

// What takes a time that grows with the square of these is not done when the test is given up.
const many = 300_000;

test('function calls without number are read in a time that grows with them', () => {
  const calls = Array.from({ length: many }, () => ({ type: 'function_call', call_id: 'a', name: 'b' }));
  const [turn, ...more] = messagesOf(calls) as { tool_calls: unknown[] }[];
  expect(turn?.tool_calls).toHaveLength(many);
  expect(more).toEqual([]);
});

test('thoughts without number are read in a time that grows with them', () => {
  const thoughts = Array.from({ length: many }, () => ({
    type: 'reasoning',
    content: [{ text: 'hm, hm, hm' }],
  }));
  const [turn, ...more] = messagesOf(thoughts) as { thinking: string }[];
  expect(turn?.thinking.length).toBe(many * 11 - 1);
  expect(more).toEqual([]);
});

test('what an assistant thought, said and called in a row is one message, and what comes behind it another', () => {
  const text = (role: string, content: string) => ({ type: 'message', role, content });
  const thought = (words: string) => ({ type: 'reasoning', summary: [{ text: words }] });
  const call = (id: string) => ({
    type: 'function_call',
    call_id: id,
    name: 'weather',
    arguments: '{"at":"sea"}',
  });
  expect(
    messagesOf([
      text('developer', 'Be brief.'),
      text('user', 'Hi'),
      thought('one'),
      thought('two'),
      text('assistant', 'Let me look.'),
      call('1'),
      call('2'),
      thought('three'),
      text('assistant', 'More.'),
      { type: 'function_call_output', call_id: '1', output: 'wet' },
      call('3'),
    ]),
  ).toEqual([
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Hi' },
    {
      role: 'assistant',
      content: 'Let me look.',
      thinking: 'one\ntwo',
      tool_calls: [
        { id: '1', function: { name: 'weather', arguments: { at: 'sea' } } },
        { id: '2', function: { name: 'weather', arguments: { at: 'sea' } } },
      ],
    },
    { role: 'assistant', content: 'More.', thinking: 'three' },
    { role: 'tool', content: 'wet', tool_call_id: '1', tool_name: 'weather' },
    {
      role: 'assistant',
      content: '',
      tool_calls: [{ id: '3', function: { name: 'weather', arguments: { at: 'sea' } } }],
    },
  ]);
});
