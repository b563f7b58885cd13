/**
 * The chat beside its peers in one browser: what a streamed answer costs, in an empty conversation and below 100 messages;
 * how soon 1,000 messages are there; whether anything shifts. And of ours alone: whether a long answer costs more per token
 * at its end, how far behind the server's stamps the screen is, what costly markdown does, and what is left after use.
 *
 * Time is the thread's own, not the clock's, so another busy process does not count, unless it says otherwise. `ONLY=ziggie`
 * measures ours and the floor, and writes nothing.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { chromium } from 'playwright-core';
import { chromiumArgs, chromiumPath } from '../../.ci/chromium.mjs';
import { buildPages } from './build-pages.mjs';
import { measureMemory } from './memory.mjs';
import { longestTaskOf, scriptMeter } from './meters.mjs';
import { measurePathological } from './pathological.mjs';
import { report } from './report.mjs';
import { serve } from './serve.mjs';

const only = process.env.ONLY?.split(',');
const targets = ['plain-text', 'ziggie', 'ai-sdk', 'assistant-ui', 'copilotkit'].filter(
  (name) => only === undefined || name === 'plain-text' || only.includes(name),
);
const parts = process.env.PARTS?.split(',');
const wants = (part) => parts === undefined || parts.includes(part);

const site = await serve(await buildPages());
const browser = await chromium.launch({
  executablePath: chromiumPath,
  args: [...chromiumArgs, '--js-flags=--expose-gc', '--enable-precise-memory-info'],
});
const found = {
  version: browser.version(),
  node: process.version,
  cpu: cpus()[0]?.model ?? '?',
  peers: {},
  ours: {},
};

async function open(name) {
  const context = await browser.newContext({ viewport: { width: 900, height: 700 } });
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error(`${name}: ${error.message.slice(0, 200)}`));
  await page.goto(`${site.url}/${name}`);
  await page.waitForFunction(() => globalThis.bench !== undefined);
  return { page, context };
}

/** What follows a key press within this time is no unexpected shift; the question is asked without one here. */
const RECENT_INPUT_MS = 500;

/** Read afterwards: what watches while it happens costs time of its own. */
function shiftsAfter(from) {
  return new Promise((resolve) => {
    new PerformanceObserver((list, observer) => {
      observer.disconnect();
      resolve(
        list.getEntries().reduce((sum, { startTime, value }) => sum + (startTime > from ? value : 0), 0),
      );
    }).observe({ type: 'layout-shift', buffered: true });
    setTimeout(() => resolve(0), 500);
  });
}

async function measureAnswer(name, messages) {
  const { page, context } = await open(name);
  await page.evaluate((count) => globalThis.bench.mount(count), messages);
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 500)));
  const askedAt = await page.evaluate(() => performance.now());
  const meter = await scriptMeter(page);
  const trace = longestTaskOf(browser, page);
  await trace.start();
  const { ms, tokens } = await page.evaluate(() => globalThis.bench.ask({ sections: 14, perSecond: 150 }));
  const longestMs = await trace.stop();
  const { scriptMs, taskMs } = await meter.stop();
  const shifted = await page.evaluate(shiftsAfter, askedAt + RECENT_INPUT_MS);
  await context.close();
  return { scriptMs, taskMs, longestMs, shifted, ms, tokens };
}

async function measureReady(name) {
  const rounds = [];
  for (let round = 0; round < 3; round += 1) {
    const { page, context } = await open(name);
    const meter = await scriptMeter(page);
    const { ms, nodes } = await page.evaluate(() => globalThis.bench.mount(1_000));
    const { taskMs } = await meter.stop();
    rounds.push({ ms, nodes, taskMs });
    await context.close();
  }
  return rounds.sort((a, b) => a.taskMs - b.taskMs)[1];
}

async function measureLength() {
  const { page, context } = await open('ziggie');
  await page.evaluate(() => globalThis.bench.mount(0));
  const asked = page.evaluate(() => globalThis.bench.ask({ sections: 270, perSecond: 1_200 }));
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

async function measureBehind() {
  const { page, context } = await open('ziggie');
  await page.evaluate((url) => {
    globalThis.benchServer = url;
  }, site.url);
  await page.evaluate(() => globalThis.bench.mount(0));
  const behind = await page.evaluate(async () => {
    const host = document.getElementById('root');
    const seen = new Set();
    const delays = [];
    let watching = true;
    const look = () => {
      const now = Date.now();
      for (const [stamp] of host.textContent.matchAll(/t\d{13}(?= )/g)) {
        if (seen.has(stamp)) continue;
        seen.add(stamp);
        delays.push(now - Number(stamp.slice(1)));
      }
      // After the frame in which it stands on the page.
      if (watching) requestAnimationFrame(() => setTimeout(look));
    };
    look();
    await globalThis.bench.ask({ text: '', perSecond: 40 });
    watching = false;
    return delays.sort((a, b) => a - b);
  });
  await context.close();
  const at = (share) => behind[Math.min(behind.length - 1, Math.floor(behind.length * share))];
  return { count: behind.length, p50: at(0.5), p95: at(0.95), most: behind.at(-1) };
}

for (const name of targets) {
  const measured = {};
  try {
    if (wants('answer')) {
      measured.empty = await measureAnswer(name, 0);
      measured.below100 = await measureAnswer(name, 100);
    }
    if (wants('ready')) measured.ready = await measureReady(name);
    found.peers[name] = measured;
  } catch (error) {
    console.error(`${name} was left out: ${String(error).slice(0, 300)}`);
  }
  console.log(name, JSON.stringify(measured));
}
if (wants('length')) found.ours.length = await measureLength();
if (wants('behind')) found.ours.behind = await measureBehind();
const corpus = new URL('../../../shared/corpora/markdown-pathological.json', import.meta.url);
if (wants('pathological') && existsSync(corpus)) {
  found.ours.pathological = await measurePathological(
    () => open('markdown'),
    JSON.parse(readFileSync(corpus, 'utf8')),
    browser,
  );
}
if (wants('memory')) found.ours.memory = await measureMemory(() => open('ziggie'));
console.log(JSON.stringify(found.ours, null, 1));
await browser.close();
await site.close();
if (only === undefined && parts === undefined) {
  writeFileSync(new URL('RESULTS.md', import.meta.url), report(found));
}
