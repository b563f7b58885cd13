import type { ToolUse } from '@ziggie/llm-client/conversation';
import { defineTool, object } from '@ziggie/llm-client/tools';
import { callTool, error, finish, say } from '@ziggie/llm-testing';
import { type ReactElement, StrictMode, useEffect, useState } from 'react';
import { beforeEach, describe, expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-react';
import { StructuredData, ZiggieChat, type ZiggieChatProps } from '../../src/index.ts';
import { failOnConsoleErrors } from '../../test/console-guard.ts';
import { createTestChat, recordOf, type TestChat, type TestChatOptions } from '../../test/test-chat.ts';
import '../../test/page.css';
import '@ziggie/llm-react/styles.css';

failOnConsoleErrors();
beforeEach(() => localStorage.clear());

const composer = () => page.getByRole('textbox', { name: 'Message', exact: true });
async function ask(text: string): Promise<void> {
  await userEvent.fill(composer(), text);
  await userEvent.keyboard('{Enter}');
}

/** A chat that opens its conversation itself, as `tools` needs. */
async function show(props: ZiggieChatProps, options: TestChatOptions = {}): Promise<TestChat> {
  const chat = createTestChat(options);
  chat.conversation.dispose();
  await render(
    <StrictMode>
      <ZiggieChat client={chat.client} model="stand-in" userId="parts" {...props} />
    </StrictMode>,
  );
  await expect.element(composer()).toBeVisible();
  return chat;
}

describe('structured data', () => {
  it('stands there while it is written: records as a table, what is nested under its name, markup as text', async () => {
    const value = {
      title: 'Cards <b>here</b>',
      cards: [
        { name: '4090', memory: 24, inUse: true },
        { name: 'A10', memory: 24, note: null },
      ],
      site: { city: 'Zug', tags: ['quiet', 'cool'] },
    };
    const parts: unknown[] = [
      {},
      { title: 'Car' },
      { title: value.title, cards: [{ name: '40' }] },
      { title: value.title, cards: [value.cards[0], { name: 'A10', note: null }], site: {} },
      value,
    ];
    const show = (part: unknown) => (
      <div className="zg">
        <StructuredData value={part} label="Cards" />
      </div>
    );
    const shown = await render(show(parts[0]));
    for (const part of parts) await shown.rerender(show(part));
    const view = page.getByRole('group', { name: 'Cards' });
    await expect.element(view.getByRole('columnheader', { name: 'memory' })).toBeVisible();
    await expect.element(view.getByText('cool')).toBeVisible();
    const cells = view.getByRole('row').nth(1).getByRole('cell').elements();
    expect(cells.map(({ textContent }) => textContent)).toEqual(['4090', '24', 'yes', '']);
    await expect.element(view.getByText('Cards <b>here</b>')).toBeVisible();
    expect(view.element().querySelector('b')).toBeNull();
  });

  it('of a live object() stream is shown to its end, though the same object grows', async () => {
    const text = '{"title":"Cards <b>here</b>","cards":[{"name":"4090"},{"name":"A10"}]}';
    const { client, conversation } = createTestChat({ tokensPerSecond: 400, scripts: [[say(text)]] });
    conversation.dispose();
    await render(<Live client={client} />);
    const view = page.getByRole('group', { name: 'Live' });
    await expect.element(view.getByText('Cards <b>here</b>')).toBeVisible();
    await expect.element(view.getByText('A10')).toBeVisible();
  });

  it('that is endless or very deep stays small', async () => {
    const deep = (levels: number): unknown => (levels === 0 ? 'end' : { next: deep(levels - 1) });
    const many = Array.from({ length: 5_000 }, (_, index) => `entry ${index}`);
    await render(
      <div className="zg">
        <StructuredData value={{ many, deep: deep(500) }} label="Much" />
      </div>,
    );
    await expect.element(page.getByText('4,800 more')).toBeVisible();
    expect(document.querySelectorAll('.zg-structure *').length).toBeLessThan(700);
    await expect.element(page.getByText('1 value')).toBeVisible();
  });
});

function Live({ client }: { client: TestChat['client'] }): ReactElement {
  const [part, setPart] = useState<unknown>(null);
  useEffect(() => {
    const stream = object(client, {
      model: 'stand-in',
      prompt: 'Which cards?',
      schema: anything,
      jsonSchema: {},
    });
    void (async () => {
      for await (const known of stream) setPart({ ...(known as object) });
    })().catch(() => {});
    return () => stream.abort();
  }, [client]);
  return (
    <div className="zg">
      <StructuredData value={part} label="Live" />
    </div>
  );
}

/** A schema that takes what comes. */
const anything = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value: unknown) => ({ value: value as Record<string, unknown> }),
  },
} as const;

