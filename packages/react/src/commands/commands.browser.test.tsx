import { defineTemplate } from '@ziggie/llm-client/templates';
import { say, stall } from '@ziggie/llm-testing';
import { StrictMode } from 'react';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-react';
import { ZiggieChat, type ZiggieChatProps } from '../../src/index.ts';
import { failOnConsoleErrors } from '../../test/console-guard.ts';
import { createTestChat, recordOf, type TestChat, type TestChatOptions } from '../../test/test-chat.ts';
import '../../test/page.css';
import '@ziggie/llm-react/styles.css';

failOnConsoleErrors();
beforeEach(async () => {
  localStorage.clear();
  await page.viewport(1100, 700);
});

const translate = defineTemplate({
  name: 'translate',
  description: 'Puts a text into another language',
  system: 'You translate.',
  prompt: 'Into {{language}}, {{tone}}: {{sourceText}}',
  defaults: { tone: 'plain' },
});
const shout = defineTemplate({ name: 'shout', description: 'Louder', prompt: 'Shout: {{text}}' });
const templates = [translate, shout];

async function show(props: ZiggieChatProps = {}, options: TestChatOptions = {}): Promise<TestChat> {
  const chat = createTestChat({ models: ['stand-in', 'other'], ...options });
  await render(
    <StrictMode>
      <ZiggieChat client={chat.client} conversation={chat.conversation} templates={templates} {...props} />
    </StrictMode>,
  );
  await expect.poll(() => chat.conversation.storageState.get()).toBe('ready');
  await expect.poll(() => chat.conversation.model.get()).not.toBeNull();
  return chat;
}

const composer = () => page.getByRole('textbox', { name: 'Message', exact: true });
const options = () => page.getByRole('listbox', { name: 'Commands and templates' }).getByRole('option');
const sent = ({ fake }: TestChat) =>
  fake
    .report()
    .requests.filter(({ path }) => path === '/api/chat')
    .map(({ body }) => (body as { messages: { content: string }[] }).messages.at(-1)?.content);

describe('the slash', () => {
  it('opens a list that the field names, which narrows, moves by arrows and goes away by Escape', async () => {
    await show();
    await userEvent.click(composer());
    await userEvent.keyboard('/');
    await expect.element(options().first()).toBeVisible();
    expect(
      options()
        .elements()
        .map((option) => option.querySelector('.zg-option-name')?.textContent),
    ).toEqual(['/clear', '/model', '/keys', '/translate', '/shout']);
    const active = () =>
      document.getElementById(composer().element().getAttribute('aria-activedescendant') ?? '');
    expect(active()?.textContent).toContain('/clear');
    await userEvent.keyboard('{ArrowUp}');
    await expect.poll(() => active()?.textContent).toContain('/shout');
    await userEvent.keyboard('tr');
    await expect.poll(() => options().elements().length).toBe(1);
    await expect.poll(() => active()?.textContent).toContain('/translate');
    await userEvent.keyboard('{Escape}');
    await expect.element(options()).not.toBeInTheDocument();
    expect(composer().element().hasAttribute('aria-activedescendant')).toBe(false);
    await expect.element(composer()).toHaveFocus();
    await expect.element(composer()).toHaveValue('/tr');
  });

  it('is a slash in a path, and everywhere when the host app wants no commands', async () => {
    const chat = await show({}, { scripts: [[say('A path.')]] });
    await userEvent.fill(composer(), '/usr/bin');
    await userEvent.keyboard('{Enter}');
    await expect.element(page.getByText('A path.')).toBeVisible();
    expect(sent(chat)).toEqual(['/usr/bin']);
    document.body.replaceChildren();
    const other = await show({ commands: false }, { scripts: [[say('Only words.')]] });
    await userEvent.fill(composer(), '/clear');
    await userEvent.keyboard('{Enter}');
    await expect.element(page.getByText('Only words.')).toBeVisible();
    expect(sent(other)).toEqual(['/clear']);
  });

  it('Enter that ends a word of an input method chooses nothing', async () => {
    await show();
    await userEvent.fill(composer(), '/cl');
    await expect.element(options().first()).toBeVisible();
    const field = composer().element();
    field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true }));
    field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', keyCode: 229, bubbles: true }));
    await expect.element(composer()).toHaveValue('/cl');
    await expect.element(options().first()).toBeVisible();
  });
});

