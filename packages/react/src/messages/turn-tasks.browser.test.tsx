import { afterEach, describe, expect, it } from 'vitest';
import { page } from 'vitest/browser';
import { render } from 'vitest-browser-react';
import { failOnConsoleErrors } from '../../test/console-guard.ts';
import { createTestChat, type TestChat, type TestChatOptions } from '../../test/test-chat.ts';
import { ZiggieChat } from '../chat/ziggie-chat.tsx';
import '../../test/page.css';
import '@ziggie/llm-react/styles.css';

failOnConsoleErrors();

const chats: TestChat[] = [];
afterEach(() => {
  for (const { conversation } of chats.splice(0)) conversation.dispose();
});

async function show(options: TestChatOptions = {}) {
  const chat = createTestChat(options);
  chats.push(chat);
  await render(<ZiggieChat client={chat.client} conversation={chat.conversation} />);
  await expect.element(page.getByRole('form')).toBeVisible();
  return chat;
}

/** What else the task does after the call that it begins with. */
async function restOfTask(): Promise<void> {
  for (let step = 0; step < 50; step += 1) await Promise.resolve();
}

describe('a turn, task by task', () => {
  it('shows the question in the task of the call and asks the model in the next', async () => {
    const chat = createTestChat();
    let asked = 0;
    const client = {
      ...chat.client,
      chat: ((...given) => {
        asked += 1;
        return chat.client.chat(...given);
      }) as typeof chat.client.chat,
    };
    const { conversation } = await show({ conversation: { client } });
    // The first turn fetches code, which is a task of its own.
    await conversation.send('Hello');
    expect(asked).toBe(1);
    const turn = conversation.send('Hello again');
    await restOfTask();
    expect(conversation.messageIds.get()).toHaveLength(4);
    expect(asked).toBe(1);
    await turn;
    expect(asked).toBe(2);
  });

  it('brings the words of a question first, and then what can be done with it', async () => {
    const { conversation } = await show();
    const buttons: number[] = [];
    const observer = new MutationObserver((records) => {
      for (const node of records.flatMap(({ addedNodes }) => [...addedNodes])) {
        if (node instanceof Element && node.matches('[data-role="user"]'))
          buttons.push(node.querySelectorAll('button').length);
      }
    });
    observer.observe(document.body, { childList: true, subtree: true });
    await conversation.send('Hello');
    await expect.element(page.getByRole('button', { name: 'Edit message' })).toBeInTheDocument();
    observer.disconnect();
    expect(buttons).toEqual([0]);
  });
});
