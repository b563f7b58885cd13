import type { ConversationStorage } from '@ziggie/llm-client/conversation';
import { createLocalStorage, createMemoryStorage } from '@ziggie/llm-client/storage';
import { say, stall } from '@ziggie/llm-testing';
import { StrictMode } from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-react';
import { ZiggieChat, type ZiggieChatProps } from '../../src/index.ts';
import { failOnConsoleErrors } from '../../test/console-guard.ts';
import { createTestChat, recordOf, type TestChatOptions } from '../../test/test-chat.ts';
import '../../test/page.css';
import '@ziggie/llm-react/styles.css';

failOnConsoleErrors();
beforeEach(() => page.viewport(1100, 700));
afterEach(() => localStorage.clear());

const DAY_MS = 86_400_000;

/** Three conversations of different days. */
async function savedIn(storage: ConversationStorage = createMemoryStorage()): Promise<ConversationStorage> {
  const now = Date.now();
  const texts = { today: 'Streaming tokens', week: 'Nightly report', old: 'Vision test' };
  const ages = { today: 0, week: 3, old: 400 };
  for (const [id, title] of Object.entries(texts)) {
    const age = ages[id as keyof typeof ages] * DAY_MS;
    const record = recordOf([`Question of ${id}`, `Answer of ${id}, with Ångström inside`]);
    await storage.save({ ...record, id, title, updatedAt: now - age });
  }
  return storage;
}

async function show(
  storage: ConversationStorage,
  props: ZiggieChatProps = {},
  options: TestChatOptions = {},
): Promise<ReturnType<typeof createTestChat>> {
  const chat = createTestChat(options);
  chat.conversation.dispose();
  await render(
    <StrictMode>
      <ZiggieChat client={chat.client} model="stand-in" storage={storage} layout="page" {...props} />
    </StrictMode>,
  );
  return chat;
}

const list = () => page.getByRole('navigation', { name: 'Conversations' });
const row = (title: string) => list().getByRole('button', { name: title, exact: true });
const button = (name: string | RegExp) => page.getByRole('button', { name });
const composer = () => page.getByRole('textbox', { name: 'Message', exact: true });
async function choose(title: string, item: string): Promise<void> {
  await userEvent.click(list().getByRole('button', { name: `More for ${title}` }));
  await userEvent.click(page.getByRole('menuitem', { name: item, exact: true }));
}
const titles = () =>
  [...list().element().querySelectorAll('[data-zg-conversation]')].map((element) => element.textContent);