describe('commands', () => {
  it('/model opens the picker or takes a name; /clear can be undone', async () => {
    const { conversation } = await show({}, { record: recordOf(['Old question', 'Old answer']) });
    await userEvent.fill(composer(), '/model other:latest');
    await userEvent.keyboard('{Enter}');
    await expect.poll(() => conversation.model.get()).toBe('other:latest');
    await expect.element(composer()).toHaveValue('');
    await userEvent.fill(composer(), '/mod');
    await userEvent.keyboard('{Tab}');
    await expect.element(page.getByRole('listbox', { name: 'Pick a model' })).toHaveFocus();
    await userEvent.keyboard('{Escape}');
    await userEvent.fill(composer(), '/clear');
    await userEvent.keyboard('{Enter}');
    await expect.element(page.getByText('Old answer')).not.toBeInTheDocument();
    await userEvent.click(page.getByRole('button', { name: 'Undo' }));
    await expect.element(page.getByText('Old answer')).toBeVisible();
  });

  it('of the host app come first, get what was typed, and a failure is said', async () => {
    const run = vi.fn(({ send }: { send(text: string): void }) => send('From a command'));
    const commands = [
      { name: 'weather', description: 'Looks it up', run },
      { name: 'broken', description: 'Fails', run: () => Promise.reject(new Error('no')) },
    ];
    const chat = await show({ commands }, { scripts: [[say('Sunny.')]] });
    await userEvent.click(page.getByRole('button', { name: 'Commands and templates' }));
    await expect.poll(() => options().elements()[0]?.textContent).toBe('/weatherLooks it up');
    await userEvent.fill(composer(), '/weather Berlin now');
    await userEvent.keyboard('{Enter}');
    await expect.element(page.getByText('Sunny.')).toBeVisible();
    expect(run).toHaveBeenCalledWith(expect.objectContaining({ argument: 'Berlin now' }));
    expect(sent(chat)).toEqual(['From a command']);
    await userEvent.fill(composer(), '/broken');
    await userEvent.keyboard('{Enter}');
    await expect
      .poll(() => document.querySelector('[data-zg-live=polite]')?.textContent)
      .toBe('That did not work');
  });
});

describe('templates', () => {
  it('ask for what is missing before anything is sent', async () => {
    const chat = await show({}, { scripts: [[say('Guten Morgen.')]] });
    await userEvent.fill(composer(), '/translate German');
    await userEvent.keyboard('{Enter}');
    const form = page.getByRole('form', { name: 'Puts a text into another language' });
    await expect.element(form.getByRole('textbox', { name: 'Language' })).toHaveValue('German');
    const source = form.getByRole('textbox', { name: 'Source text' });
    await expect.element(source).toHaveFocus();
    await userEvent.click(form.getByRole('button', { name: 'Send' }));
    await expect.element(form.getByText('This is needed')).toBeVisible();
    await expect.element(source).toHaveFocus();
    expect(sent(chat)).toEqual([]);
    await userEvent.fill(source, 'Good morning');
    await userEvent.click(form.getByRole('button', { name: 'Send' }));
    await expect.element(page.getByText('Guten Morgen.')).toBeVisible();
    expect(sent(chat)).toEqual(['You translate.\n\nInto German, plain: Good morning']);
    await expect.element(composer()).toHaveFocus();
  });

  it('go into the message when all is there, to be read before it is sent', async () => {
    const chat = await show();
    await userEvent.fill(composer(), '/shout hello');
    await userEvent.keyboard('{Enter}');
    await expect.element(composer()).toHaveValue('Shout: hello');
    expect(sent(chat)).toEqual([]);
  });

  it('begin an empty chat, and Escape gives up without stopping or losing anything', async () => {
    await show({ starters: ['Plain words', { label: 'Translate', template: translate }] });
    await userEvent.fill(composer(), 'Half a thought');
    await userEvent.click(page.getByRole('button', { name: 'Translate' }));
    const form = page.getByRole('form', { name: 'Puts a text into another language' });
    await expect.element(form.getByRole('textbox', { name: 'Language' })).toHaveFocus();
    await userEvent.keyboard('{Escape}');
    await expect.element(composer()).toHaveFocus();
    await expect.element(composer()).toHaveValue('Half a thought');
  });
});

