import { expect, within } from 'storybook/test';
import preview from '../../../../.storybook/preview.tsx';
import { StoryPart } from '../../test/story-part.tsx';
import { StructuredData } from './structured-data.tsx';

const meta = preview.meta({ title: 'Structured data', component: StoryPart });

const rack = [
  { name: 'RTX 4090', memory: 24, inUse: true, note: 'Answers for the whole office' },
  { name: 'A10', memory: 24, inUse: false, note: null },
  { name: 'L4', memory: 24, inUse: true, note: 'Embeddings' },
];

/** A list of records is a table; what is not said stays empty. */
export const Table = meta.story({
  args: { children: <StructuredData label="Cards" value={rack} /> },
  play: async ({ canvasElement }) => {
    await expect(
      await within(canvasElement).findByRole('columnheader', { name: 'memory' }),
    ).toBeInTheDocument();
  },
});

/** Names and values, and what is inside of them indented. */
export const Record = meta.story({
  args: {
    children: (
      <StructuredData
        label="Site"
        value={{
          site: 'Zug, second floor',
          people: 21,
          open: true,
          cooling: { kind: 'air', limits: { warnAt: 78, stopAt: 85 } },
          tags: ['quiet', 'no windows'],
          cards: rack,
        }}
      />
    ),
  },
});

/** Half of an object, as a model is writing it. */
export const BeingWritten = meta.story({
  args: {
    children: (
      <StructuredData label="Cards" value={{ title: 'Cards in the ra', cards: [{ name: 'RTX 40' }, {}] }} />
    ),
  },
});

/** Markup is text, and a text without spaces does not burst its frame. */
export const Hostile = meta.story({
  args: {
    children: (
      <StructuredData
        label="Hostile"
        value={{
          '<b>name</b>': '<img src=x onerror=alert(1)>',
          long: 'x'.repeat(400),
          nothing: null,
          empty: [],
        }}
      />
    ),
  },
  play: async ({ canvasElement }) => {
    await within(canvasElement).findByText('<b>name</b>');
    await expect(canvasElement.querySelector('.zg-structure img, .zg-structure b')).toBeNull();
  },
});
