import { stall } from '@ziggie/llm-testing';
import { expect, userEvent, within } from 'storybook/test';
import preview from '../../../../.storybook/preview.tsx';
import { StoryPart } from '../../test/story-part.tsx';
import { Composer } from './composer.tsx';

const meta = preview.meta({ title: 'Composer', component: StoryPart, args: { children: <Composer /> } });

/** Nothing is written yet. */
export const Empty = meta.story({});

/** A draft of several lines. */
export const Draft = meta.story({
  play: async ({ canvasElement }) => {
    const box = within(canvasElement).getByRole('textbox');
    await userEvent.type(box, 'First line{Shift>}{Enter}{/Shift}second line');
    await expect(box).toHaveValue('First line\nsecond line');
  },
});

/** There is no model on the server, and the hint says so. */
export const WithoutModels = meta.story({ args: { chat: { models: [], model: undefined } } });

/** An answer is on its way: the button stops it. */
export const WhileAnswering = meta.story({
  args: { chat: { scripts: [[stall()]] } },
  play: async ({ canvasElement }) => {
    const canvas = within(canvasElement);
    await userEvent.type(canvas.getByRole('textbox'), 'Hi');
    await expect(await canvas.findByRole('button', { name: 'Send' })).toBeEnabled();
    await userEvent.keyboard('{Enter}');
    await expect(await canvas.findByRole('button', { name: 'Stop' })).toBeVisible();
  },
});
