import { expect, it } from 'vitest';
import { childrenOf, newestLeaf, pathTo, siblingsOf } from './tree.ts';
import type { MessageNode } from './types.ts';

/** `parent>child` pairs; a name alone is a first message. */
function tree(...edges: string[]): Map<string, MessageNode> {
  return new Map(
    edges.map((edge): [string, MessageNode] => {
      const [first = '', second] = edge.split('>');
      const [id, parentId] = second === undefined ? [first, null] : [second, first];
      return [id, { id, parentId, role: 'user', text: id, thinking: '', toolCalls: [], createdAt: 0 }];
    }),
  );
}

const nodes = tree('a', 'a>b', 'b>c', 'a>d', 'd>e', 'd>f', 'g');

it('pathTo() leads from the first message to the last', () => {
  expect(pathTo(nodes, 'c')).toEqual(['a', 'b', 'c']);
  expect(pathTo(nodes, 'g')).toEqual(['g']);
  expect(pathTo(nodes, null)).toEqual([]);
  expect(pathTo(nodes, 'nobody')).toEqual([]);
});

it('siblingsOf() and childrenOf() are in the order of making', () => {
  expect(siblingsOf(nodes, 'd')).toEqual(['b', 'd']);
  expect(siblingsOf(nodes, 'g')).toEqual(['a', 'g']);
  expect(siblingsOf(nodes, 'nobody')).toEqual([]);
  expect(childrenOf(nodes, 'd')).toEqual(['e', 'f']);
  expect(childrenOf(nodes, 'f')).toEqual([]);
});

it('newestLeaf() follows the newest child', () => {
  expect(newestLeaf(nodes, 'a')).toBe('f');
  expect(newestLeaf(nodes, 'b')).toBe('c');
  expect(newestLeaf(nodes, 'g')).toBe('g');
});

it('the siblings of every message of a tree cost one pass over it', () => {
  let passes = 0;
  class Counted extends Map<string, MessageNode> {
    override values() {
      passes++;
      return super.values();
    }
  }
  const counted = new Counted(nodes);
  for (const id of counted.keys()) siblingsOf(counted, id);
  expect(passes).toBe(1);
});

it('a branch of 100,000 messages is no deep recursion', () => {
  const long = tree('0', ...Array.from({ length: 99_999 }, (_, index) => `${index}>${index + 1}`));
  expect(pathTo(long, '99999')).toHaveLength(100_000);
  expect(newestLeaf(long, '0')).toBe('99999');
});
