import { defineTool } from '@ziggie/llm-client/tools';
import { say } from '@ziggie/llm-testing';
import { StrictMode } from 'react';
import { beforeEach, describe, expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-react';
import { ZiggieChat, type ZiggieChatProps } from '../../src/index.ts';
import { failOnConsoleErrors } from '../../test/console-guard.ts';
import { createTestChat, type TestChat, type TestChatOptions } from '../../test/test-chat.ts';
import '../../test/page.css';
import '@ziggie/llm-react/styles.css';

failOnConsoleErrors();
beforeEach(async () => {
  localStorage.clear();
  await page.viewport(1100, 700);
});

const models = [
  { name: 'small', capabilities: ['completion' as const], contextLength: 2_048 },
  {
    name: 'able',
    capabilities: ['completion' as const, 'tools' as const, 'vision' as const],
    contextLength: 131_072,
  },
];

async function show(props: ZiggieChatProps = {}, options: TestChatOptions = {}): Promise<TestChat> {
  const chat = createTestChat({ models, ...options });
  chat.conversation.dispose();
  await render(
    <StrictMode>
      <ZiggieChat client={chat.client} model="small:latest" userId="models" {...props} />
    </StrictMode>,
  );
  await expect.element(pickerButton()).toBeVisible();
  return chat;
}

const pickerButton = () => page.getByRole('button', { name: /^Model: / });
const list = () => page.getByRole('listbox', { name: 'Pick a model' });
const button = (name: string) => page.getByRole('button', { name, exact: true });
const paths = ({ fake }: TestChat) => fake.report().requests.map(({ path }) => path);

describe('the list of models', () => {
  it('says what each can do, how long it reads and when its memory is freed', async () => {
    const { client } = await show();
    await userEvent.click(pickerButton());
    const able = list().getByRole('option', { name: /able/ });
    await expect.element(able.getByText('reads 131,072 tokens, sees images, uses tools')).toBeVisible();
    await expect.element(list().getByText('reads 2,048 tokens', { exact: true })).toBeVisible();
    await userEvent.keyboard('{Escape}');
    await client.chat({ model: 'able', messages: [{ role: 'user', content: 'Hi' }] }).text();
    await userEvent.click(pickerButton());
    await expect.element(able.getByText(/in memory, .*, frees in 5\smin$/)).toBeVisible();
    // What a model in memory was given, which may be less than it could read.
    await expect.element(able.getByText('reads 4,096 tokens, sees images, uses tools')).toBeVisible();
    expect(button('Pull').query()).toBeNull();
  });
});

describe('for those who manage models', () => {
  it('brings the picked model into memory and takes it out again', async () => {
    const chat = await show({ manageModels: true });
    await userEvent.click(pickerButton());
    await expect.element(button('Load into memory')).toBeVisible();
    await userEvent.click(button('Load into memory'));
    await userEvent.click(button('Free its memory'));
    await expect.element(button('Load into memory')).toBeVisible();
    expect(paths(chat).filter((path) => path === '/api/generate')).toHaveLength(2);
    await userEvent.keyboard('{Escape}');
    await expect.element(pickerButton()).toHaveFocus();
  });

  it('pulls with progress, goes on while the picker is closed, and the model is in the list', async () => {
    await show({ manageModels: true }, { pullBytesPerSecond: Number.POSITIVE_INFINITY });
    await userEvent.click(pickerButton());
    const field = page.getByRole('textbox', { name: 'Name of a model to pull' });
    await userEvent.fill(field, 'llama3.2:1b');
    await userEvent.keyboard('{Enter}');
    await expect.element(field).toHaveValue('');
    await userEvent.keyboard('{Escape}');
    await expect.element(list()).not.toBeInTheDocument();
    await userEvent.click(pickerButton());
    await expect.element(page.getByText('is here', { exact: true })).toBeVisible();
    await expect.element(list().getByRole('option', { name: /llama3.2:1b/ })).toBeVisible();
    await userEvent.click(button('Take llama3.2:1b off the list'));
    await expect.element(page.getByText('is here', { exact: true })).not.toBeInTheDocument();
  });

  it('a pull can be cancelled and gone on with', async () => {
    const chat = await show({ manageModels: true }, { pullBytesPerSecond: 1_000_000 });
    await userEvent.click(pickerButton());
    await userEvent.fill(page.getByRole('textbox', { name: 'Name of a model to pull' }), 'llama3.2:1b');
    await userEvent.keyboard('{Enter}');
    await expect.element(page.getByRole('progressbar', { name: 'Pulling llama3.2:1b' })).toBeVisible();
    await expect.element(page.getByText(/MB of .*GB/)).toBeVisible();
    await userEvent.click(button('Cancel'));
    await expect.element(page.getByText('cancelled')).toBeVisible();
    await expect.poll(() => chat.fake.report().disconnects.length).toBe(1);
    await userEvent.click(button('Go on'));
    await expect.element(page.getByRole('progressbar', { name: 'Pulling llama3.2:1b' })).toBeVisible();
    await userEvent.click(button('Cancel'));
  });

  it('ends where the server refuses', async () => {
    const chat = createTestChat({ models });
    chat.conversation.dispose();
    const { createClient } = await import('@ziggie/llm-client');
    const fetch: typeof globalThis.fetch = async (input, init) =>
      String(input).includes('/api/pull')
        ? Response.json({ error: 'not for you' }, { status: 403 })
        : chat.fake.fetch(input, init);
    const client = createClient({ baseUrl: 'http://ollama.test', target: 'ollama', fetch });
    await render(<ZiggieChat client={client} model="small:latest" manageModels />);
    await userEvent.click(pickerButton());
    await userEvent.fill(page.getByRole('textbox', { name: 'Name of a model to pull' }), 'llama3.2:1b');
    await userEvent.keyboard('{Enter}');
    await expect.element(page.getByText('This server does not let you manage its models.')).toBeVisible();
    expect(button('Pull').query()).toBeNull();
    await userEvent.keyboard('{Escape}');
    await expect.element(pickerButton()).toHaveFocus();
  });
});

describe('what a model cannot do is stopped before it is sent', () => {
  const weather = defineTool({ name: 'weather', description: 'Tells the weather.', execute: () => 'Sun' });

  it('tools: one click takes a model that can', async () => {
    const chat = await show({ tools: [weather] }, { scripts: [[say('Sunny.')]] });
    const composer = page.getByRole('textbox', { name: 'Message', exact: true });
    await userEvent.fill(composer, 'How is the weather?');
    await expect.element(page.getByText('small:latest cannot use tools.')).toBeVisible();
    await userEvent.keyboard('{Enter}');
    expect(paths(chat)).not.toContain('/api/chat');
    await userEvent.click(button('Use able:latest'));
    await userEvent.click(composer);
    await userEvent.keyboard('{Enter}');
    await expect.element(page.getByText('Sunny.')).toBeVisible();
  });

  it('a message that is longer than what it reads: another model, or fewer words', async () => {
    await show();
    const composer = page.getByRole('textbox', { name: 'Message', exact: true });
    await userEvent.fill(composer, 'word '.repeat(3_000));
    await expect
      .element(page.getByText(/The message takes about .* tokens; small:latest can read 2,048/))
      .toBeVisible();
    await userEvent.click(button('Use able:latest'));
    await expect.element(page.getByText(/The message takes about/)).not.toBeInTheDocument();
  });
});
