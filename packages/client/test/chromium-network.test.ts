import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { chromiumArgs, chromiumPath } from '../../../.ci/chromium.mjs';
import { pageScript } from './page-script.ts';
import { runOf } from './resumable-server.ts';
import { type Answer, type Exchange, hangUp, reply, serve, toLines } from './scripted-server.ts';

const code = `
  import { createClient } from 'src/index.ts';
  const heard = (globalThis.heard = []);
  const client = createClient({
    baseUrl: '/',
    resume: true,
    retry: { baseMs: 0 },
    hooks: { reconnecting: (_, { offline, delayMs }) => void heard.push({ offline, waits: delayMs > 0 }) },
  });
  globalThis.ask = () => client.chat({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] }).text();
`;
const pieces = ['Wer ', 'reitet ', 'so ', 'spät?'];
const run = runOf(pieces);
let script: string;
let browser: Browser;

/**
 * A page in Chromium over a kit whose run is silent after two words, and what came from it. `refusals` answer the first
 * tries to pick the run up.
 */
async function openPage(refusals: Answer[] = []) {
  const asked: { exchange: Exchange; at: number }[] = [];
  const picked: { url: string; at: number }[] = [];
  const server = await serve((exchange) => {
    const { method, url = '' } = exchange.request;
    if (url === '/') {
      const page = `<!doctype html><title>Page</title><script>${script}</script>`;
      return reply(200, page, { 'Content-Type': 'text/html; charset=utf-8' })(exchange);
    }
    if (method === 'GET' && url.startsWith('/streams/')) {
      picked.push({ url, at: performance.now() });
      const refusal = refusals.shift();
      if (refusal) return refusal(exchange);
      const after = Number(new URL(url, 'http://kit').searchParams.get('after'));
      return reply(200, toLines(...run.slice(after + 1)), { 'Content-Type': 'application/x-ndjson' })(
        exchange,
      );
    }
    if (method !== 'POST') return reply(404, '')(exchange);
    asked.push({ exchange, at: performance.now() });
    exchange.response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
    exchange.response.write(toLines(...run.slice(0, 3)));
  });
  const context = await browser.newContext();
  onTestFinished(() => context.close());
  const page = await context.newPage();
  await page.goto(server.url);
  const answer = page.evaluate('ask()');
  answer.catch(() => {});
  await expect.poll(() => asked.length, { interval: 5 }).toBe(1);
  // The first words are read before anything breaks.
  await expect.poll(() => asked[0]?.exchange.response.writableLength, { interval: 5 }).toBe(0);
  await page.waitForTimeout(100);
  const heard = () => page.evaluate('heard') as Promise<{ offline: boolean; waits: boolean }[]>;
  return { context, page, answer, picked, heard, cut: () => asked[0] && hangUp(asked[0].exchange) };
}

describe.skipIf(!existsSync(chromiumPath ?? ''))('the network of Chromium itself', () => {
  beforeAll(async () => {
    script = await pageScript(code);
    browser = await chromium.launch({ executablePath: chromiumPath, args: chromiumArgs });
  });
  afterAll(() => browser.close());

  test('offline no try is made; within 300 ms of being online the answer goes on, whole', async () => {
    const { context, answer, picked, heard, cut } = await openPage();
    await context.setOffline(true);
    cut();
    await expect.poll(heard, { interval: 10 }).toEqual([{ offline: true, waits: true }]);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(picked).toEqual([]);
    const before = performance.now();
    await context.setOffline(false);
    expect(await answer).toBe(pieces.join(''));
    expect(picked.map(({ url }) => url)).toEqual(['/streams/run-1?after=2']);
    expect((picked[0]?.at ?? Infinity) - before).toBeLessThan(300);
  });

  test('online, a lost connection is picked up at once', async () => {
    const { answer, picked, cut } = await openPage();
    const before = performance.now();
    cut();
    expect(await answer).toBe(pieces.join(''));
    expect((picked[0]?.at ?? Infinity) - before).toBeLessThan(300);
  });

  test.each([
    ['visibilitychange', `document.dispatchEvent(new Event('visibilitychange'))`],
    ['pageshow', `dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))`],
  ])('%s of a page that is looked at cuts a wait short', async (_, event) => {
    const { page, answer, picked, heard, cut } = await openPage([reply(503, '')]);
    cut();
    await expect
      .poll(heard, { interval: 10 })
      .toMatchObject([{ waits: false }, { offline: false, waits: true }]);
    expect(picked).toHaveLength(1);
    const before = performance.now();
    await page.evaluate(event);
    expect(await answer).toBe(pieces.join(''));
    expect((picked[1]?.at ?? Infinity) - before).toBeLessThan(300);
  });
});
