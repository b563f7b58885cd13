import type { AddressInfo } from 'node:net';
import type { FakeOllama, FakeOllamaOptions } from '@ziggie/llm-testing';
import { type FakeOllamaServer, startFakeOllama } from '@ziggie/llm-testing/node';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { chromiumArgs, chromiumPath } from '../../../.ci/chromium.mjs';
import { type CuttingProxy, startCuttingProxy } from '../../../packages/client/test/cutting-proxy.ts';
import { type AppOptions, createApp } from '../src/app.ts';
import type { Source } from '../src/upstream.ts';
import { builtPage } from './build-page.ts';

/** The whole product on sockets of this machine, and one page in Chromium that looks at it. */
export interface Stage {
  url: string;
  page: Page;
  context: BrowserContext;
  fake: FakeOllama;
  standIn: FakeOllamaServer;
  /** What the page's connections go through, where it was asked for. */
  proxy: CuttingProxy | undefined;
  /** Addresses of the WebSockets that the page opened. */
  sockets: string[];
  /** Content security policy violations, page errors and console errors so far. */
  complaints: string[];
  close(): Promise<void>;
}

/** What a stage is made of. */
export interface StageOptions {
  standIn?: FakeOllamaOptions;
  limits?: AppOptions['limits'];
  /** What the page is told of its model server. Default: the stand-in. */
  source?: Source;
  viewport?: { width: number; height: number };
  colorScheme?: 'light' | 'dark';
  /** A touch screen of 390 x 844 instead of a desktop. */
  phone?: boolean;
  /** How answers come. Default `http`. */
  transport?: 'http' | 'websocket';
  /** Whether the page's connections go through a proxy that can cut them. */
  isCuttable?: boolean;
  /** Runs before the page is opened: routes, init scripts. */
  before?: (page: Page) => Promise<void>;
}

let browser: Browser;

/** Starts Chromium for the tests of a file. */
export function withChromium(): void {
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: chromiumPath, args: chromiumArgs });
  });
  afterAll(async () => {
    await browser.close();
  });
}

/** Sets the product up and opens its page. */
export async function openStage(options: StageOptions = {}): Promise<Stage> {
  const standIn = await startFakeOllama({ tokensPerSecond: 200, ...options.standIn });
  const app = await createApp({
    upstream: {
      url: standIn.url,
      describe: async () => options.source ?? { kind: 'stand-in', state: 'ok', address: standIn.url },
      close: async () => {},
    },
    page: builtPage,
    ...(options.limits ? { limits: options.limits } : {}),
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const query = options.transport === 'websocket' ? '?transport=websocket' : '';
  const direct = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/`;
  const proxy = options.isCuttable ? await startCuttingProxy(direct) : undefined;
  const url = `${proxy?.url ?? direct}${query}`;
  const context = await browser.newContext({
    viewport:
      options.viewport ?? (options.phone ? { width: 390, height: 844 } : { width: 1280, height: 800 }),
    colorScheme: options.colorScheme ?? 'light',
    ...(options.phone ? { hasTouch: true, isMobile: true, deviceScaleFactor: 2 } : {}),
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  const sockets: string[] = [];
  page.on('websocket', (socket) => sockets.push(socket.url()));
  page.on('pageerror', (error) => complaints.push(`page error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()}`);
  });
  await page.exposeFunction('reportViolation', (text: string) => complaints.push(`CSP: ${text}`));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      const report = (window as unknown as { reportViolation(text: string): void }).reportViolation;
      report(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
    });
  });
  await options.before?.(page);
  await page.goto(url);
  return {
    url,
    page,
    context,
    fake: standIn.fake,
    standIn,
    proxy,
    complaints,
    sockets,
    async close() {
      await context.close();
      await proxy?.close();
      await app.close();
      await standIn.close();
    },
  };
}

/** The parts of the page as a user finds them. */
export const parts = {
  composer: (page: Page) => page.getByRole('textbox', { name: 'Message' }),
  send: (page: Page) => page.getByRole('button', { name: 'Send' }),
  stop: (page: Page) => page.getByRole('button', { name: 'Stop' }),
  answers: (page: Page) => page.locator('article[data-role="assistant"]'),
  questions: (page: Page) => page.locator('article[data-role="user"]'),
  alert: (page: Page) => page.locator('.zg-card'),
};

/** Waits until the page knows the models and has chosen one. */
export async function modelIsChosen(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^Model: stand-in/ }).waitFor({ timeout: 10_000 });
}

/** Types a message and sends it with Enter, as people do. Waits until a model is chosen. */
export async function ask(page: Page, text: string): Promise<void> {
  const composer = parts.composer(page);
  await composer.fill(text);
  await expect.poll(() => parts.send(page).isEnabled(), { timeout: 10_000 }).toBe(true);
  await composer.press('Enter');
}
