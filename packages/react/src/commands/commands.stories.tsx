import { builtInTemplates } from '@ziggie/llm-client/templates';
import { expect, userEvent, waitFor, within } from 'storybook/test';
import preview from '../../../../.storybook/preview.tsx';
import { StoryChat } from '../../test/story-chat.tsx';
import { recordOf } from '../../test/test-chat.ts';
import { answer, question } from '../../test/texts.ts';

const saved = recordOf([question, answer]);
const meta = preview.meta({
  title: 'Commands and keys',
  component: StoryChat,
  args: { templates: builtInTemplates, chat: { record: saved } },
});

/** Its code is fetched with the first slash. */
async function list(canvasElement: HTMLElement): Promise<void> {
  const find = () => within(canvasElement).getByRole('listbox', { name: 'Commands and templates' });
  await waitFor(() => expect(find()).toBeVisible(), { timeout: 15_000 });
}

/** What a slash opens. */
export const Slash = meta.story({
  play: async ({ canvasElement }) => {
    const canvas = within(canvasElement);
    await userEvent.type(await canvas.findByRole('textbox', { name: 'Message' }), '/');
    await list(canvasElement);
  },
});

/** A template asks for its values, and says which one is missing. */
export const Template = meta.story({
  play: async ({ canvasElement }) => {
    const canvas = within(canvasElement);
    await userEvent.type(await canvas.findByRole('textbox', { name: 'Message' }), '/translate');
    await list(canvasElement);
    await userEvent.keyboard('{Enter}');
    await userEvent.click(await canvas.findByRole('button', { name: 'Put into the message' }));
    await expect((await canvas.findAllByText('This is needed'))[0]).toBeVisible();
  },
});

/** At phone width. */
export const TemplateNarrow = meta.story({ ...Template.input, args: { narrow: true } });

/** What the keys do. */
export const Keys = meta.story({
  play: async ({ canvasElement }) => {
    const canvas = within(canvasElement);
    await canvas.findByText(question);
    canvas.getByRole('region', { name: 'Conversation' }).focus();
    await userEvent.keyboard('?');
    await canvas.findByRole('dialog', { name: 'Keys' }, { timeout: 15_000 });
  },
});