function WeatherResult({ use }: { use: ToolUse }): ReactElement {
  return <StructuredData value={JSON.parse(use.result ?? 'null')} label="Weather" />;
}

describe('tools of the page', () => {
  const weather = defineTool({
    name: 'weather',
    description: 'Tells the weather.',
    execute: () => ({ degrees: 7, source: 'roof' }),
  });

  it('run by the `tools` prop, and look as `toolViews` says', async () => {
    const chat = await show(
      {
        tools: [weather],
        toolViews: {
          weather: {
            title: (use) => `Looking out of the window in ${String(use.arguments['city'])}`,
            Result: WeatherResult,
          },
        },
      },
      { scripts: [[callTool('weather', { city: 'Zug' }), finish()], [say('Seven degrees.')]] },
    );
    await ask('How is the weather?');
    await expect.element(page.getByText('Seven degrees.')).toBeVisible();
    await expect.element(page.getByText('Looking out of the window in Zug')).toBeVisible();
    const result = page.getByRole('group', { name: 'Weather' });
    await expect.element(result.getByText('roof')).toBeVisible();
    const [, second] = chat.fake.report().requests.filter(({ path }) => path === '/api/chat');
    expect(JSON.stringify(second?.body)).toContain('\\"degrees\\":7');
  });
});

it('sources stand numbered under the answer; only web addresses are links', async () => {
  const { client, conversation } = createTestChat({ record: recordOf(['Where from?', 'From there.']) });
  await render(<ZiggieChat client={client} conversation={conversation} />);
  await expect.element(page.getByText('From there.')).toBeVisible();
  conversation.addSources('m1', [
    { id: 'a', title: 'The manual', url: 'https://docs.ollama.com/api' },
    { id: 'b', title: 'Sly', url: 'javascript:alert(1)' },
    { id: 'c' },
  ]);
  const sources = page.getByRole('region', { name: 'Sources' });
  const link = sources.getByRole('link', { name: 'The manual' });
  await expect.element(link).toHaveAttribute('rel', 'noopener noreferrer nofollow');
  expect(sources.getByRole('link').elements()).toHaveLength(1);
  expect(
    sources
      .getByRole('listitem')
      .elements()
      .map(({ textContent }) => textContent),
  ).toEqual(['1The manualdocs.ollama.com', '2Sly', '3c']);
});

it('files come by the pick button of the composer too', async () => {
  await show({ attachments: true });
  const input = document.querySelector<HTMLInputElement>('.zg-composer input[type=file]');
  let opened = 0;
  input?.addEventListener('click', (event) => {
    // The dialog of the system is not ours to see.
    event.preventDefault();
    opened++;
  });
  await userEvent.click(page.getByRole('button', { name: 'Add files' }));
  expect(opened).toBe(1);
  await userEvent.upload(
    input as HTMLInputElement,
    new File(['a,b\n1,2\n'], 'seats.csv', { type: 'text/csv' }),
  );
  await expect.element(page.getByRole('list', { name: 'Files' }).getByText('seats.csv')).toBeVisible();
});

it('a limit counts down, keeps the words, and lets go by itself', async () => {
  const chat = createTestChat({
    scripts: [[error('Too many', { status: 429, headers: { 'retry-after': '2' } })], [say('Now it goes.')]],
  });
  await render(<ZiggieChat client={chat.client} conversation={chat.conversation} />);
  await ask('Quick');
  await expect.element(page.getByText('Too many requests')).toBeVisible();
  const again = page.getByRole('button', { name: 'Try again' });
  await expect.element(again).toBeDisabled();
  await expect.element(page.getByText(/You can try again in [12]\ss/)).toBeVisible();
  await expect.element(page.getByText('Quick')).toBeVisible();
  await expect.element(again).toBeEnabled();
  await userEvent.click(again);
  await expect.element(page.getByText('Now it goes.')).toBeVisible();
});
