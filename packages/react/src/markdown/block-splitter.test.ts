import { createElement, Fragment } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { randomDocument, randomPieces, seededRandom } from '../../test/random-markdown.ts';
import { BlockSplitter } from './block-splitter.ts';
import { FencedBlock } from './fenced-block.tsx';
import { parseMarkdown } from './parse-markdown.ts';
import { renderNodes } from './render-nodes.tsx';

function parsed(source: string): string {
  return renderToStaticMarkup(createElement(Fragment, null, renderNodes(parseMarkdown(source))));
}

function split(pieces: readonly string[]) {
  const splitter = new BlockSplitter();
  let text = '';
  let state = splitter.update('');
  const seen: string[] = [];
  for (const piece of pieces) {
    text += piece;
    state = splitter.update(text);
    seen.forEach((source, index) => {
      expect(state.closed[index]?.source).toBe(source);
    });
    for (const block of state.closed.slice(seen.length)) seen.push(block.source);
    const sources = state.closed.map((block) => block.source).join('') + (state.open?.source ?? '');
    expect(sources).toBe(text);
  }
  const blocks = state.open === null ? state.closed : [...state.closed, state.open];
  return { blocks, splitter };
}

describe('BlockSplitter', () => {
  it.each([
    ['paragraphs at a blank line', 'One.\n\nTwo.\n\nThree', 3],
    ['a heading and its text', '# Title\nText\n', 2],
    ['a fence with blank lines inside', 'Text\n```js\na\n\nb\n```\nMore', 3],
    ['a loose list as one', '- a\n\n- b\n\n  more of b\n\nText', 2],
    ['a fence in a list with the list', '1. Do\n\n   ```sh\n   x\n\n   y\n   ```\n\n2. Then\n\nText', 2],
    ['a fence beside a list from it', '- a\n```\nx\n\n- y\n```\nText', 3],
    ['a rule under a list', '- a\n---\nText', 3],
    ['an underline with its heading', 'Title\n---\n\nText', 2],
    ['a table as one', '| a | b |\n|---|---|\n| 1 | 2 |\n\nText', 2],
  ])('cuts %s', (_, text, count) => {
    const { blocks } = split([text]);
    expect(blocks).toHaveLength(count);
  });

  it('starts anew when the text does not go on from the one before', () => {
    const splitter = new BlockSplitter();
    splitter.update('One.\n\nTwo.\n\n');
    const { closed, open } = splitter.update('Other');
    expect(closed).toHaveLength(0);
    expect(open?.source).toBe('Other');
  });

  it('gives the blocks that the whole text has, for random documents in random pieces', () => {
    const rounds = 1_500;
    for (let seed = 1; seed <= rounds; seed += 1) {
      const random = seededRandom(seed);
      const text = randomDocument(random);
      const { blocks } = split(randomPieces(text, random));
      const pieces = blocks.map((block) => parsed(block.source)).join('');
      expect(
        pieces,
        `seed ${seed}: ${JSON.stringify(text)} in ${JSON.stringify(blocks.map((b) => b.source))}`,
      ).toBe(parsed(text));
    }
  });

  it('takes a code fence apart as the parser would', () => {
    for (let seed = 1; seed <= 1_000; seed += 1) {
      const random = seededRandom(seed);
      const { blocks } = split([`\`\`\`ts\n${randomDocument(random)}\n\`\`\`\n${randomDocument(random)}`]);
      for (const { source, fence } of blocks) {
        if (fence === null) continue;
        const direct = renderToStaticMarkup(createElement(FencedBlock, { ...fence }));
        expect(direct, JSON.stringify({ source, fence })).toBe(parsed(source));
      }
    }
  });

  it('reads each character about once', () => {
    const words = 'The quick brown fox jumps over the lazy dog and goes on for a while, as prose does.\n';
    const text =
      `# Title\n\n${words}${words}\n- ${words}- ${words}\n\`\`\`js\nconst value = compute(1, 2, 3);\n\`\`\`\n\n`.repeat(
        40,
      );
    const { splitter } = split(randomPieces(text, seededRandom(7)));
    expect(splitter.scanned).toBeLessThanOrEqual(text.length * 1.2);
  });

  it('stays linear for lines of one character', () => {
    const text = '-\n\n'.repeat(20_000);
    const splitter = new BlockSplitter();
    for (let at = 0; at <= text.length; at += 997) splitter.update(text.slice(0, at));
    expect(splitter.scanned).toBeLessThanOrEqual(text.length * 3);
  });
});