describe('the list of conversations', () => {
  it('stands under days, opens what is clicked, and a new chat is in it with its first message', async () => {
    const storage = await savedIn();
    const navigated = vi.fn();
    await show(storage, { onConversationChange: navigated }, { scripts: [[say('Sure.')]] });
    await expect.element(row('Streaming tokens')).toBeVisible();
    await expect.element(list().getByRole('heading', { name: 'Today' })).toBeVisible();
    await expect.element(list().getByRole('heading', { name: 'Last 7 days' })).toBeVisible();
    expect(titles()).toEqual(['Streaming tokens', 'Nightly report', 'Vision test']);
    await userEvent.click(row('Nightly report'));
    await expect.element(page.getByText('Question of week')).toBeVisible();
    await expect.element(row('Nightly report')).toHaveAttribute('aria-current', 'page');
    expect(navigated).toHaveBeenLastCalledWith('week');
    await userEvent.click(button('New chat'));
    await expect.element(composer()).toHaveFocus();
    await expect.element(page.getByRole('heading', { name: 'What should we work on?' })).toBeVisible();
    await userEvent.keyboard('Write a poem{Enter}');
    await expect.element(page.getByText('Sure.')).toBeVisible();
    await expect.element(row('Write a poem')).toHaveAttribute('aria-current', 'page');
    expect(titles()[0]).toBe('Write a poem');
  });

  it('is searched in titles and words, without case and accents', async () => {
    await show(await savedIn());
    await expect.element(row('Streaming tokens')).toBeVisible();
    const search = list().getByRole('searchbox', { name: 'Search conversations' });
    await userEvent.fill(search, 'angstrom WEEK');
    await expect.element(list().getByRole('status')).toHaveTextContent('1 conversation found');
    await expect.element(list().getByText('Answer of week, with Ångström inside')).toBeVisible();
    await userEvent.fill(search, 'nowhere at all');
    await expect.element(list().getByText('Nothing was found')).toBeVisible();
    await userEvent.keyboard('{Escape}');
    await expect.element(search).toHaveValue('');
    await expect.element(row('Vision test')).toBeVisible();
  });

  it('renames in place: Enter saves, Escape does not, and the focus stays with the row', async () => {
    const storage = await savedIn();
    await show(storage);
    await expect.element(row('Nightly report')).toBeVisible();
    await choose('Nightly report', 'Rename');
    const field = page.getByRole('textbox', { name: 'Title of the conversation' });
    await expect.element(field).toHaveFocus();
    await userEvent.fill(field, 'Weekly report');
    await userEvent.keyboard('{Escape}');
    await expect.element(row('Nightly report')).toBeVisible();
    await choose('Nightly report', 'Rename');
    await userEvent.fill(field, 'Weekly report');
    await userEvent.keyboard('{Enter}');
    await expect.element(row('Weekly report')).toHaveFocus();
    expect((await storage.load('week'))?.title).toBe('Weekly report');
  });

  it('pins, archives and takes back', async () => {
    const storage = await savedIn();
    await show(storage);
    await expect.element(row('Vision test')).toBeVisible();
    await choose('Vision test', 'Pin');
    await expect.element(list().getByRole('heading', { name: 'Pinned' })).toBeVisible();
    await expect.poll(titles).toEqual(['Vision test', 'Streaming tokens', 'Nightly report']);
    await expect.element(row('Vision test')).toHaveFocus();
    await choose('Nightly report', 'Archive');
    await expect.element(button('Undo')).toHaveFocus();
    await expect.poll(titles).toEqual(['Vision test', 'Streaming tokens']);
    await userEvent.click(button('Archived (1)'));
    await expect.element(row('Nightly report')).toBeVisible();
    await userEvent.click(button('Undo'));
    await expect.poll(titles).toEqual(['Vision test', 'Streaming tokens', 'Nightly report']);
    expect((await storage.load('week'))?.archived).toBe(false);
  });

  it('deletes with undo, the shown one and its running answer too', async () => {
    const storage = await savedIn();
    const chat = await show(storage, { conversationId: 'week' }, { scripts: [[say('More to '), stall()]] });
    await expect.element(page.getByText('Question of week')).toBeVisible();
    await userEvent.fill(composer(), 'Go on');
    await userEvent.keyboard('{Enter}');
    await expect.element(page.getByText('More to')).toBeVisible();
    await choose('Nightly report', 'Delete');
    await expect.poll(async () => (await storage.list()).sort()).toEqual(['old', 'today']);
    await expect.element(page.getByRole('heading', { name: 'What should we work on?' })).toBeVisible();
    await expect.poll(() => chat.fake.report().openGenerations).toBe(0);
    await expect.element(button('Undo')).toHaveFocus();
    await userEvent.keyboard('{Enter}');
    await expect.element(page.getByText('More to')).toBeVisible();
    await expect.element(row('Nightly report')).toHaveAttribute('aria-current', 'page');
    expect((await storage.load('week'))?.nodes.map(({ text }) => text).slice(2)).toEqual([
      'Go on',
      'More to ',
    ]);
  });

  it('shows one that cannot be read, which can only be deleted, and says when something is refused', async () => {
    const storage = await savedIn();
    const refusing: ConversationStorage = {
      ...storage,
      load: async (id) => {
        if (id === 'old') throw Object.assign(new Error('broken'), { code: 'corrupt_record' });
        return storage.load(id);
      },
      save: async () => {
        throw new Error('full');
      },
    };
    await show(refusing);
    await expect.element(row('Cannot be read')).toBeDisabled();
    await choose('Nightly report', 'Pin');
    await expect.element(list().getByText('That could not be saved. Try again.')).toBeVisible();
    await choose('Cannot be read', 'Delete');
    await expect.element(row('Cannot be read')).not.toBeInTheDocument();
  });

  it('moves from row to row by arrow keys', async () => {
    await show(await savedIn());
    await expect.element(row('Streaming tokens')).toBeVisible();
    row('Streaming tokens').element().focus();
    await userEvent.keyboard('{ArrowDown}');
    await expect.element(row('Nightly report')).toHaveFocus();
    await userEvent.keyboard('{End}');
    await expect.element(row('Vision test')).toHaveFocus();
    await userEvent.keyboard('{ArrowDown}{ArrowUp}');
    await expect.element(row('Nightly report')).toHaveFocus();
  });

  it('shows a hundred of very many at first', async () => {
    const storage = createMemoryStorage();
    const record = recordOf(['Hello', 'Hi']);
    for (let index = 0; index < 130; index++)
      await storage.save({ ...record, id: `c${index}`, title: `Chat ${index}`, updatedAt: index });
    await show(storage);
    await expect.poll(() => titles().length).toBe(100);
    await userEvent.click(button('Show 30 more'));
    await expect.poll(() => titles().length).toBe(130);
  });
});

