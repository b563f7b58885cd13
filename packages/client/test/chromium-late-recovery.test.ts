import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { chromiumArgs, chromiumPath } from '../../../.ci/chromium.mjs';
import { pageFiles } from './page-script.ts';
import { runOf } from './resumable-server.ts';
import { type Exchange, hangUp, reply, serve, toLines } from './scripted-server.ts';

/** What goes on with a broken answer comes in this file, asked for with the first piece of the answer. */
const late = 'after-failure.js';
/** The page's clock goes fifty times as fast: a second between two tries is no second of the test. */
const code = `
  import { createClient } from 'src/index.ts';
  const heard = (globalThis.heard = []);
  const clock = {
    now: () => performance.now() * 50,
    setTimer(callback, delayMs) {
      const timer = setTimeout(callback, Math.min(delayMs / 50, 2 ** 30));
      return () => clearTimeout(timer);
    },
  };
  const hooks = {
    reconnecting: (_, { tries, delayMs, offline }) => void heard.push({ tries, delayMs, offline }),
    reconnected: () => void heard.push('reconnected'),
  };
  globalThis.ask = (retry) => {
    const client = createClient({ baseUrl: '/', clock, hooks, retry: { baseMs: 0, ...retry } });
    const stream = (globalThis.stream = client.chat({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] }));
    globalThis.said = '';
    const read = async () => {
      for await (const event of stream) if (event.type === 'text-delta') globalThis.said += event.text;
      return 'whole';
    };
    return read().catch(({ code, partial }) => [code, partial.text].join(': '));
  };
`;
const pieces = ['Wer ', 'reitet ', 'so ', 'spät?'];
const run = runOf(pieces);
/** However slow the machine of the test is. */
const patient = { reconnectMs: 1e9 };
let files: Map<string, string>;
let browser: Browser;

/** A page in Chromium whose answer breaks after two words, before what goes on with it is there. */
async function openPage(isMissing: 'refused' | 'held') {
  let missing = true;
  const held: (() => void)[] = [];
  const wanted: string[] = [];
  const picked: string[] = [];
  const asked: Exchange[] = [];
  const server = await serve((exchange) => {
    const { method, url = '' } = exchange.request;
    const name = url.slice(1);
    if (name === '') {
      const html = '<!doctype html><title>Page</title><script type="module" src="page.js"></script>';
      return reply(200, html, { 'Content-Type': 'text/html; charset=utf-8' })(exchange);
    }
    if (name === 'chat') {
      asked.push(exchange);
      return undefined;
    }
    if (method === 'GET' && name.startsWith('streams/')) {
      picked.push(name);
      const after = Number(new URL(url, 'http://kit').searchParams.get('after'));
      const rest = toLines(...run.slice(after + 1));
      return reply(200, rest, { 'Content-Type': 'application/x-ndjson' })(exchange);
    }
    const file = files.get(name);
    if (file === undefined) return reply(404, '')(exchange);
    const send = reply(200, file, { 'Content-Type': 'text/javascript', 'Cache-Control': 'no-store' });
    if (name !== late || !missing) return send(exchange);
    wanted.push(name);
    if (isMissing === 'held') held.push(() => send(exchange));
    else reply(503, '')(exchange);
  });
  const context = await browser.newContext();
  onTestFinished(() => context.close());
  const page = await context.newPage();
  await page.goto(server.url);
  const heard = () => page.evaluate('heard') as Promise<unknown[]>;
  return {
    context,
    page,
    wanted,
    picked,
    async ask(retry: object = {}) {
      const answer = page.evaluate(`ask(${JSON.stringify(retry)})`);
      answer.catch(() => {});
      await expect.poll(() => asked.length, { interval: 5 }).toBe(1);
      // In an object, so that whoever waits for the request does not wait for the answer.
      return { answer };
    },
    async writeAndCut() {
      const [exchange] = asked as [Exchange];
      exchange.response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
      exchange.response.write(toLines(...run.slice(0, 3)));
      await expect.poll(() => page.evaluate('said'), { interval: 5 }).toBe('Wer reitet ');
      hangUp(exchange);
    },
    comeBack() {
      missing = false;
      for (const send of held.splice(0)) send();
    },
    heard,
    triedTwice: () =>
      expect.poll(async () => (await heard()).length, { interval: 5 }).toBeGreaterThanOrEqual(2),
  };
}

describe.skipIf(!existsSync(chromiumPath ?? ''))(
  'an answer that breaks before what goes on with it is there',
  () => {
    beforeAll(async () => {
      files = await pageFiles(code);
      expect([...files.keys()]).toEqual(expect.arrayContaining(['page.js', late]));
      browser = await chromium.launch({ executablePath: chromiumPath, args: chromiumArgs });
    });
    afterAll(() => browser.close());

    test('is picked up once that can be fetched; meanwhile it is told as reconnecting', async () => {
      const { page, ask, writeAndCut, triedTwice, comeBack, heard, picked, wanted } =
        await openPage('refused');
      const { answer } = await ask(patient);
      await writeAndCut();
      await triedTwice();
      expect(await heard()).toContainEqual({ tries: 2, delayMs: 1_000, offline: true });
      // The first time with the first piece.
      expect(wanted.length).toBeGreaterThan(2);
      expect(picked).toEqual([]);
      comeBack();
      expect(await answer).toBe('whole');
      expect(await page.evaluate('said')).toBe(pieces.join(''));
      expect(picked).toEqual(['streams/run-1?after=2']);
      expect((await heard()).at(-1)).toBe('reconnected');
    });

    test('is picked up when a machine that went offline is back', async () => {
      const { context, page, ask, writeAndCut, triedTwice, comeBack, picked } = await openPage('refused');
      const { answer } = await ask(patient);
      await context.setOffline(true);
      await writeAndCut();
      await triedTwice();
      comeBack();
      await context.setOffline(false);
      expect(await answer).toBe('whole');
      expect(await page.evaluate('said')).toBe(pieces.join(''));
      expect(picked).toEqual(['streams/run-1?after=2']);
    });

    test.each([
      [0, []],
      [2_500, [{ tries: 1 }, { tries: 2 }]],
    ])('is given up after reconnectMs (%i), with what broke it', async (reconnectMs, tries) => {
      const { ask, writeAndCut, heard, picked } = await openPage('refused');
      const { answer } = await ask({ reconnectMs });
      await writeAndCut();
      expect(await answer).toBe('truncated: Wer reitet ');
      expect(await heard()).toMatchObject(tries);
      expect(picked).toEqual([]);
    });

    test('can be aborted while that is on its way: the loop ends at once', async () => {
      const { page, ask, writeAndCut, comeBack, heard, wanted } = await openPage('held');
      const { answer } = await ask();
      await writeAndCut();
      await expect.poll(() => wanted.length, { interval: 5 }).toBe(1);
      // The page has seen the break: from here on it waits for nothing else.
      await page.waitForTimeout(100);
      await page.evaluate('stream.abort()');
      expect(await answer).toBe('aborted: Wer reitet ');
      comeBack();
      expect(await heard()).toEqual([]);
    });
  },
);
