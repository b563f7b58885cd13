/**
 * Of our chat alone: whether a long answer costs more per token at its end, what costly markdown does, and what is left
 * after use. Writes `OURS.md`; with `PARTS=length,memory` only those, and nothing is written.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { measureMemory } from './memory.mjs';
import { scriptMeter } from './meters.mjs';
import { openBrowser } from './open-browser.mjs';
import { measurePathological } from './pathological.mjs';
import { reportOurs } from './report.mjs';

const parts = process.env.PARTS?.split(',');
const wants = (part) => parts === undefined || parts.includes(part);
const { browser, open, close } = await openBrowser();
const found = { version: browser.version(), node: process.version, cpu: cpus()[0]?.model ?? '?' };

async function measureLength() {
  const { page, context } = await open('ziggie');
  await page.evaluate(() => globalThis.bench.mount(0));
  const asked = page.evaluate(() => globalThis.bench.ask({ sections: 300, perSecond: 1_200 }));
  const lengthNow = () =>
    page.evaluate(() => {
      const conversation = globalThis.benchConversation();
      const id = conversation.messageIds.get().at(-1);
      return id === undefined ? 0 : (conversation.message(id).get()?.text.length ?? 0);
    });
  const between = async (from, to) => {
    while ((await lengthNow()) < from) await page.waitForTimeout(50);
    const start = await lengthNow();
    const meter = await scriptMeter(page);
    while ((await lengthNow()) < to) await page.waitForTimeout(200);
    const { scriptMs } = await meter.stop();
    return (scriptMs / ((await lengthNow()) - start)) * 1_000;
  };
  const early = await between(2_000, 12_000);
  const late = await between(186_000, 196_000);
  await asked;
  await context.close();
  return { early, late };
}

if (wants('length')) found.length = await measureLength();
if (wants('memory')) found.memory = await measureMemory(() => open('ziggie'));
const corpus = new URL('../../../shared/corpora/markdown-pathological.json', import.meta.url);
if (wants('pathological') && existsSync(corpus)) {
  const texts = JSON.parse(readFileSync(corpus, 'utf8'));
  found.pathological = await measurePathological(() => open('markdown'), texts, browser);
}
console.log(JSON.stringify(found, null, 1));
await close();
if (parts === undefined) writeFileSync(new URL('OURS.md', import.meta.url), reportOurs(found));
