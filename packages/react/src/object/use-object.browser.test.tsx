import type { ZiggieClient } from '@ziggie/llm-client';
import type { StandardSchema } from '@ziggie/llm-client/tools';
import { cut, say, slow, stall } from '@ziggie/llm-testing';
import { StrictMode } from 'react';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-react';
import { type ObjectView, useObject, ZiggieProvider } from '../../src/index.ts';
import { failOnConsoleErrors } from '../../test/console-guard.ts';
import { createTestChat, type TestChatOptions } from '../../test/test-chat.ts';

failOnConsoleErrors();

interface Written {
  title: string;
  steps: string[];
}
/** As a schema's library would make one: checks the title, and fills in the minutes. */
const Recipe: StandardSchema<Written, Written & { minutes: number }> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) =>
      typeof (value as Written).title === 'string'
        ? { value: { minutes: 10, ...(value as Written) } }
        : { issues: [{ message: 'expected a text', path: ['title'] }] },
  },
};
const jsonSchema = { type: 'object', required: ['title', 'steps'] };
type View = ObjectView<typeof Recipe>;
const text = '{"title":"Pancakes","steps":["Mix","Wait","Fry"]}';

/** A component that tells all it was given. */
function Asker({
  client,
  model,
  onView,
}: {
  client?: ZiggieClient;
  model?: string;
  onView(view: View): void;
}) {
  const view = useObject({ schema: Recipe, jsonSchema, repairs: 0, client, model });
  onView(view);
  return (
    <>
      <button type="button" onClick={() => void view.submit('Pancakes, please')}>
        Ask
      </button>
      <button type="button" onClick={view.stop}>
        Stop
      </button>
      <p>{`${view.status} ${view.partial?.title ?? ''}`}</p>
    </>
  );
}

async function show(chat: TestChatOptions = {}) {
  const seen: View[] = [];
  const { client, conversation, fake } = createTestChat(chat);
  const rendered = await render(
    <StrictMode>
      <ZiggieProvider client={client} conversation={conversation}>
        <Asker onView={(view) => seen.push(view)} />
      </ZiggieProvider>
    </StrictMode>,
  );
  const last = () => seen.at(-1) as View;
  const status = () => last().status;
  const ask = () => userEvent.click(page.getByRole('button', { name: 'Ask' }));
  return { ...rendered, seen, last, status, fake, ask };
}

describe('useObject()', () => {
  it('shows the object while it is written, then whole and checked', async () => {
    const { seen, last, status, ask, fake } = await show({ scripts: [[slow(60), say(text)]] });
    expect(last()).toMatchObject({ object: null, partial: null, status: 'idle', error: null });
    await ask();
    await expect.poll(status, { timeout: 5000 }).toBe('done');
    expect(last().object).toEqual({ title: 'Pancakes', steps: ['Mix', 'Wait', 'Fry'], minutes: 10 });
    expectTypeOf(last().object).toEqualTypeOf<(Written & { minutes: number }) | null>();
    expectTypeOf(last().partial?.steps).toEqualTypeOf<string[] | undefined>();
    const parts = [...new Set(seen.map(({ partial }) => partial))].filter((part) => part !== null);
    expect(parts.length).toBeGreaterThan(2);
    // Each is a copy of its own: what was drawn does not change behind React's back.
    expect(parts[0]?.steps?.length ?? 0).toBeLessThan(3);
    expect(new Set(seen.map(({ submit }) => submit)).size).toBe(1);
    expect(fake.report().requests.at(-1)?.body).toMatchObject({
      model: 'stand-in',
      format: { type: 'object', required: ['title', 'steps'] },
    });
  });

  it('draws at most once per frame', async () => {
    const long = JSON.stringify({ title: 'x'.repeat(20_000), steps: [] });
    const { seen, status, ask } = await show({ scripts: [[say(long)]] });
    let frames = 0;
    let counting = true;
    const count = () => {
      frames++;
      if (counting) requestAnimationFrame(count);
    };
    requestAnimationFrame(count);
    await ask();
    await expect.poll(status, { timeout: 10_000 }).toBe('done');
    counting = false;
    expect(new Set(seen.map(({ partial }) => partial)).size).toBeLessThanOrEqual(frames + 2);
  });

  it('says why it failed, and keeps what was known', async () => {
    const { last, status, ask } = await show({
      scripts: [[say('{"title":7,"steps":[]}')], [slow(100), say('{"title":"Panc'), cut('end')]],
    });
    await ask();
    await expect.poll(status).toBe('failed');
    expect(last().error).toMatchObject({ code: 'schema_invalid', issues: [{ path: ['title'] }] });
    expect(last().object).toBeNull();
    await ask();
    await expect.poll(() => last().error).toMatchObject({ code: 'truncated' });
  });

  it('stops, and the model server is free', async () => {
    const { last, status, ask, fake } = await show({
      scripts: [[slow(100), say('{"title":"Pancakes","st'), stall()]],
    });
    await ask();
    await expect.element(page.getByText('running Pancakes')).toBeVisible();
    await userEvent.click(page.getByRole('button', { name: 'Stop' }));
    expect(status()).toBe('stopped');
    expect(last().partial).toEqual({ title: 'Pancakes' });
    expect(last().error).toBeNull();
    await expect.poll(() => fake.report().disconnects.length).toBe(1);
  });

  it('the newest question counts, and leaving the page stops it', async () => {
    const { last, status, ask, fake, unmount } = await show({ scripts: [[stall()], [say(text)], [stall()]] });
    await ask();
    await expect.poll(() => fake.report().requests.filter(({ path }) => path === '/api/chat').length).toBe(1);
    await ask();
    await expect.poll(status).toBe('done');
    expect(last().object?.title).toBe('Pancakes');
    await expect.poll(() => fake.report().disconnects.length).toBe(1);
    await ask();
    // The object before stays until the next is whole.
    await expect.poll(status).toBe('running');
    expect(last().object?.title).toBe('Pancakes');
    await expect.poll(() => fake.report().requests.filter(({ path }) => path === '/api/chat').length).toBe(3);
    await unmount();
    await expect.poll(() => fake.report().disconnects.length).toBe(2);
  });

  it('works without a provider, and says what is missing', async () => {
    const { client } = createTestChat({ scripts: [[say(text)]] });
    let view: View | undefined;
    const keep = (given: View) => {
      view = given;
    };
    const { rerender } = await render(<Asker client={client} onView={keep} />);
    await expect(view?.submit('Pancakes')).rejects.toThrow('no model is chosen');
    await rerender(<Asker client={client} model="stand-in" onView={keep} />);
    expect(await view?.submit([{ role: 'user', content: 'Pancakes' }])).toMatchObject({ title: 'Pancakes' });
  });
});
