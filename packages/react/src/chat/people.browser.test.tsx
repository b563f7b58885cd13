import { createMemoryStorage } from '@ziggie/llm-client/storage';
import { builtInTemplates } from '@ziggie/llm-client/templates';
import { error, say, slow, stall, think } from '@ziggie/llm-testing';
import { StrictMode } from 'react';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cdp, page, userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-react';
import { failOnConsoleErrors } from '../../test/console-guard.ts';
import { createTestChat, recordOf, type TestChat, type TestChatOptions } from '../../test/test-chat.ts';
import { longAnswer, question } from '../../test/texts.ts';
import { ZiggieChat } from './ziggie-chat.tsx';
import type { ZiggieChatProps } from './ziggie-chat-props.ts';
import '../../test/page.css';
import '@ziggie/llm-react/styles.css';

failOnConsoleErrors();
beforeEach(async () => {
  localStorage.clear();
  await page.viewport(1100, 700);
});

async function show(props: ZiggieChatProps = {}, options: TestChatOptions = {}): Promise<TestChat> {
  const chat = createTestChat(options);
  await render(
    <StrictMode>
      <ZiggieChat client={chat.client} conversation={chat.conversation} {...props} />
    </StrictMode>,
  );
  await expect.poll(() => chat.conversation.storageState.get()).toBe('ready');
  return chat;
}

/** A page with its list of conversations, one of them shown. */
async function showPage(props: ZiggieChatProps = {}): Promise<void> {
  const storage = createMemoryStorage();
  await storage.save(recordOf([question, longAnswer], { id: 'c', title: 'Streaming'.repeat(9) }));
  const { client, conversation } = createTestChat();
  conversation.dispose();
  await render(
    <ZiggieChat
      client={client}
      model="stand-in"
      storage={storage}
      conversationId="c"
      layout="page"
      {...props}
    />,
  );
  await expect.element(page.getByText(question)).toBeVisible();
}

const composer = () => page.getByRole('textbox', { name: 'Message', exact: true });
async function ask(text: string): Promise<void> {
  await userEvent.fill(composer(), text);
  await userEvent.keyboard('{Enter}');
}
const emulate = (features: Record<string, string>) =>
  cdp().send('Emulation.setEmulatedMedia', {
    features: Object.entries(features).map(([name, value]) => ({ name, value })),
  } as never);

describe('what is said', () => {
  /** Counts what a screen reader hears: every change of a live region to a text. */
  function listen(): string[] {
    const heard: string[] = [];
    const observer = new MutationObserver((records) => {
      for (const region of new Set(records.map(({ target }) => target.parentElement ?? target))) {
        const live = (region as HTMLElement).closest?.('[aria-live], [role=status], [role=alert]');
        if (live && live.textContent !== '' && live.textContent !== null) heard.push(live.textContent);
      }
    });
    observer.observe(document.body, { subtree: true, childList: true, characterData: true });
    return heard;
  }

  it('is at most six times in a turn of many phases, none of them per token', async () => {
    const words = Array.from({ length: 120 }, (_, index) => `word${index}`).join(' ');
    const chat = await show(
      {},
      {
        loadMs: 2_300,
        tokensPerSecond: 200,
        scripts: [[slow(100), think('Let me see. '.repeat(30)), say(words)]],
      },
    );
    const heard = listen();
    await ask('Go');
    await expect.poll(() => chat.conversation.runningId.get()).toBeNull();
    await expect.poll(() => heard.at(-1)).toContain('Answer: word0');
    expect(heard.length).toBeGreaterThan(1);
    expect(heard.length).toBeLessThanOrEqual(6);
    expect(document.querySelectorAll('.zg-log[aria-live], .zg-log [aria-live], [role=log]')).toHaveLength(0);
  });

  it('of a failure is said once, and interrupts', async () => {
    await show({}, { scripts: [[say('Half '), error('runner gone')]] });
    const heard = listen();
    await ask('Go');
    await expect.element(page.getByText('The model server failed')).toBeVisible();
    await expect.poll(() => document.querySelector('[aria-live=assertive]')?.textContent).toContain('failed');
    expect(heard.length).toBeLessThanOrEqual(6);
  });
});

