/**
 * The chat beside its peers in one browser: what a streamed answer costs, in an empty conversation and below 100 messages;
 * how soon 1,000 messages are there; whether anything shifts; how far the screen is behind the server.
 *
 * Time is the thread's own, not the clock's, so another busy process does not count, unless it says otherwise. `ONLY=ziggie`
 * measures ours and the floor, and writes nothing.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { delaysOf, longestTaskOf, scriptMeter } from './meters.mjs';
import { openBrowser } from './open-browser.mjs';
import { report } from './report.mjs';

const only = process.env.ONLY?.split(',');
const targets = ['plain-text', 'ziggie', 'ai-sdk', 'assistant-ui', 'copilotkit'].filter(
  (name) => only === undefined || name === 'plain-text' || only.includes(name),
);
const parts = process.env.PARTS?.split(',');
const wants = (part) => parts === undefined || parts.includes(part);

const { browser, open, url, close } = await openBrowser();
const found = { version: browser.version(), node: process.version, cpu: cpus()[0]?.model ?? '?', peers: {} };
/** A peer that takes longer is left out. */
const MAX_PEER_MS = 240_000;

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
  await page.evaluate(() => globalThis.bench.prepare({ sections: 14, perSecond: 150 }));
  const askedAt = await page.evaluate(() => performance.now());
  const meter = await scriptMeter(page);
  const trace = longestTaskOf(browser, page);
  await trace.start();
  const { ms, tokens } = await page.evaluate(() => globalThis.bench.ask());
  const longestMs = await trace.stop();
  const { scriptMs, taskMs } = await meter.stop();
  const shifted = await page.evaluate(shiftsAfter, askedAt + RECENT_INPUT_MS);
  await context.close();
  return { scriptMs, taskMs, longestMs, shifted, ms, tokens };
}

async function measureReady(name) {
  const { page, context } = await open(name);
  const meter = await scriptMeter(page);
  const { ms, nodes } = await page.evaluate(() => globalThis.bench.mount(1_000));
  const { taskMs } = await meter.stop();
  await context.close();
  return { ms, nodes, taskMs };
}

async function measureBehind(name) {
  const { page, context } = await open(name);
  await page.evaluate((server) => {
    globalThis.benchServer = server;
  }, url);
  await page.evaluate(() => globalThis.bench.mount(0));
  const delays = await delaysOf(page);
  await context.close();
  const at = (share) => delays[Math.min(delays.length - 1, Math.floor(delays.length * share))];
  return { count: delays.length, p50: at(0.5), p95: at(0.95) };
}

async function measure(name) {
  const measured = {};
  if (wants('answer')) {
    measured.empty = await measureAnswer(name, 0);
    measured.below100 = await measureAnswer(name, 100);
  }
  if (wants('ready')) measured.ready = await measureReady(name);
  if (wants('behind')) measured.behind = await measureBehind(name);
  return measured;
}

function late() {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error('It was not done in time.')), MAX_PEER_MS).unref();
  });
}

/** One after the other in each round, so that what slows the machine down for a while hits all of them. */
const ROUNDS = Number(process.env.ROUNDS ?? 3);
const rounds = new Map(targets.map((name) => [name, []]));
for (let round = 0; round < ROUNDS; round += 1) {
  for (const [name, done] of rounds) {
    try {
      done.push(await Promise.race([measure(name), late()]));
      console.log(name, JSON.stringify(done.at(-1)));
    } catch (error) {
      rounds.delete(name);
      console.error(`${name} was left out: ${String(error).slice(0, 300)}`);
    }
  }
}
for (const [name, done] of rounds) found.peers[name] = medians(done);
await close();
if (only === undefined && parts === undefined) {
  writeFileSync(new URL('RESULTS.md', import.meta.url), report({ ...found, rounds: ROUNDS }));
}

/** The same shape, with the median of each number. */
function medians(all) {
  const [first] = all;
  if (typeof first === 'number') {
    const sorted = all.toSorted((a, b) => a - b);
    const middle = (sorted.length - 1) / 2;
    return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
  }
  return Object.fromEntries(Object.keys(first).map((key) => [key, medians(all.map((one) => one[key]))]));
}
