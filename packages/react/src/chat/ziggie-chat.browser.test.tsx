import { cut, error, say, stall, think } from '@ziggie/llm-testing';
import { StrictMode } from 'react';
import { afterEach, describe, expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-react';
import { failOnConsoleErrors } from '../../test/console-guard.ts';
import { createTestChat, recordOf, type TestChat, type TestChatOptions } from '../../test/test-chat.ts';
import { ZiggieChat } from './ziggie-chat.tsx';
import type { ZiggieChatProps } from './ziggie-chat-props.ts';
import '../../test/page.css';
import '@ziggie/llm-react/styles.css';

failOnConsoleErrors();

const open: TestChat[] = [];
afterEach(() => {
  for (const { conversation } of open.splice(0)) conversation.dispose();
});

async function show(options: TestChatOptions = {}, props: ZiggieChatProps = {}): Promise<TestChat> {
  const chat = createTestChat(options);
  open.push(chat);
  await render(
    <StrictMode>
      <ZiggieChat client={chat.client} conversation={chat.conversation} {...props} />
    </StrictMode>,
  );
  await expect.element(page.getByRole('textbox', { name: 'Message' })).toBeVisible();
  await expect.poll(() => chat.conversation.storageState.get()).toBe('ready');
  return chat;
}

async function type(text: string): Promise<void> {
  await userEvent.fill(page.getByRole('textbox', { name: 'Message' }), text);
}

async function ask(text: string): Promise<void> {
  await type(text);
  await userEvent.keyboard('{Enter}');
}

describe('ZiggieChat', () => {
  it('shows the answer as it is written and its numbers at the end', async () => {
    await show({ scripts: [[say('Hello **there**, reader.')]] });
    await ask('Hi');
    const answer = page.getByRole('article', { name: 'stand-in' });
    await expect.element(answer.getByText(/tokens, .*tok\/s, first token/)).toBeVisible();
    await expect
      .element(answer.getByText('Hello', { exact: false }))
      .toHaveTextContent('Hello there, reader.');
    await expect.element(answer.getByText('there', { exact: true })).toBeVisible();
    await expect.element(page.getByRole('article', { name: 'You' })).toHaveTextContent('Hi');
    await expect.element(answer.getByText(/tokens/)).toBeVisible();
    await expect.element(page.getByRole('textbox', { name: 'Message' })).toHaveValue('');
  });

  it('stops: the words stay and the slot is free', async () => {
    const { fake } = await show({ scripts: [[say('One two three'), stall()]] });
    await ask('Count');
    await expect.element(page.getByText('One two three')).toBeVisible();
    await userEvent.keyboard('{Tab}{Tab}');
    await expect.element(page.getByRole('button', { name: 'Stop' })).toHaveFocus();
    await userEvent.keyboard('{Enter}');
    await expect.element(page.getByText(/^Stopped/).first()).toBeInTheDocument();
    await expect.element(page.getByText('One two three')).toBeVisible();
    await fake.waitFor((report) => report.openGenerations === 0);
    expect(fake.report().disconnects).toHaveLength(1);
  });

  it('shows a lost connection as a card, keeps the words and answers again by its button', async () => {
    await show({ scripts: [[say('Half an ans'), cut()], [say('A whole answer')]] });
    await ask('Go');
    const card = page.getByRole('group', { name: 'The connection was lost' });
    await expect.element(card).toBeVisible();
    await expect.element(page.getByText('Half an ans')).toBeVisible();
    await userEvent.click(card.getByRole('button', { name: 'Try again' }));
    await expect.element(page.getByText('A whole answer')).toBeVisible();
    await expect.element(page.getByText('2 of 2')).toBeVisible();
    await userEvent.click(page.getByRole('button', { name: 'Previous answer' }));
    await expect.element(page.getByText('Half an ans')).toBeVisible();
  });

  it.each([
    [401, 'unauthorized', 'You are signed out', 'Sign in again'],
    [404, 'model "stand-in" not found', 'stand-in is not on this server', 'Pick another model'],
    [503, 'server busy, please try again.', 'The server is busy', 'Try again'],
  ])('has a card with one best action for status %i', async (status, message, title, action) => {
    await show({ scripts: [[error(message, { status })]] });
    await ask('Go');
    const card = page.getByRole('group', { name: title });
    await expect.element(card).toBeVisible();
    await expect.element(card.getByRole('button', { name: action })).toBeVisible();
    await expect.element(page.getByRole('article', { name: 'You' })).toHaveTextContent('Go');
  });

  it('signs in again by the host page, then tries again', async () => {
    let asked = 0;
    await show(
      { scripts: [[error('unauthorized', { status: 401 })], [say('Welcome back')]] },
      {
        onUnauthorized: () => {
          asked += 1;
        },
      },
    );
    await ask('Go');
    await userEvent.click(page.getByRole('button', { name: 'Sign in again' }));
    await expect.element(page.getByText('Welcome back')).toBeVisible();
    expect(asked).toBe(1);
  });

  it('shows thinking in a window, then as one closed line that a click opens', async () => {
    const { conversation } = await show({
      model: 'stand-in-thinking',
      scripts: [[think('First I consider the question.'), stall()]],
    });
    await ask('Why?');
    const live = page.getByText('First I consider the question.');
    await expect.element(live).toBeVisible();
    conversation.stop();
    const fold = page.getByRole('button', { name: /^Thought/ });
    await expect.element(fold).toHaveAttribute('aria-expanded', 'false');
    await expect.element(live).not.toBeVisible();
    await userEvent.click(fold);
    await expect.element(live).toBeVisible();
  });

  it('is one run under StrictMode, and none of it is lost when the chat leaves and comes back', async () => {
    const { fake, client, conversation } = createTestChat({ scripts: [[say('Still here'), stall()]] });
    const view = await render(
      <StrictMode>
        <ZiggieChat client={client} conversation={conversation} />
      </StrictMode>,
    );
    await ask('Go');
    await expect.element(page.getByText('Still here')).toBeVisible();
    await view.rerender(<StrictMode>away</StrictMode>);
    await view.rerender(
      <StrictMode>
        <ZiggieChat client={client} conversation={conversation} />
      </StrictMode>,
    );
    await expect.element(page.getByText('Still here')).toBeVisible();
    expect(fake.report().requests.filter((request) => request.path === '/api/chat')).toHaveLength(1);
    conversation.dispose();
  });

  it('stops its own run when it leaves the page for good', async () => {
    const { fake, client } = createTestChat({ scripts: [[say('Still here'), stall()]] });
    const view = await render(
      <ZiggieChat client={client} model="stand-in" storage={undefined} userId="gone" />,
    );
    await ask('Go');
    await expect.element(page.getByText('Still here')).toBeVisible();
    await view.unmount();
    await fake.waitFor((report) => report.openGenerations === 0 && report.disconnects.length === 1);
    localStorage.clear();
  });

  it('loses nothing that was written when the page is reloaded in the middle', async () => {
    const { client, fake } = createTestChat({ scripts: [[say('Half an answer'), stall()]] });
    const view = await render(<ZiggieChat client={client} model="stand-in" userId="reloads" />);
    await ask('Go');
    await expect.element(page.getByText('Half an answer')).toBeVisible();
    window.dispatchEvent(new PageTransitionEvent('pagehide'));
    await fake.waitFor((report) => report.openGenerations === 0);
    await view.unmount();
    await render(<ZiggieChat client={client} userId="reloads" />);
    await expect.element(page.getByText('Half an answer')).toBeVisible();
    localStorage.clear();
  });

  it('shows a saved conversation, and picks a model by itself', async () => {
    await show({ record: recordOf(['Old question', 'Old answer'], { model: null }) });
    await expect.element(page.getByText('Old answer')).toBeVisible();
    await expect.element(page.getByRole('button', { name: /Model:.*stand-in/ })).toBeVisible();
  });

  it('sends a starter by a click', async () => {
    await show({ scripts: [[say('Sure')]] }, { starters: ['Tell me a story'] });
    await userEvent.click(page.getByRole('button', { name: 'Tell me a story' }));
    await expect.element(page.getByText('Sure')).toBeVisible();
  });

  it('is started over, after asking, and stays gone', async () => {
    const { conversation } = await show({ record: recordOf(['Say something', 'Words to forget']) });
    await userEvent.click(page.getByRole('button', { name: 'Start over' }));
    expect(conversation.messageIds.get()).toHaveLength(2);
    await userEvent.click(page.getByRole('button', { name: 'Delete this chat?' }));
    await expect.element(page.getByText('Words to forget')).not.toBeInTheDocument();
    await expect.element(page.getByRole('textbox', { name: 'Message' })).toHaveFocus();
    expect(conversation.getState().nodes.size).toBe(0);
  });

  it('picks a model by keyboard', async () => {
    const { conversation } = await show();
    const button = page.getByRole('button', { name: /Model:/ });
    await userEvent.click(button);
    await expect.element(page.getByRole('listbox')).toHaveFocus();
    await expect.poll(() => page.getByRole('option').all().length).toBeGreaterThan(2);
    await userEvent.keyboard('{Home}{ArrowDown}{Enter}');
    await expect.element(button).toHaveFocus();
    const names = (await createTestChat().client.models.list()).map((model) => model.name);
    expect(names).toContain(conversation.model.get());
    expect(conversation.model.get()).not.toBe('stand-in');
    await userEvent.click(button);
    await userEvent.keyboard('{Escape}');
    await expect.element(page.getByRole('listbox')).not.toBeInTheDocument();
    await expect.element(button).toHaveFocus();
  });
});
