import type { Connection } from '@ziggie/llm-client/conversation';
import { defineTool, turnTools } from '@ziggie/llm-client/tools';
import { callTool, error, finish, say, stall } from '@ziggie/llm-testing';
import { StrictMode } from 'react';
import { afterEach, describe, expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-react';
import { failOnConsoleErrors } from '../../test/console-guard.ts';
import { createTestChat, recordOf, type TestChat, type TestChatOptions } from '../../test/test-chat.ts';
import { createToolApprovals } from '../tools/tool-approvals.ts';
import { ZiggieChat } from './ziggie-chat.tsx';
import type { ZiggieChatProps } from './ziggie-chat-props.ts';
import '../../test/page.css';
import '@ziggie/llm-react/styles.css';

failOnConsoleErrors();

const open: TestChat[] = [];
afterEach(() => {
  for (const { conversation } of open.splice(0)) conversation.dispose();
  localStorage.clear();
});

async function show(options: TestChatOptions = {}, props: ZiggieChatProps = {}): Promise<TestChat> {
  const chat = createTestChat(options);
  open.push(chat);
  await render(
    <StrictMode>
      <ZiggieChat client={chat.client} conversation={chat.conversation} {...props} />
    </StrictMode>,
  );
  await expect.poll(() => chat.conversation.storageState.get()).toBe('ready');
  return chat;
}

const composer = () => page.getByRole('textbox', { name: 'Message', exact: true });
const button = (name: string | RegExp) => page.getByRole('button', { name });
const answers = () => page.getByRole('article', { name: 'stand-in' });
async function ask(text: string): Promise<void> {
  await userEvent.fill(composer(), text);
  await userEvent.keyboard('{Enter}');
}
const chats = ({ fake }: TestChat) => fake.report().requests.filter(({ path }) => path === '/api/chat');

describe('what is sent while an answer is written', () => {
  it('waits in sight, can be changed, put in order and taken out, and goes when its turn comes', async () => {
    const chat = await show({
      scripts: [[say('Working'), stall()], [say('Third answer')], [say('Second answer')]],
    });
    await ask('First');
    await expect.element(page.getByText('Working')).toBeVisible();
    await ask('Second');
    await ask('Third');
    await ask('Never');
    const tray = page.getByRole('region', { name: 'Waiting messages' });
    await expect.element(tray.getByText('Second')).toBeVisible();
    await expect.element(composer()).toHaveValue('');
    expect(chats(chat)).toHaveLength(1);
    await userEvent.click(button('Remove: Never'));
    await userEvent.click(button('Move up: Third'));
    const waiting = () => chat.conversation.queue.items.get().map(({ text }) => text);
    await expect.poll(waiting).toEqual(['Third', 'Second']);
    await userEvent.click(tray.getByRole('button', { name: 'Edit' }).first());
    await expect.element(page.getByRole('textbox', { name: 'Waiting message' })).toHaveFocus();
    expect(chat.conversation.queue.paused.get()).toBe('held');
    await userEvent.keyboard('{Control>}a{/Control}Third, better{Enter}');
    await expect.element(composer()).toHaveFocus();
    expect(chat.conversation.queue.paused.get()).toBeNull();
    await userEvent.keyboard('{Escape}');
    await expect.element(tray.getByText('Paused, because the answer was stopped')).toBeVisible();
    await userEvent.click(button('Send now'));
    await expect.element(page.getByText('Second answer')).toBeVisible();
    await expect.element(tray).not.toBeInTheDocument();
    const asked = page.getByRole('article', { name: 'You' });
    await expect.element(asked.nth(1)).toHaveTextContent('Third, better');
    await expect.element(asked.nth(2)).toHaveTextContent('Second');
  });

  it('leaves Stop in its place, and Control + Enter goes at once', async () => {
    const chat = await show({ scripts: [[say('Working'), stall()], [say('At once')]] });
    await ask('First');
    await expect.element(page.getByText('Working')).toBeVisible();
    const before = button('Stop').element().getBoundingClientRect().x;
    await userEvent.fill(composer(), 'Now');
    await expect.element(button('Queue message')).toBeVisible();
    expect(button('Stop').element().getBoundingClientRect().x).toBe(before);
    await userEvent.keyboard('{Control>}{Enter}{/Control}');
    await expect.element(page.getByText('At once')).toBeVisible();
    expect(chat.fake.report().disconnects).toHaveLength(1);
  });

  it('waits while there is no network, says so, and goes when it is back', async () => {
    let isOnline = true;
    const listeners = new Set<() => void>();
    const connection: Connection = {
      isOnline: () => isOnline,
      subscribe(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    };
    const set = (to: boolean) => {
      isOnline = to;
      for (const listener of [...listeners]) listener();
    };
    await show({ scripts: [[say('Here I am')]], conversation: { connection } }, { connection });
    set(false);
    await expect.element(page.getByText('You are offline')).toBeVisible();
    await ask('Anybody there?');
    await expect.element(page.getByText('1 message will be sent when the connection is back.')).toBeVisible();
    set(true);
    await expect.element(page.getByText('Here I am')).toBeVisible();
    await expect.element(page.getByText('You are offline')).not.toBeInTheDocument();
  });
});

describe('what can be done with messages', () => {
  it('edits a question into another wording, which stays beside the old one', async () => {
    await show({ scripts: [[say('Old answer')], [say('New answer')]] });
    await ask('Old question');
    await expect.element(page.getByText('Old answer')).toBeVisible();
    // From the empty composer, without the mouse.
    await expect.element(composer()).toHaveFocus();
    await userEvent.keyboard('{ArrowUp}');
    const field = page.getByRole('textbox', { name: 'Edit message' });
    await expect.element(field).toHaveFocus();
    await userEvent.keyboard('{Escape}');
    await expect.element(composer()).toHaveFocus();
    await userEvent.click(button('Edit message'));
    await userEvent.fill(field, 'New question');
    await userEvent.keyboard('{Enter}');
    await expect.element(page.getByText('New answer')).toBeVisible();
    await userEvent.click(button('Previous wording'));
    await expect.element(page.getByText('Old answer')).toBeVisible();
  });

  it('continues a stopped answer in the same message', async () => {
    const chat = await show({ scripts: [[say('One two '), stall()], [say('three four')]] });
    await ask('Count');
    await expect.element(page.getByText('One two')).toBeVisible();
    await userEvent.keyboard('{Escape}');
    await userEvent.click(button('Continue'));
    await expect.element(page.getByText('One two three four')).toBeVisible();
    expect(chat.conversation.messageIds.get()).toHaveLength(2);
    await expect.element(button('Continue')).not.toBeInTheDocument();
  });

  it('shows no half typed mark of a stopped answer, and continues it from the text as it came', async () => {
    const chat = await show({ scripts: [[say('It *works'), stall()], [say('* well')]] });
    await ask('Does it?');
    const soft = () => answers().element().querySelector('em')?.firstChild ?? null;
    await expect.poll(() => soft()?.textContent).toBe('works');
    const words = soft();
    getSelection()?.selectAllChildren(words?.parentNode as Node);
    await userEvent.keyboard('{Escape}');
    await expect.element(button('Continue')).toBeVisible();
    expect(soft()).toBe(words);
    expect(getSelection()?.toString()).toBe('works');
    const id = chat.conversation.messageIds.get().at(-1) ?? '';
    expect(chat.conversation.message(id).get()?.text).toBe('It *works');
    await userEvent.click(button('Continue'));
    await expect.element(page.getByText('It works well')).toBeVisible();
    expect(chat.conversation.message(id).get()?.text).toBe('It *works* well');
  });

  it('continues an answer that reached its length', async () => {
    await show({ scripts: [[say('Half **of it'), finish({ reason: 'length' })], [say('** and whole')]] });
    await ask('Go');
    await expect.element(page.getByText(/The answer reached its length limit/)).toBeVisible();
    expect(answers().element().querySelector('p')?.textContent).toBe('Half of it');
    await userEvent.click(button('Continue'));
    await expect.element(page.getByText('Half of it and whole')).toBeVisible();
  });

  it('deletes, offers to bring back with the focus on it, and brings back', async () => {
    await show({ record: recordOf(['Question', 'An answer', 'Another', 'The last']) });
    await userEvent.click(button('Delete this message and what follows').first());
    await expect.element(page.getByText('An answer')).not.toBeInTheDocument();
    await expect.element(button('Undo')).toHaveFocus();
    await userEvent.keyboard('{Enter}');
    await expect.element(page.getByText('The last')).toBeVisible();
    await expect.element(composer()).toHaveFocus();
  });

  it('takes a judgement with a reason, tells the host app, and takes it back', async () => {
    const told: unknown[] = [];
    const chat = await show(
      { record: recordOf(['Question', 'An answer']) },
      { onFeedback: ({ feedback }) => told.push(feedback?.rating, feedback?.note) },
    );
    await userEvent.click(button('Bad answer'));
    await expect.element(page.getByRole('textbox', { name: /What was wrong/ })).toHaveFocus();
    await userEvent.keyboard('Too long{Enter}');
    await expect.poll(() => told).toEqual(['down', undefined, 'down', 'Too long']);
    await expect.element(button('Bad answer')).toHaveAttribute('aria-pressed', 'true');
    await userEvent.click(button('Bad answer'));
    expect(chat.conversation.message('m1').get()?.feedback).toBeUndefined();
  });

  it('answers again with another model from the menu, by keyboard', async () => {
    const chat = await show({
      record: recordOf(['Question', 'An answer']),
      scripts: [[say('From another')]],
    });
    await userEvent.click(button('More'));
    await expect.element(page.getByRole('menuitem').first()).toHaveFocus();
    await userEvent.keyboard('{Escape}');
    await expect.element(button('More')).toHaveFocus();
    await userEvent.keyboard('{Enter}{Enter}');
    await expect.element(page.getByText('From another')).toBeVisible();
    const last = chat.conversation.messageIds.get().at(-1) ?? '';
    expect(chat.conversation.message(last).get()?.model).not.toBe('stand-in:latest');
    await expect.element(page.getByText('2 of 2')).toBeVisible();
  });

  it('never offers two retries: a failed answer has its card and nothing beside it', async () => {
    await show({ scripts: [[error('server busy, please try again.', { status: 503 })]] });
    await ask('Go');
    await expect.element(button('Try again')).toBeVisible();
    expect(button('Answer again').query()).toBeNull();
    expect(button('Continue').query()).toBeNull();
  });
});

describe('tools', () => {
  const erased: unknown[] = [];
  const tools = [
    defineTool({
      name: 'delete_model',
      description: 'Deletes a model.',
      needsApproval: true,
      execute: (args) => {
        erased.push(args);
        return { deleted: true };
      },
    }),
    defineTool({
      name: 'weather',
      description: 'The weather.',
      repeatable: true,
      execute: () => 'Seven degrees',
    }),
  ];
  const withTools = (options: TestChatOptions) => {
    const approvals = createToolApprovals();
    return show(
      { ...options, conversation: { tools: turnTools(tools, { approve: approvals.ask }) } },
      { approvals },
    );
  };

  it('asks with the exact arguments, no default, and does what the reader says', async () => {
    erased.length = 0;
    // Another call each time: the same one again is a repeat, and the model is told so.
    await withTools({
      scripts: [
        [callTool('delete_model', { name: 'llama2:7b' }), finish()],
        [say('I left it alone.')],
        [callTool('delete_model', { name: 'llama2:13b' }), finish()],
        [say('It is gone.')],
      ],
    });
    await ask('Delete it');
    const card = page.getByRole('region', { name: 'Wants to use delete model' });
    await expect.element(card.getByText(/"name": "llama2:7b"/)).toBeVisible();
    await expect.element(composer()).toHaveFocus();
    const [deny, allow] = [button('Deny').element(), button('Allow once').element()];
    expect(getComputedStyle(allow).backgroundColor).toBe(getComputedStyle(deny).backgroundColor);
    expect(deny.getBoundingClientRect().x).toBeLessThan(allow.getBoundingClientRect().x);
    await userEvent.click(button('Deny'));
    await expect.element(page.getByText('I left it alone.')).toBeVisible();
    await expect.element(page.getByText('Not allowed')).toBeVisible();
    expect(erased).toEqual([]);
    await ask('Do it');
    await userEvent.click(button('Allow once'));
    await expect.element(page.getByText('It is gone.')).toBeVisible();
    expect(erased).toEqual([{ name: 'llama2:13b' }]);
    const used = button(/^Used delete model/).last();
    await expect.element(used).toHaveAttribute('aria-expanded', 'false');
    await userEvent.click(used);
    await expect.element(page.getByText(/"deleted": true/)).toBeVisible();
  });

  it('stops while a tool waits for the reader', async () => {
    erased.length = 0;
    await withTools({ scripts: [[callTool('delete_model', { name: 'x' }), finish()]] });
    await ask('Delete it');
    await expect.element(button('Allow once')).toBeVisible();
    await userEvent.keyboard('{Escape}');
    await expect.element(button('Allow once')).not.toBeInTheDocument();
    await expect.element(page.getByText('Not run')).toBeVisible();
    expect(erased).toEqual([]);
  });

  it('puts more than three calls behind one line, between the words before and after', async () => {
    const calls = ['Zug', 'Bern', 'Chur', 'Genf'].map((town) => callTool('weather', { town }));
    await withTools({ scripts: [[say('Let me look. '), ...calls, finish()], [say('All the same.')]] });
    await ask('How is the weather?');
    await expect.element(page.getByText('All the same.')).toBeVisible();
    const group = button('Used 4 tools');
    expect(button(/^Used weather/).query()).toBeNull();
    await userEvent.click(group);
    await expect.poll(() => button(/^Used weather/).all().length).toBe(4);
    const words = answers().element().textContent ?? '';
    expect(words.indexOf('Let me look.')).toBeLessThan(words.indexOf('Used 4 tools'));
    expect(words.indexOf('Used 4 tools')).toBeLessThan(words.indexOf('All the same.'));
  });
});

describe('files', () => {
  async function picture(width: number): Promise<File> {
    const canvas = new OffscreenCanvas(width, 20);
    canvas.getContext('2d')?.fillRect(0, 0, width, 20);
    return new File([await canvas.convertToBlob({ type: 'image/png' })], 'plot.png', { type: 'image/png' });
  }
  const transfer = (files: readonly File[]) => {
    const data = new DataTransfer();
    for (const file of files) data.items.add(file);
    return data;
  };
  const paste = (files: readonly File[]) =>
    composer()
      .element()
      .dispatchEvent(
        new ClipboardEvent('paste', { clipboardData: transfer(files), bubbles: true, cancelable: true }),
      );

  it('checks an image against the model before anything is sent, and mends it by a click', async () => {
    const chat = await show({ scripts: [[say('A black bar.')]] }, { attachments: { maxImageSide: 100 } });
    await expect.poll(() => button(/Model:.*not in memory/).query()).not.toBeNull();
    paste([await picture(400)]);
    await expect.element(page.getByText('stand-in cannot see images.')).toBeVisible();
    await ask('What is this?');
    expect(chats(chat)).toHaveLength(0);
    await userEvent.click(button(/^Use stand-in-vision/));
    await userEvent.click(button('Send'));
    await expect.element(page.getByText('A black bar.')).toBeVisible();
    const body = chats(chat)[0]?.body as { model: string; messages: { images?: string[] }[] };
    expect(body.model).toContain('vision');
    const sent = body.messages.at(-1)?.images?.[0] ?? '';
    const bitmap = await createImageBitmap(
      new Blob([Uint8Array.from(atob(sent), (unit) => unit.charCodeAt(0))]),
    );
    expect(bitmap.width).toBe(100);
    await expect.element(page.getByRole('img', { name: 'plot.png' })).toBeVisible();
  });

  it('leaves behind what a camera wrote into a small photo', async () => {
    const models = [{ name: 'stand-in', capabilities: ['completion', 'vision'] }];
    const chat = await show({ models, scripts: [[say('A photo.')]] }, { attachments: true });
    await expect.poll(() => button(/Model:.*not in memory/).query()).not.toBeNull();
    const canvas = new OffscreenCanvas(40, 30);
    canvas.getContext('2d')?.fillRect(0, 0, 40, 30);
    const plain = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/jpeg' })).arrayBuffer());
    const note = new TextEncoder().encode('Exif\0\0GPS 47.3769 N');
    const segment = new Uint8Array([0xff, 0xe1, 0, note.length + 2, ...note]);
    paste([
      new File([plain.subarray(0, 2), segment, plain.subarray(2)], 'photo.jpg', { type: 'image/jpeg' }),
    ]);
    await expect.element(page.getByRole('img', { name: 'photo.jpg' })).toBeVisible();
    await ask('Where is this?');
    await expect.element(page.getByText('A photo.')).toBeVisible();
    const body = chats(chat)[0]?.body as { messages: { images?: string[] }[] };
    const sent = atob(body.messages.at(-1)?.images?.[0] ?? '');
    expect(sent.slice(0, 2)).toBe('\xff\xd8');
    expect(sent).not.toContain('GPS');
  });

  it('takes dropped text files along, and says why another cannot go', async () => {
    const chat = await show({ scripts: [[say('Two lines.')]] }, { attachments: { maxCount: 2 } });
    const files = [
      new File(['one\ntwo'], 'notes.txt', { type: 'text/plain' }),
      new File([new Uint8Array([0, 255, 254])], 'thing.bin'),
      new File(['late'], 'late.txt'),
    ];
    const chatBox = page.getByRole('region', { name: 'Chat' }).element();
    const drag = (type: string) =>
      chatBox.dispatchEvent(
        new DragEvent(type, { dataTransfer: transfer(files), bubbles: true, cancelable: true }),
      );
    drag('dragenter');
    await expect.element(page.getByText('Drop files to add them')).toBeVisible();
    drag('drop');
    await expect.element(page.getByText('Neither an image nor text')).toBeVisible();
    await expect.element(page.getByText('One file too many')).toBeVisible();
    await userEvent.click(button('Remove thing.bin'));
    await ask('Summarise');
    await expect.element(page.getByText('Two lines.')).toBeVisible();
    expect(JSON.stringify(chats(chat)[0]?.body)).toContain('notes.txt\\n```\\none\\ntwo\\n```');
    await expect.element(page.getByRole('list', { name: 'Files' }).getByText('notes.txt')).toBeVisible();
  });

  it('says when files are longer than the model can read', async () => {
    await show(
      { models: [{ name: 'stand-in', capabilities: ['completion'], contextLength: 2_048 }] },
      { attachments: true },
    );
    await expect.poll(() => button(/Model:.*stand-in/).query()).not.toBeNull();
    paste([new File(['word '.repeat(20_000)], 'book.txt', { type: 'text/plain' })]);
    await expect
      .element(page.getByText(/The files take about 25,000 tokens; stand-in can read 2,048/))
      .toBeVisible();
    await userEvent.click(button('Remove the files'));
    await expect.element(page.getByText('book.txt')).not.toBeInTheDocument();
  });
});

describe('drafts', () => {
  it('outlive the page, each in its conversation', async () => {
    const { client } = createTestChat();
    const chat = (id?: string) => (
      <ZiggieChat client={client} model="stand-in" userId="drafts" conversationId={id} />
    );
    const view = await render(chat());
    await userEvent.fill(composer(), 'Half a thought');
    await view.unmount();
    const again = await render(chat());
    await expect.element(composer()).toHaveValue('Half a thought');
    await again.rerender(chat('other'));
    await expect.element(composer()).toHaveValue('');
    await again.rerender(chat('default'));
    await expect.element(composer()).toHaveValue('Half a thought');
  });
});