describe('keys', () => {
  it('? shows them in a dialog, but not while typing, and Escape in it stops nothing', async () => {
    const chat = await show({}, { scripts: [[say('Writing on'), stall()]] });
    await userEvent.fill(composer(), 'Go');
    await userEvent.keyboard('{Enter}');
    await expect.element(page.getByText('Writing on')).toBeVisible();
    await userEvent.keyboard('Why?');
    await expect.element(composer()).toHaveValue('Why?');
    const log = page.getByRole('region', { name: 'Conversation' }).element() as HTMLElement;
    log.focus();
    await userEvent.keyboard('?');
    const sheet = page.getByRole('dialog', { name: 'Keys' });
    await expect.element(sheet).toBeVisible();
    await expect.element(sheet.getByText('Go to the message field')).toBeVisible();
    await userEvent.keyboard('{Escape}');
    await expect.element(sheet).not.toBeInTheDocument();
    expect(document.activeElement).toBe(log);
    expect(chat.conversation.runningId.get()).not.toBeNull();
    await userEvent.keyboard('{Shift>}{Escape}{/Shift}');
    await expect.element(composer()).toHaveFocus();
    expect(chat.conversation.runningId.get()).not.toBeNull();
    chat.conversation.stop();
  });

  it('move between messages, copy and answer again, and only inside of the chat', async () => {
    const record = recordOf(['First', 'Answer one', 'Second', 'Answer two']);
    const { conversation } = await show({}, { record, scripts: [[say('Another answer')]] });
    (page.getByRole('region', { name: 'Conversation' }).element() as HTMLElement).focus();
    await userEvent.keyboard('k');
    await expect.poll(() => document.activeElement?.textContent).toContain('Answer two');
    await userEvent.keyboard('kkkkk');
    await expect.poll(() => document.activeElement?.textContent).toContain('First');
    await userEvent.keyboard('j');
    await expect.poll(() => document.activeElement?.textContent).toContain('Answer one');
    (document.activeElement as HTMLElement).blur();
    await userEvent.keyboard('r');
    expect(page.getByRole('dialog').query()).toBeNull();
    expect(conversation.runningId.get()).toBeNull();
    (page.getByRole('region', { name: 'Conversation' }).element() as HTMLElement).focus();
    await userEvent.keyboard('r');
    await expect.element(page.getByText('Another answer')).toBeVisible();
  });

  it('? is heard while nothing has the focus, but not in a field of the page, nor beside another chat', async () => {
    await show();
    (document.activeElement as HTMLElement | null)?.blur();
    expect(document.activeElement).toBe(document.body);
    await userEvent.keyboard('?');
    const sheet = page.getByRole('dialog', { name: 'Keys' });
    await expect.element(sheet).toBeVisible();
    await userEvent.keyboard('{Escape}');
    await expect.element(sheet).not.toBeInTheDocument();
    const field = document.createElement('input');
    document.body.append(field);
    field.focus();
    await userEvent.keyboard('?');
    expect(field.value).toBe('?');
    expect(sheet.query()).toBeNull();
    field.remove();
    await show({ userId: 'another' });
    (document.activeElement as HTMLElement | null)?.blur();
    await userEvent.keyboard('?');
    expect(page.getByRole('dialog').query()).toBeNull();
  });

  it("are the host app's where it gives some, and none where it wants none", async () => {
    await show({ hotkeys: { showKeys: 'Mod+H', focusComposer: null } });
    await userEvent.click(composer());
    await userEvent.keyboard('{Control>}h{/Control}');
    await expect.element(page.getByRole('dialog', { name: 'Keys' })).toBeVisible();
    await expect.element(page.getByText('Go to the message field')).not.toBeInTheDocument();
    await userEvent.keyboard('{Escape}');
    document.body.replaceChildren();
    await show({ hotkeys: false });
    (page.getByRole('region', { name: 'Conversation' }).element() as HTMLElement).focus();
    await userEvent.keyboard('?');
    expect(page.getByRole('dialog').query()).toBeNull();
  });
});
