import { existsSync } from 'node:fs';
import { chromium } from 'playwright';
import { describe, expect, onTestFinished, test } from 'vitest';
import { chromiumArgs, chromiumPath } from '../../../.ci/chromium.mjs';
import { pageScript } from './page-script.ts';
import { reply, serve } from './scripted-server.ts';

const ROUNDS = 60;

/** A tab that saves a conversation of one message, its own, in the very millisecond in which the other tab does. */
const code = `
  import { createLocalStorage } from 'src/storage.ts';
  const storage = createLocalStorage({ namespace: 'race' });
  storage.watch(() => {});
  const recordOf = (id, who) => ({
    version: 2, id, title: null, model: null, pinned: false, archived: false, head: who,
    nodes: [{ id: who, parentId: null, role: 'user', text: who, thinking: '', toolCalls: [], createdAt: 1 }],
    removed: [], queue: [], cut: null, updatedAt: 1, detailsAt: 0,
  });
  globalThis.race = async (who, startAt) => {
    for (let round = 0; round < ${ROUNDS}; round++) {
      const at = startAt + round * 25;
      while (Date.now() < at - 5) await new Promise((resolve) => setTimeout(resolve, 1));
      while (Date.now() < at);
      await storage.save(recordOf('round-' + round, who));
    }
  };
  globalThis.whole = async () => {
    const records = await Promise.all((await storage.list()).map((id) => storage.load(id)));
    return records.filter((record) => record.nodes.length === 2).length;
  };
`;

describe.skipIf(!existsSync(chromiumPath ?? ''))('tabs of Chromium, each a process of its own', () => {
  test('what two of them save in the same millisecond is all there', async () => {
    const page = `<!doctype html><title>Tab</title><script>${await pageScript(code)}</script>`;
    const server = await serve(reply(200, page, { 'Content-Type': 'text/html; charset=utf-8' }));
    const browser = await chromium.launch({ executablePath: chromiumPath, args: chromiumArgs });
    onTestFinished(() => browser.close());
    const context = await browser.newContext();
    const tabs = [await context.newPage(), await context.newPage()];
    for (const tab of tabs) await tab.goto(server.url);
    const startAt = Date.now() + 200;
    await Promise.all(tabs.map((tab, at) => tab.evaluate(`race('tab-${at}', ${startAt})`)));
    for (const tab of tabs) await expect.poll(() => tab.evaluate('whole()')).toBe(ROUNDS);
  });
});
