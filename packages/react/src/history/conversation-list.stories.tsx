import type { ConversationStorage } from '@ziggie/llm-client/conversation';
import { createMemoryStorage } from '@ziggie/llm-client/storage';
import { type ReactElement, useState } from 'react';
import { expect, userEvent, waitFor, within } from 'storybook/test';
import preview from '../../../../.storybook/preview.tsx';
import { createTestChat, recordOf } from '../../test/test-chat.ts';
import { answer, question } from '../../test/texts.ts';
import { ZiggieChat } from '../chat/ziggie-chat.tsx';

interface StoryPageProps {
  /** Titles with the age of each in days. */
  titles?: readonly (readonly [title: string, days: number])[] | undefined;
  narrow?: boolean | undefined;
  scheme?: 'light' | 'dark' | undefined;
}

const titles = [
  ['Stream tokens without re-rendering', 0],
  ['Nightly GPU report, week 47', 0],
  ['Why is the first answer slow?', 0.01],
  ['Draft: onboarding e-mail', 3],
  ['SQL for seats per tenant', 4],
  ['Vision test: invoices', 5],
  ['مقارنة بين نموذجين', 40],
] as const;

/** A page with conversations of earlier days beside the chat. */
function StoryPage({
  titles: given = titles,
  narrow = false,
  scheme = 'light',
}: StoryPageProps): ReactElement {
  const [{ client, storage }] = useState(() => ({ client: createTestChat().client, storage: filled(given) }));
  return (
    <div className={narrow ? 'story-frame story-narrow' : 'story-frame'}>
      <ZiggieChat
        layout="page"
        client={client}
        model="stand-in"
        storage={storage}
        conversationId={given.length === 0 ? 'new' : 'c0'}
        scheme={scheme}
        sidebarFooter="61k of 100k tokens used today"
      />
    </div>
  );
}

function filled(given: NonNullable<StoryPageProps['titles']>): ConversationStorage {
  const storage = createMemoryStorage();
  for (const [index, [title, days]] of given.entries()) {
    const record = recordOf([question, answer], {
      id: `c${index}`,
      title,
      updatedAt: Date.now() - days * 86_400_000,
    });
    void storage.save(record);
  }
  return storage;
}

const meta = preview.meta({ title: 'Conversations', component: StoryPage });

/** The list beside the chat. */
export const Beside = meta.story({
  play: async ({ canvasElement }) => {
    const canvas = within(canvasElement);
    await expect(await canvas.findByRole('button', { name: 'SQL for seats per tenant' })).toBeVisible();
    await expect(await canvas.findByText(question)).toBeVisible();
  },
});

export const BesideInTheDark = meta.story({ args: { scheme: 'dark' } });

/** Nothing was said yet. */
export const Empty = meta.story({ args: { titles: [] } });

/** What can be done with one of them. */
export const RowMenu = meta.story({
  play: async ({ canvasElement }) => {
    const canvas = within(canvasElement);
    await userEvent.click(await canvas.findByRole('button', { name: 'More for SQL for seats per tenant' }));
    await expect(await canvas.findByRole('menu')).toBeVisible();
  },
});

/** A name is being changed. */
export const Renaming = meta.story({
  play: async ({ canvasElement }) => {
    const canvas = within(canvasElement);
    await userEvent.click(await canvas.findByRole('button', { name: 'More for SQL for seats per tenant' }));
    await userEvent.click(await canvas.findByRole('menuitem', { name: 'Rename' }));
    await expect(await canvas.findByRole('textbox', { name: 'Title of the conversation' })).toHaveFocus();
  },
});

/** Found by words of an answer. */
export const Searching = meta.story({
  play: async ({ canvasElement }) => {
    const canvas = within(canvasElement);
    await userEvent.type(await canvas.findByRole('searchbox'), 'selection survives');
    await expect(await canvas.findByText('7 conversations found')).toBeVisible();
  },
});

/** Deleted, and how to bring it back. */
export const Deleted = meta.story({
  play: async ({ canvasElement }) => {
    const canvas = within(canvasElement);
    await userEvent.click(await canvas.findByRole('button', { name: 'More for SQL for seats per tenant' }));
    await userEvent.click(await canvas.findByRole('menuitem', { name: 'Delete' }));
    await expect(await canvas.findByRole('button', { name: 'Undo' })).toHaveFocus();
  },
});

/** At phone width it lies over the chat. */
export const Drawer = meta.story({
  args: { narrow: true },
  play: async ({ canvasElement }) => {
    const canvas = within(canvasElement);
    await userEvent.click(await canvas.findByRole('button', { name: 'Show conversations' }));
    const drawer = await canvas.findByRole('dialog', { name: 'Conversations' });
    // It fades in.
    await waitFor(() => expect(drawer).toBeVisible());
  },
});
