import { describe, expect, it } from 'vitest';
import { ThinkTags } from './think-tags.ts';

/** What came out, pieces of a kind joined, and the kinds in the order they first came. */
function split(pieces: readonly string[]) {
  const tags = new ThinkTags();
  const out = { text: '', thinking: '', order: [] as string[] };
  const onPart = (kind: 'text' | 'thinking', text: string) => {
    expect(text).not.toBe('');
    if (out.order.at(-1) !== kind) out.order.push(kind);
    out[kind] += text;
  };
  for (const piece of pieces) tags.push(piece, onPart);
  tags.end(onPart);
  return out;
}

const cases: [string, string, string, string][] = [
  ['thinking before the answer', '<think>\nHm, so.\n</think>\n\nYes.', 'Hm, so.\n', 'Yes.'],
  ['white space before the tag', ' \n<think>a</think>b', 'a', 'b'],
  ['the longer tag', '<thinking>a</think>b</thinking>c', 'a</think>b', 'c'],
  ['empty thinking', '<think>\n\n</think>\n\nb', '', 'b'],
  ['thinking that never ends', '<think>a </thin', 'a </thin', ''],
  ['no answer after it', '<think>a</think> \n', 'a', ''],
  [
    'a tag further on',
    'The tag <think>x</think> starts thinking.',
    '',
    'The tag <think>x</think> starts thinking.',
  ],
  ['a second pair', '<think>a</think>b<think>c</think>', 'a', 'b<think>c</think>'],
  ['a tag that is none', '<thinker>a</thinker>', '', '<thinker>a</thinker>'],
  ['the beginning of a tag alone', '<thi', '', '<thi'],
  ['no tags', '  a < b', '', '  a < b'],
  ['characters outside the basic plane', '<think>🤔</think>👍', '🤔', '👍'],
];

describe('ThinkTags', () => {
  it.each(cases)(
    '%s, whole and cut anywhere in two, in three and in single characters',
    (_, whole, thinking, text) => {
      const expected = { thinking, text };
      expect(split([whole])).toMatchObject(expected);
      expect(split([...whole])).toMatchObject(expected);
      for (let first = 0; first <= whole.length; first++) {
        for (let second = first; second <= whole.length; second++) {
          const pieces = [whole.slice(0, first), whole.slice(first, second), whole.slice(second)];
          expect(split(pieces), `cut at ${first} and ${second}`).toMatchObject(expected);
        }
      }
    },
  );

  it('holds nothing back that cannot be part of a tag', () => {
    const tags = new ThinkTags();
    const parts: string[] = [];
    const onPart = (kind: string, text: string) => parts.push(`${kind}: ${text}`);
    tags.push('<think>ab', onPart);
    tags.push('c</', onPart);
    tags.push('b></think>', onPart);
    tags.push('d', onPart);
    expect(tags.outside).toBe(true);
    tags.push(' <think>', onPart);
    expect(parts).toEqual(['thinking: ab', 'thinking: c', 'thinking: </b>', 'text: d', 'text:  <think>']);
  });
});
