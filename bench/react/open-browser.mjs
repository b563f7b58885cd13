import { chromium } from 'playwright-core';
import { chromiumArgs, chromiumPath } from '../../.ci/chromium.mjs';
import { buildPages } from './build-pages.mjs';
import { serve } from './serve.mjs';

/** The pages in one browser. `open` gives a fresh one of them. */
export async function openBrowser() {
  const site = await serve(await buildPages());
  const browser = await chromium.launch({
    executablePath: chromiumPath,
    args: [...chromiumArgs, '--js-flags=--expose-gc', '--enable-precise-memory-info'],
  });
  return {
    browser,
    url: site.url,
    async open(name) {
      const context = await browser.newContext({ viewport: { width: 900, height: 700 } });
      const page = await context.newPage();
      page.on('pageerror', (error) => console.error(`${name}: ${error.message.slice(0, 200)}`));
      await page.goto(`${site.url}/${name}`);
      await page.waitForFunction(() => globalThis.bench !== undefined);
      return { page, context };
    },
    async close() {
      await browser.close();
      await site.close();
    },
  };
}
