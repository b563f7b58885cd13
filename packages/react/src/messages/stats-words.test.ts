import type { MessageNode } from '@ziggie/llm-client/conversation';
import { describe, expect, it } from 'vitest';
import { createFormat } from '../text/format.ts';
import { defaultStrings } from '../text/strings.ts';
import { statsWords } from './stats-words.ts';

const text = { strings: defaultStrings, format: createFormat('en') };
const node: MessageNode = {
  id: 'a',
  parentId: null,
  role: 'assistant',
  text: '',
  thinking: '',
  toolCalls: [],
  createdAt: 0,
};
const words = (more: Partial<MessageNode>) => statsWords({ ...node, ...more }, text).replace(/\u00a0/g, ' ');
const usage = { inputTokens: 1, outputTokens: 214, source: 'upstream' as const };

describe('statsWords()', () => {
  it.each<[string, Partial<MessageNode>]>([
    [
      '214 tokens, 38 tok/s, first token 0.4 s',
      { end: { kind: 'complete', finishReason: 'stop' }, usage, timings: { ttftMs: 400, decodeMs: 5_632 } },
    ],
    [
      'about 214 tokens',
      { end: { kind: 'complete', finishReason: 'stop' }, usage: { ...usage, source: 'estimated' } },
    ],
    [
      'The answer reached its length limit, 214 tokens',
      { end: { kind: 'complete', finishReason: 'length' }, usage },
    ],
    ['Stopped after 214 tokens', { end: { kind: 'stopped' }, usage }],
    ['Stopped after 3 words', { text: 'One two\nthree ', end: { kind: 'stopped' } }],
    ['Stopped', { end: { kind: 'stopped' } }],
    ['', { end: { kind: 'complete', finishReason: 'stop' } }],
    ['', {}],
  ])('says %j', (expected, more) => expect(words(more)).toBe(expected));
});
