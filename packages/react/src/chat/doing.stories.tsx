import type { Connection } from '@ziggie/llm-client/conversation';
import { defineTool, turnTools } from '@ziggie/llm-client/tools';
import { callTool, finish, say, stall } from '@ziggie/llm-testing';
import { expect, userEvent, within } from 'storybook/test';
import preview from '../../../../.storybook/preview.tsx';
import { StoryChat } from '../../test/story-chat.tsx';
import { recordOf } from '../../test/test-chat.ts';
import { answer, question } from '../../test/texts.ts';
import { createToolApprovals } from '../tools/tool-approvals.ts';

const saved = recordOf([question, answer]);
const stopped = {
  ...saved,
  nodes: saved.nodes.map((node) =>
    node.role === 'assistant' ? { ...node, end: { kind: 'stopped' as const } } : node,
  ),
};
const offline: Connection = { isOnline: () => false, subscribe: () => () => {} };
const approvals = createToolApprovals();
const eraser = defineTool({
  name: 'delete_model',
  description: 'Deletes a model.',
  needsApproval: true,
  execute: () => ({ deleted: true }),
});

const meta = preview.meta({ title: 'Doing', component: StoryChat });

async function ask(canvasElement: HTMLElement, text: string): Promise<void> {
  await userEvent.type(within(canvasElement).getByRole('textbox', { name: 'Message' }), `${text}{Enter}`);
}

/** Messages wait while an answer is written. */
export const Queued = meta.story({
  args: { chat: { record: saved, scripts: [[say('Working on it'), stall()]] } },
  play: async ({ canvasElement }) => {
    const canvas = within(canvasElement);
    await canvas.findByText(question);
    await ask(canvasElement, 'First');
    await canvas.findByText('Working on it');
    await ask(canvasElement, 'Show me the test for that');
    await ask(canvasElement, 'Then the same for touch');
    await expect(await canvas.findByRole('region', { name: 'Waiting messages' })).toBeVisible();
  },
});

/** The answer was stopped, and what waits is paused, not lost. */
export const Paused = meta.story({
  args: { chat: { record: saved, scripts: [[say('Working on it'), stall()]] } },
  play: async ({ canvasElement }) => {
    const canvas = within(canvasElement);
    await canvas.findByText(question);
    await ask(canvasElement, 'First');
    await canvas.findByText('Working on it');
    await ask(canvasElement, 'And then');
    await userEvent.keyboard('{Escape}');
    await expect(await canvas.findByText('Paused, because the answer was stopped')).toBeVisible();
  },
});

/** A stopped answer offers to go on. */
export const Stopped = meta.story({
  args: { chat: { record: stopped } },
  play: async ({ canvasElement }) => {
    await expect(await within(canvasElement).findByRole('button', { name: 'Continue' })).toBeVisible();
  },
});

/** A question is being put in other words. */
export const Editing = meta.story({
  args: { chat: { record: saved } },
  play: async ({ canvasElement }) => {
    const canvas = within(canvasElement);
    await userEvent.click(await canvas.findByRole('button', { name: 'Edit message' }));
    await expect(await canvas.findByRole('textbox', { name: 'Edit message' })).toHaveFocus();
  },
});

/** What can be done with an answer beyond the first buttons. */
export const MoreActions = meta.story({
  args: { chat: { record: saved } },
  play: async ({ canvasElement }) => {
    const canvas = within(canvasElement);
    await userEvent.click(await canvas.findByRole('button', { name: 'More' }));
    await expect(await canvas.findByRole('menu')).toBeVisible();
  },
});

/** A deleted answer can come back. */
export const Deleted = meta.story({
  args: { chat: { record: saved } },
  play: async ({ canvasElement }) => {
    const canvas = within(canvasElement);
    await userEvent.click(await canvas.findByRole('button', { name: 'More' }));
    await userEvent.click(await canvas.findByRole('menuitem', { name: 'Delete this answer' }));
    await expect(await canvas.findByRole('button', { name: 'Undo' })).toBeVisible();
  },
});

/** A tool waits for the reader's word, with its exact arguments. */
export const ToolAsks = meta.story({
  args: {
    approvals,
    chat: {
      conversation: { tools: turnTools([eraser], { approve: approvals.ask }) },
      scripts: [[callTool('delete_model', { name: 'llama2:7b' }), finish()]],
    },
    ask: 'Make room on the disk',
  },
  play: async ({ canvasElement }) => {
    await expect(await within(canvasElement).findByRole('button', { name: 'Allow once' })).toBeVisible();
  },
});

/** There is no network. */
export const Offline = meta.story({
  args: { connection: offline, chat: { record: saved, conversation: { connection: offline } } },
  play: async ({ canvasElement }) => {
    await expect(await within(canvasElement).findByText('You are offline')).toBeVisible();
  },
});

/** Files of a draft, one of which cannot be read. */
export const Files = meta.story({
  args: { attachments: true, chat: { record: saved } },
  play: async ({ canvasElement }) => {
    const canvas = within(canvasElement);
    await canvas.findByText(question);
    const input = canvasElement.querySelector<HTMLInputElement>('input[type="file"]');
    if (input === null) throw new Error('There is no field for files.');
    await userEvent.upload(input, [
      new File(['seats,tenant\n4,a\n'], 'seats.csv', { type: 'text/csv' }),
      new File([new Uint8Array([0, 255, 0])], 'model.bin'),
    ]);
    await expect(await canvas.findByText('seats.csv')).toBeVisible();
    await expect(await canvas.findByText('model.bin')).toBeVisible();
  },
});