it('landmarks lead to the list, the conversation and the composer, each with a name', async () => {
  await showPage();
  await expect.element(page.getByRole('region', { name: 'Chat' })).toBeVisible();
  await expect.element(page.getByRole('navigation', { name: 'Conversations' })).toBeVisible();
  await expect.element(page.getByRole('region', { name: 'Conversation', exact: true })).toBeVisible();
  await expect.element(page.getByRole('form', { name: 'Message' })).toBeVisible();
  await expect.element(page.getByRole('article', { name: 'You' })).toBeVisible();
  for (const control of document.querySelectorAll('.zg :is(button, input, textarea, a)')) {
    const label = (control as HTMLInputElement).labels?.[0]?.textContent;
    expect(control.getAttribute('aria-label') ?? label ?? control.textContent).not.toBe('');
  }
});

describe('the focus', () => {
  it('is never lost when what had it goes away: delete, edit, undo, dialogs', async () => {
    await show({}, { record: recordOf(['Question', 'Answer']) });
    const isSomewhere = () =>
      expect
        .poll(() => document.activeElement !== document.body && document.activeElement !== null)
        .toBe(true);
    await userEvent.click(page.getByRole('button', { name: 'Edit message' }));
    await isSomewhere();
    await userEvent.keyboard('{Escape}');
    await isSomewhere();
    await userEvent.click(page.getByRole('button', { name: 'More', exact: true }));
    await userEvent.click(page.getByRole('menuitem', { name: 'Delete this answer' }));
    await isSomewhere();
    await userEvent.click(page.getByRole('button', { name: 'Undo' }));
    await isSomewhere();
    await userEvent.fill(composer(), '/keys');
    await expect.element(page.getByRole('option', { name: /keys/ })).toBeVisible();
    await userEvent.keyboard('{Enter}');
    await expect.element(page.getByRole('dialog')).toBeVisible();
    await userEvent.keyboard('{Escape}');
    await expect.element(page.getByRole('dialog')).not.toBeInTheDocument();
    await isSomewhere();
  });
});

describe('at 400 % zoom, which is 320 px', () => {
  /** What sticks out sideways of the page, without what scrolls by itself. */
  function sticksOut(): string[] {
    const wide = [...document.querySelectorAll<HTMLElement>('.zg *')].filter((element) => {
      const { right, width, left } = element.getBoundingClientRect();
      if (width === 0 || element.closest('.zg-sr, pre, .zg-table, table') !== null) return false;
      return right > innerWidth + 1 || left < -1;
    });
    return wide.map((element) => `${element.tagName}.${element.getAttribute('class')}`);
  }

  it('nothing is cut off: answer, list, commands, template, keys, models', async () => {
    await page.viewport(320, 560);
    await showPage({ templates: builtInTemplates, manageModels: true });
    expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(320);
    expect(sticksOut()).toEqual([]);
    await userEvent.click(page.getByRole('button', { name: 'Show conversations' }));
    await expect.element(page.getByRole('button', { name: 'New chat' })).toBeVisible();
    expect(sticksOut()).toEqual([]);
    await userEvent.keyboard('{Escape}');
    await userEvent.click(page.getByRole('button', { name: /^Model: / }));
    await expect.element(page.getByRole('textbox', { name: 'Name of a model to pull' })).toBeVisible();
    expect(sticksOut()).toEqual([]);
    await userEvent.keyboard('{Escape}');
    await userEvent.fill(composer(), '/translate');
    await expect.element(page.getByRole('option').first()).toBeVisible();
    expect(sticksOut()).toEqual([]);
    await userEvent.keyboard('{Enter}');
    await expect.element(page.getByRole('button', { name: 'Put into the message' })).toBeVisible();
    expect(sticksOut()).toEqual([]);
    await userEvent.keyboard('{Escape}');
    await userEvent.fill(composer(), '/keys');
    await expect.element(page.getByRole('option', { name: /keys/ })).toBeVisible();
    await userEvent.keyboard('{Enter}');
    await expect.element(page.getByRole('dialog', { name: 'Keys' })).toBeVisible();
    expect(sticksOut()).toEqual([]);
  });
});