describe('files', () => {
  /** What the page saved as a file, instead of saving it. */
  function downloads(): { name: string; text: () => Promise<string> }[] {
    const saved: { name: string; text: () => Promise<string> }[] = [];
    let blob: Blob;
    vi.spyOn(URL, 'createObjectURL').mockImplementation((object) => {
      blob = object as Blob;
      return 'blob:test';
    });
    vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
      const own = blob;
      saved.push({ name: this.download, text: () => own.text() });
    });
    return saved;
  }

  it('an export of everything comes back whole in another browser', async () => {
    const storage = await savedIn();
    const saved = downloads();
    await show(storage);
    await expect.element(row('Streaming tokens')).toBeVisible();
    await choose('Streaming tokens', 'Export as Markdown');
    await expect.poll(() => saved.length).toBe(1);
    expect(saved[0]?.name).toBe('Streaming-tokens.md');
    expect(await saved[0]?.text()).toContain('# Streaming tokens\n\n## You\n\nQuestion of today');
    await userEvent.click(button('Export and import'));
    await userEvent.click(page.getByRole('menuitem', { name: 'Export everything' }));
    await expect.poll(() => saved.length).toBe(2);
    expect(saved[1]?.name).toMatch(/^Conversations-\d{4}-\d\d-\d\d\.json$/);
    const text = (await saved[1]?.text()) ?? '';
    const other = createMemoryStorage();
    document.body.replaceChildren();
    await show(other);
    await importFile(text);
    await expect.element(list().getByText('3 conversations imported', { exact: true })).toBeVisible();
    await expect.poll(titles).toEqual(['Streaming tokens', 'Nightly report', 'Vision test']);
    expect(await other.load('week')).toEqual(await storage.load('week'));
  });

  it('reads an export of ChatGPT, says what was left out, and what is no export', async () => {
    await show(createMemoryStorage());
    await expect.element(button('New chat')).toBeVisible();
    const message = (role: string, text: string) => ({
      id: role,
      author: { role },
      content: { content_type: 'text', parts: [text] },
      create_time: 1_700_000_000,
    });
    const chatGpt = {
      id: 'from-chatgpt',
      conversation_id: 'from-chatgpt',
      title: 'From elsewhere',
      create_time: 1_700_000_000,
      update_time: 1_700_000_100,
      current_node: 'b',
      mapping: {
        root: { id: 'root', message: null, parent: null, children: ['a'] },
        a: { id: 'a', message: message('user', 'Moved question'), parent: 'root', children: ['b'] },
        b: { id: 'b', message: message('assistant', 'Moved answer'), parent: 'a', children: [] },
      },
    };
    await importFile(JSON.stringify([chatGpt, 7]));
    await expect.element(list().getByText('1 conversation imported, 1 could not be read')).toBeVisible();
    await userEvent.click(row('From elsewhere'));
    await expect.element(page.getByText('Moved answer')).toBeVisible();
    await importFile('no JSON at all');
    await expect
      .element(list().getByText('This is no export of this chat, of ChatGPT or of Open WebUI.'))
      .toBeVisible();
  });

  async function importFile(text: string): Promise<void> {
    await expect.element(button('Export and import')).toBeVisible();
    const input = list().element().querySelector<HTMLInputElement>('input[type=file]');
    await userEvent.upload(input as HTMLInputElement, new File([text], 'export.json'));
  }
});

describe('a page', () => {
  it('at phone width has the list in a drawer, which is a dialog, and goes back by Escape and by choice', async () => {
    await page.viewport(390, 780);
    await show(await savedIn());
    await expect.element(button('Show conversations')).toBeVisible();
    await expect.element(list()).not.toBeInTheDocument();
    await userEvent.click(button('Show conversations'));
    const drawer = page.getByRole('dialog', { name: 'Conversations' });
    await expect.element(drawer).toBeVisible();
    await expect.poll(() => drawer.element().contains(document.activeElement)).toBe(true);
    await expect.element(row('Nightly report')).toBeVisible();
    expect(composer().query()?.closest('[inert]')).not.toBeNull();
    await userEvent.keyboard('{Escape}');
    await expect.element(drawer).not.toBeInTheDocument();
    await expect.element(button('Show conversations')).toHaveFocus();
    await userEvent.click(button('Show conversations'));
    await userEvent.click(row('Nightly report'));
    await expect.element(drawer).not.toBeInTheDocument();
    await expect.element(page.getByText('Question of week')).toBeVisible();
    expect(document.querySelector('[inert]')).toBeNull();
  });

  it('hides the list beside the chat on wish', async () => {
    await show(await savedIn());
    await expect.element(row('Nightly report')).toBeVisible();
    await userEvent.click(button('Hide conversations'));
    await expect.element(list()).not.toBeInTheDocument();
    await userEvent.click(button('Show conversations'));
    await expect.element(row('Nightly report')).toBeVisible();
  });

  it('hears what another tab does', async () => {
    const here = createLocalStorage({ namespace: 'tabs' });
    await show(here);
    await expect.element(list().getByText(/Conversations are kept here/)).toBeVisible();
    // A storage object of its own is what another tab has: they talk through the browser.
    const there = createLocalStorage({ namespace: 'tabs' });
    await savedIn(there);
    await expect.element(row('Nightly report')).toBeVisible();
    await there.remove('week');
    await expect.element(row('Nightly report')).not.toBeInTheDocument();
  });
});
