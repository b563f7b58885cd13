import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { chromiumArgs, chromiumPath } from '../../../../.ci/chromium.mjs';
import { pageFiles } from '../page-script.ts';
import { reply, serve, toLines } from '../scripted-server.ts';

const code = `
  import { createConversation } from 'src/conversation.ts';
  import { createLocalStorage } from 'src/storage.ts';
  const client = async () => (await import('src/create-client.ts')).createClient({ baseUrl: '/', retry: { maxAttempts: 1 } });
  const storage = createLocalStorage({ namespace: 'page' });
  const it = (globalThis.conversation = createConversation({ client, storage, model: 'm' }));
  globalThis.shown = () => it.messageIds.get().map((id) => {
    const { role, text, end } = it.message(id).get();
    return [role, text, end?.failure?.code ?? end?.kind].filter(Boolean).join(' ');
  });
`;
const answer = toLines(
  { type: 'start', id: 'r', model: 'm', upstreamModel: 'm', resumable: false, seq: 0 },
  { type: 'text-delta', text: 'Here.', seq: 1 },
  { type: 'done', finishReason: 'stop', timings: {}, seq: 2 },
);
let files: Map<string, string>;
let browser: Browser;

/** A page in Chromium of which one file is held back, or refused, until it may come. */
async function openPage({ hold = '', refuse = '' } = {}) {
  let kept = hold;
  let refused = refuse;
  const held: (() => void)[] = [];
  const asked: string[] = [];
  const server = await serve((exchange) => {
    const name = exchange.request.url?.slice(1) ?? '';
    asked.push(name);
    if (name === '') {
      const html = '<!doctype html><title>Page</title><script type="module" src="page.js"></script>';
      return reply(200, html, { 'Content-Type': 'text/html; charset=utf-8' })(exchange);
    }
    if (name === 'chat') return reply(200, answer, { 'Content-Type': 'application/x-ndjson' })(exchange);
    const file = files.get(name);
    if (file === undefined || name === refused) return reply(503, '')(exchange);
    const send = () =>
      reply(200, file, { 'Content-Type': 'text/javascript', 'Cache-Control': 'no-store' })(exchange);
    if (name === kept) held.push(send);
    else send();
  });
  const context = await browser.newContext();
  onTestFinished(() => context.close());
  const page = await context.newPage();
  await page.goto(server.url);
  return {
    page,
    /** Nothing is in the way from here on. */
    comeBack() {
      kept = '';
      refused = '';
      for (const send of held.splice(0)) send();
    },
    holdFromNow(name: string) {
      kept = name;
      asked.length = 0;
    },
    wasAsked: (name: string) => expect.poll(() => asked.includes(name), { interval: 5 }).toBe(true),
    shows: (...rows: string[]) => expect.poll(() => page.evaluate('shown()'), { interval: 5 }).toEqual(rows),
    act: (what: string) => page.evaluate(`conversation.${what}`) as Promise<unknown>,
  };
}

describe.skipIf(!existsSync(chromiumPath ?? ''))('what a page does not start with', () => {
  beforeAll(async () => {
    files = await pageFiles(code);
    expect([...files.keys()]).toEqual(expect.arrayContaining(['page.js', 'later.js', 'create-client.js']));
    browser = await chromium.launch({ executablePath: chromiumPath, args: chromiumArgs });
  });
  afterAll(() => browser.close());

  test.each(['later.js', 'create-client.js'])(
    'a question asked before %s is here stands in its place, and is answered once it is',
    async (hold) => {
      const { shows, act, wasAsked, comeBack } = await openPage({ hold });
      const sent = act(`send('Hello?')`);
      await wasAsked(hold);
      await shows('user Hello?', 'assistant');
      expect(await act('phase.get()')).toEqual({ kind: 'connecting' });
      comeBack();
      await sent;
      await shows('user Hello?', 'assistant Here. complete');
    },
  );

  test('what was saved is shown without it, and can be changed at once', async () => {
    const { page, shows, act, holdFromNow, wasAsked } = await openPage();
    await act(`send('Hello?')`);
    await act(`edit(conversation.messageIds.get()[0], 'Hello again?')`);
    holdFromNow('later.js');
    await page.reload();
    await wasAsked('later.js');
    await shows('user Hello again?', 'assistant Here. complete');
    const ids = (await act('messageIds.get()')) as string[];
    expect(await act(`siblings('${ids[0]}')`)).toHaveLength(2);
    await page.evaluate(`globalThis.back = conversation.remove('${ids[1]}')`);
    await shows('user Hello again?');
    await page.evaluate('back()');
    await shows('user Hello again?', 'assistant Here. complete');
  });

  test.each(['later.js', 'create-client.js'])(
    'a turn for which %s cannot be fetched fails, and retry() fetches it again',
    async (refuse) => {
      const { shows, act, comeBack } = await openPage({ refuse });
      await act(`send('Hello?')`);
      await shows('user Hello?', 'assistant connect_failed');
      comeBack();
      await act('retry()');
      await shows('user Hello?', 'assistant Here. complete');
    },
  );

  test('stop() does not wait for it, nor does another turn begin by itself', async () => {
    const { shows, act, wasAsked } = await openPage({ hold: 'later.js' });
    const sent = act(`send('Hello?')`);
    const queued = act(`send('And you?')`);
    queued.catch(() => {});
    await wasAsked('later.js');
    await shows('user Hello?', 'assistant');
    await act('stop()');
    await sent;
    await shows('user Hello?', 'assistant stopped');
    expect(await act('queue.items.get()')).toMatchObject([{ text: 'And you?' }]);
    expect(await act('queue.paused.get()')).toBe('stopped');
  });
});