describe('wishes of the reader', () => {
  afterEach(() => emulate({ 'prefers-reduced-motion': '', 'forced-colors': '' }));

  it('nothing moves with reduced motion', async () => {
    await emulate({ 'prefers-reduced-motion': 'reduce' });
    const chat = await show({}, { scripts: [[slow(60), say('Writing'), stall()]] });
    await ask('Go');
    await expect.element(page.getByText('Writing', { exact: true }).first()).toBeVisible();
    const moving = document
      .getAnimations()
      .filter((animation) => Number(animation.effect?.getComputedTiming().duration) > 1);
    expect(moving.map((animation) => (animation as CSSAnimation).animationName)).toEqual([]);
    chat.conversation.stop();
  });

  it('with forced colours everything that can be used has an edge or a text, and the shown conversation a mark', async () => {
    await emulate({ 'forced-colors': 'active' });
    await showPage();
    const row = page.getByRole('listitem').filter({ has: page.getByRole('button', { name: /^Streaming/ }) });
    await expect.poll(() => getComputedStyle(row.element()).outlineStyle).toBe('solid');
    const send = page.getByRole('button', { name: 'Send' }).element();
    expect(getComputedStyle(send).borderTopWidth).toBe('1px');
    composer().element().focus();
    const box = document.querySelector('.zg-composer-box') as HTMLElement;
    expect(getComputedStyle(box).borderTopStyle).toBe('solid');
  });
});

describe('a phone', () => {
  it('keeps the composer above a keyboard that lies over the page, as long as the chat has the focus', async () => {
    const view = Object.assign(new EventTarget(), { height: 700, offsetTop: 0, scale: 1 });
    const before = Object.getOwnPropertyDescriptor(window, 'visualViewport');
    Object.defineProperty(window, 'visualViewport', { configurable: true, value: view });
    try {
      await show({}, { record: recordOf([question, longAnswer]) });
      const bottom = () => composer().element().closest('form')?.getBoundingClientRect().bottom ?? 0;
      await userEvent.click(composer());
      view.height = 380;
      view.dispatchEvent(new Event('resize'));
      await expect.poll(bottom).toBeLessThanOrEqual(380);
      composer().element().blur();
      await expect.poll(bottom).toBeGreaterThan(600);
      // A page that is zoomed in is no keyboard.
      await userEvent.click(composer());
      Object.assign(view, { height: 350, scale: 2 });
      view.dispatchEvent(new Event('resize'));
      await expect.poll(bottom).toBeGreaterThan(600);
    } finally {
      if (before) Object.defineProperty(window, 'visualViewport', before);
    }
  });
});

describe('an input method', () => {
  const key = (type: string, init: KeyboardEventInit & { keyCode?: number }) => {
    const event = new KeyboardEvent(type, { bubbles: true, cancelable: true, ...init });
    composer().element().dispatchEvent(event);
    return event;
  };
  const composition = (type: string) =>
    composer()
      .element()
      .dispatchEvent(new CompositionEvent(type, { bubbles: true, data: 'にほん' }));
  const orders: Record<string, () => void> = {
    'Chrome: keydown while composing, then the end': () => {
      composition('compositionstart');
      key('keydown', { key: 'Enter', isComposing: true, keyCode: 229 });
      composition('compositionend');
    },
    'Firefox: keydown while composing with its own code': () => {
      composition('compositionstart');
      key('keydown', { key: 'Enter', isComposing: true, keyCode: 13 });
      composition('compositionend');
    },
    'Safari: the end, then keydown with 229': () => {
      composition('compositionstart');
      composition('compositionend');
      key('keydown', { key: 'Enter', isComposing: false, keyCode: 229 });
    },
    'Android: no key at all, but Process': () => {
      composition('compositionstart');
      key('keydown', { key: 'Process', isComposing: true, keyCode: 229 });
      composition('compositionend');
    },
  };
  it.each(Object.keys(orders))(
    '%s: sends nothing and loses nothing; a plain Enter after it sends',
    async (name) => {
      const chat = await show({}, { scripts: [[say('Hai.')]] });
      await userEvent.fill(composer(), 'にほん');
      orders[name]?.();
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(chat.conversation.messageIds.get()).toEqual([]);
      await expect.element(composer()).toHaveValue('にほん');
      key('keydown', { key: 'Enter', keyCode: 13 });
      await expect.element(page.getByText('Hai.')).toBeVisible();
    },
  );
});
