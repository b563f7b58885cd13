import { expect, userEvent, within } from 'storybook/test';
import preview from '../../../../.storybook/preview.tsx';
import { StoryPart } from '../../test/story-part.tsx';
import { ModelPicker } from './model-picker.tsx';

const meta = preview.meta({
  title: 'Model picker',
  component: StoryPart,
  args: { tall: true, children: <ModelPicker /> },
});

/** Closed: the name of the model and whether it is in memory. */
export const Closed = meta.story({
  args: { chat: { models: ['llama3.2:3b', 'qwen3:14b'], model: 'qwen3:14b' } },
});

/** Open, with the models of the server. */
export const Open = meta.story({
  args: { chat: { models: ['llama3.2:3b', 'qwen3:14b', 'gemma3:27b'], model: 'qwen3:14b' } },
  play: async ({ canvasElement }) => {
    const canvas = within(canvasElement);
    await userEvent.click(await canvas.findByRole('button', { name: /Model/ }));
    await expect(await canvas.findAllByRole('option')).toHaveLength(3);
  },
});

/** For those who manage models: one is on its way. */
export const Managed = meta.story({
  args: {
    chat: { models: ['llama3.2:3b', 'qwen3:14b'], model: 'qwen3:14b', pullBytesPerSecond: 40_000_000 },
    children: <ModelPicker manage />,
  },
  play: async ({ canvasElement }) => {
    const canvas = within(canvasElement);
    await userEvent.click(await canvas.findByRole('button', { name: /Model/ }));
    const field = await canvas.findByRole('textbox', { name: 'Name of a model to pull' });
    await userEvent.type(field, 'llama3.2:1b{Enter}');
    await expect(
      await canvas.findByRole('progressbar', { name: 'Pulling llama3.2:1b' }, { timeout: 15_000 }),
    ).toBeVisible();
  },
});

/** A server without models. */
export const WithoutModels = meta.story({ args: { chat: { models: [] } } });
