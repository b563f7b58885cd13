import { expect, userEvent, within } from 'storybook/test';
import preview from '../../../../.storybook/preview.tsx';
import { StoryPart } from '../../test/story-part.tsx';
import { recordOf } from '../../test/test-chat.ts';
import { answer, question, thoughts } from '../../test/texts.ts';
import { EmptyState } from './empty-state.tsx';
import { MessageRow } from './message-row.tsx';

const saved = recordOf([question, answer]);
const thought = {
  ...saved,
  nodes: saved.nodes.map((node) =>
    node.role === 'assistant' ? { ...node, thinking: thoughts, thinkingMs: 6_000 } : node,
  ),
};

const meta = preview.meta({ title: 'Messages', component: StoryPart, args: { chat: { record: saved } } });

/** The reader's own words. */
export const OfTheReader = meta.story({ args: { children: <MessageRow id="m0" /> } });

/** An answer with what can be done with it, and its numbers. */
export const Answer = meta.story({
  args: { children: <MessageRow id="m1" /> },
  play: async ({ canvasElement }) => {
    const canvas = within(canvasElement);
    await expect(await canvas.findByRole('button', { name: 'Copy answer' })).toBeInTheDocument();
    await expect(canvas.getByRole('button', { name: 'Answer again' })).toBeInTheDocument();
    await expect(canvas.getByText(/214 tokens/)).toBeVisible();
  },
});

/** What the model thought, folded. */
export const Thought = meta.story({ args: { chat: { record: thought }, children: <MessageRow id="m1" /> } });

/** And opened by a click. */
export const ThoughtOpen = meta.story({
  args: { chat: { record: thought }, children: <MessageRow id="m1" /> },
  play: async ({ canvasElement }) => {
    const canvas = within(canvasElement);
    await userEvent.click(await canvas.findByRole('button', { name: /Thought for 6/ }));
    await expect(canvas.getByText(thoughts)).toBeVisible();
  },
});

/** Nothing was said yet. */
export const NothingYet = meta.story({
  args: {
    chat: {},
    children: (
      <EmptyState starters={['Explain yesterday’s GPU spike', 'Summarise a file', 'Write a SQL query']} />
    ),
  },
});
