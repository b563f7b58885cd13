/**
 * `pnpm screenshots`: the demo in each state that a person sees, at desktop and phone width, light and dark, into
 * `screenshots/`; and the two pictures of the README into `docs/images/`. Runs from the packages' sources. Names of
 * states after the command take only those.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const condition = '--conditions=@ziggie/source';
if (!process.execArgv.includes(condition)) {
  // Once more with the sources of the workspace in place of their builds.
  const args = [condition, '--no-warnings', fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit', cwd: root });
  process.exit(status ?? 1);
}

const { build } = await import('vite');
const { chromium } = await import('playwright-core');
const { chromiumArgs, chromiumPath } = await import('./chromium.mjs');
const { startFakeOllama } = await import('@ziggie/llm-testing/node');
const { callTool, error, say, slow, stall, think } = await import('@ziggie/llm-testing');
const { createApp } = await import(pathToFileURL(join(root, 'examples/control-center/src/app.ts')).href);

const { startCuttingProxy } = await import(
  pathToFileURL(join(root, 'packages/client/test/cutting-proxy.ts')).href
);

const example = join(root, 'examples/control-center');
const builtPage = join(example, 'node_modules/.screenshots-page');
const out = join(root, 'screenshots');
process.env['ZIGGIE_SOURCE'] = '1';
process.env['ZIGGIE_OUT_DIR'] = builtPage;
await build({ configFile: join(example, 'vite.config.ts'), logLevel: 'error' });
const neverReadPage = join(example, 'node_modules/.screenshots-never-read');
await build({
  configFile: join(example, 'vite.config.ts'),
  logLevel: 'error',
  root: join(example, 'e2e/never-read'),
  build: { outDir: neverReadPage },
});
const wanted = process.argv.slice(2);
if (wanted.length === 0) rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
mkdirSync(join(root, 'docs/images'), { recursive: true });

const answer = `Keep one store cell per message, and let only the last block of the last message change. Everything above it stays as it was painted, so a selection survives and nothing flickers.

\`\`\`ts
for await (const event of client.chat({ model, messages })) {
  if (event.type === 'text-delta') write(event.text); // 38 tok/s on the 4090
}
\`\`\`

Measured with \`OLLAMA_NUM_PARALLEL=4\` on one card:

| readers | first token | rate |
|---|---:|---:|
| 1 | 0.4 s | 38 tok/s |
| 4 | 0.9 s | 29 tok/s |

- Stop closes the socket, so the slot is **free at once**.
- A stream without an end is an error, *never* an answer.`;

const tables = `Both keep the order of equal items:

| # | Sort | When to take it |
|---|---|---|
| 1 | Insertion | Short lists, or lists that are nearly sorted already: then it makes one pass and moves hardly anything. |
| 2 | Merge | Long lists that must keep the order of equal items, as long as there is memory for a second copy. |

What each costs on the same list of a million numbers:

| Sort | Compares | Moves | Time |
|:--|--:|--:|--:|
| Merge | 18,674,111 | 20,000,000 | 0.11 s |
| Quick | 24,310,902 | 12,482,310 | 0.08 s |

The settings that change it:

| Setting | Default | Meaning |
|---|---|---|
| \`OLLAMA_NUM_PARALLEL\` | \`4\` | How many answers one model writes at a time. |
| \`OLLAMA_KEEP_ALIVE\` | \`5m\` | How long a model stays in memory after its last answer, \`-1\` for ever. |`;

/** Each state: what the stand-in does, and what the page does to get there. Returns what to wait for. */
const states = {
  empty: async ({ page }) => {
    await page.getByRole('heading').first().waitFor();
    await page.getByRole('button', { name: /^Model: stand-in/ }).waitFor();
    await page
      .getByRole('button', { name: 'New chat' })
      .or(page.getByRole('button', { name: 'Show conversations' }))
      .first()
      .waitFor();
  },
  answer: async ({ page, fake, ask }) => {
    fake.script([
      slow(400),
      think('The reader asks about rendering. One cell per message is the point. '),
      say(answer),
    ]);
    await ask('How do I stream tokens without re-rendering the whole thread?');
    await page.locator('.zg-stats', { hasText: 'first token' }).waitFor();
  },
  tables: async ({ page, fake, ask }) => {
    fake.script([slow(2_000), say(tables)]);
    await ask('Which sort should I take, and what does it cost?');
    await page.locator('.zg-stats', { hasText: 'first token' }).waitFor();
  },
  writing: async ({ page, fake, ask }) => {
    fake.script([slow(400), say(answer)]);
    await ask('How do I stream tokens without re-rendering the whole thread?');
    await page.locator('.zg-stats', { hasText: 'first token' }).waitFor();
    fake.script([
      slow(120),
      say('Then the view must not move. Release the pin on the first upward wheel, touch or key event, '),
      say('not after a distance, and show a quiet “jump to latest” pill'),
      stall(undefined),
    ]);
    await ask('And if the user scrolls up while it writes?');
    await page.locator('article', { hasText: 'jump to latest' }).waitFor();
    await page.waitForTimeout(700);
  },
  queued: async ({ page, fake, ask }) => {
    fake.script([slow(60), say('The view must not move while it writes. '), stall(undefined)]);
    await ask('And if the user scrolls up while it writes?');
    await page.locator('article', { hasText: 'must not move' }).waitFor();
    await ask('Show me the test for that');
    await ask('Then the same for touch');
    await page.getByRole('region', { name: 'Waiting messages' }).waitFor();
    await page.waitForTimeout(700);
  },
  'history-loading': async ({ page }) => {
    await page.locator('.zg-skeleton').waitFor();
    await page.waitForTimeout(500);
  },
  // Others have the places, and some are before this reader.
  'in-line': async ({ page, fake, ask, context, url }) => {
    fake.script([slow(60), say('A long answer to somebody else. '), stall(undefined)]);
    for (let other = 0; other < 4; other++) {
      const theirs = await context.newPage();
      await theirs.goto(`${url}#other-${other}`);
      const composer = theirs.getByRole('textbox', { name: 'Message' });
      await composer.fill('Mine first');
      await theirs.getByRole('button', { name: 'Send', disabled: false }).first().waitFor();
      await composer.press('Enter');
      await theirs.locator('.zg-status, article[data-role="assistant"]').first().waitFor();
      await theirs.waitForTimeout(300);
    }
    await page.bringToFront();
    await ask('When is it my turn?');
    await page.locator('.zg-status[data-phase="queued"]').waitFor();
    await page.waitForTimeout(1500);
  },
  tool: async ({ page, fake, ask }) => {
    fake.script([
      slow(200),
      say('Two models are idle. I look at what is in memory first.'),
      callTool('list_models', {}),
    ]);
    fake.script([
      slow(200),
      say('`stand-in-vision` was not used today, so it can go.'),
      callTool('free_memory', { model: 'stand-in-vision:latest' }),
      callTool('delete_model', { model: 'stand-in-embed:latest' }),
    ]);
    await ask('Make room on the card, please');
    await page.getByRole('button', { name: 'Allow once' }).first().waitFor();
    await page.waitForTimeout(500);
  },
  'tool-done': async ({ page, fake, ask }) => {
    fake.script([
      slow(200),
      callTool('list_models', {}),
      callTool('free_memory', { model: 'stand-in:latest' }),
    ]);
    fake.script([slow(200), say('There is room for another model now: 3.2 GB are free.')]);
    await ask('Make room on the card, please');
    await page.getByRole('button', { name: 'Allow once' }).first().click();
    await page.locator('.zg-stats', { hasText: 'first token' }).waitFor();
    await page.waitForTimeout(500);
  },
  reconnecting: async ({ page, fake, ask, proxy }) => {
    const text =
      'One card serves about twenty people when their questions come in bursts. The line forms when two long answers meet, and it is gone a minute later.';
    fake.script([slow(60), say(text)]);
    proxy.cutAfter(20);
    await ask('How many people can share one GPU?');
    while (proxy.cuts === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    proxy.goDark();
    await page.locator('article', { hasText: 'twenty people' }).waitFor();
    await page.locator('.zg-status[data-phase="reconnecting"]').waitFor();
    await page.waitForTimeout(1200);
  },
  manage: async ({ page }) => {
    await page.getByRole('button', { name: /^Model: stand-in/ }).click();
    await page.getByRole('button', { name: 'Load into memory' }).click();
    await page.getByRole('button', { name: 'Free its memory' }).waitFor();
    const name = page.getByRole('textbox', { name: 'Name of a model to pull' });
    await name.fill('llama3.2:1b');
    await name.press('Enter');
    await page.getByText(/MB of/).waitFor();
    await page.waitForTimeout(3000);
  },
  // It was loaded before, so how long that takes is known.
  loading: async ({ page, ask, fake, standIn }) => {
    fake.script(say('Yes.'));
    await ask('Are you there?');
    await page.locator('.zg-stats').last().waitFor({ timeout: 30_000 });
    const body = JSON.stringify({ model: 'stand-in', keep_alive: 0 });
    await fetch(`${standIn.url}/api/generate`, { method: 'POST', body });
    // What was used a moment ago is taken to be in memory still.
    await page.waitForTimeout(10_500);
    await ask('And now?');
    await page.getByText(/^Loading/).waitFor();
    await page.waitForTimeout(2500);
  },
  thinking: async ({ page, fake, ask }) => {
    fake.script([
      slow(60),
      think(
        'The pin has to be released by intent, not by distance, otherwise a small wheel step is fought by the next token and the reader loses. So watch wheel, touch and keys, and',
      ),
      stall(undefined),
    ]);
    await ask('Why does the view jump?');
    await page
      .getByText(/Thinking/)
      .first()
      .waitFor();
    await page.waitForTimeout(1500);
  },
  reading: async ({ page, fake, ask }) => {
    fake.script(stall(undefined));
    await ask('A long question about a long document.');
    await page.waitForTimeout(2500);
  },
  stopped: async ({ page, fake, ask }) => {
    fake.script([
      slow(200),
      say('One card serves about twenty people when their questions come in bursts. '),
      say('The line forms when'),
      stall(undefined),
    ]);
    await ask('How many people can share one GPU?');
    await page.locator('article', { hasText: 'line forms' }).waitFor();
    await page.waitForTimeout(500);
    await page.getByRole('button', { name: 'Stop' }).first().click();
    await page
      .getByText(/^Stopped/)
      .first()
      .waitFor();
  },
  failed: async ({ page, fake, ask }) => {
    fake.script([
      slow(200),
      say('The first part of the answer arrived before the runner went away.'),
      error('llama-server process no longer running: 9'),
    ]);
    await ask('What happens when the model dies?');
    await page.locator('.zg-card').waitFor();
  },
  busy: async ({ page, fake, ask }) => {
    fake.script(error('server busy, please try again.  maximum pending requests exceeded', { status: 503 }), {
      times: 3,
    });
    await ask('Is there a place for me?');
    await page.locator('.zg-card').waitFor({ timeout: 30_000 });
  },
  unreachable: async ({ page, standIn }) => {
    await standIn.close();
    await page.reload();
    await page.getByText('no Ollama answers there').waitFor();
    await page
      .getByRole('button', { name: /^Model/ })
      .first()
      .click();
    await page.getByText('could not be listed').first().waitFor();
  },
  'no-models': async ({ page }) => {
    await page.getByText('has no model yet').waitFor();
    await page.waitForTimeout(500);
  },
  models: async ({ page }) => {
    const picker = page.getByRole('button', { name: /stand-in/ }).first();
    await picker.waitFor();
    await picker.click();
    await page.waitForTimeout(300);
  },
  offline: async ({ page, fake, ask, context }) => {
    fake.script(say('One card serves about twenty people.'));
    await ask('How many people can share one GPU?');
    await page.locator('.zg-stats').last().waitFor();
    await context.setOffline(true);
    await ask('And with two?');
    await page.getByText('You are offline').waitFor();
    await page.waitForTimeout(500);
  },
  // The page's own questions, for the models, count too.
  limit: async ({ page, ask }) => {
    await ask('How many people can share one GPU?');
    await page.locator('.zg-card').waitFor();
  },
  'blocked-image': async ({ page, fake, ask }) => {
    fake.script(
      say('The map of the racks:\n\n![Racks](https://tiles.example/racks.png)\n\nRack 4 holds the cards.'),
    );
    await ask('Where are the cards?');
    await page.getByRole('button', { name: /load image/i }).waitFor();
  },
  commands: async ({ page }) => {
    await page.getByRole('textbox', { name: 'Message' }).pressSequentially('/');
    await page.getByRole('option').first().waitFor();
    await page.waitForTimeout(300);
  },
  keys: async ({ page }) => {
    await page.getByRole('textbox', { name: 'Message' }).pressSequentially('/keys');
    await page.getByRole('option').first().waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.waitForTimeout(300);
  },
  conversations: async ({ page, fake, ask, sizeName }) => {
    for (const question of ['Why is the first answer slow?', 'Nightly GPU report, week 47']) {
      fake.script(say('Loading takes most of it.'));
      await ask(question);
      await page.locator('.zg-stats').last().waitFor();
      if (sizeName === 'phone') await page.getByRole('button', { name: 'Show conversations' }).click();
      await page.getByRole('button', { name: 'New chat' }).click();
      await page.getByRole('heading', { name: 'What should we work on?' }).waitFor();
    }
    if (sizeName === 'phone') await page.getByRole('button', { name: 'Show conversations' }).click();
    await page
      .getByRole('button', { name: /^More for/ })
      .first()
      .click();
    await page.getByRole('menu').waitFor();
    await page.waitForTimeout(400);
  },
};

/** What the stand-in of a state is, and what the page is told of its model server. */
const settings = {
  loading: { standIn: { loadMs: 6_000 } },
  unreachable: { source: 'unreachable' },
  'no-models': { standIn: { models: [] }, source: 'no-models' },
  limit: { limits: { requestsPerMinute: 1 } },
  'history-loading': { page: neverReadPage },
  'in-line': { standIn: { slotsPerModel: 1 } },
  tool: { query: '?manage' },
  'tool-done': { query: '?manage' },
  manage: { query: '?manage', standIn: { pullBytesPerSecond: 60_000_000 } },
  reconnecting: { isCuttable: true },
};

const sizes = { desktop: { width: 1280, height: 860 }, phone: { width: 390, height: 844 } };
const browser = await chromium.launch({ executablePath: chromiumPath, args: chromiumArgs });
for (const [name, play] of Object.entries(states)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  for (const [sizeName, viewport] of Object.entries(sizes)) {
    for (const colorScheme of ['light', 'dark']) {
      const { standIn: options, source, limits, page: folder, query = '', isCuttable } = settings[name] ?? {};
      const standIn = await startFakeOllama({ tokensPerSecond: 100, ...options });
      const upstream = {
        url: standIn.url,
        describe: async () =>
          source === undefined
            ? { kind: 'stand-in', state: 'ok', address: standIn.url }
            : { kind: 'ollama', state: source, address: 'http://gpu-1:11434' },
        close: async () => {},
      };
      const app = await createApp({ upstream, page: folder ?? builtPage, limits });
      await app.listen({ port: 0, host: '127.0.0.1' });
      const context = await browser.newContext({
        viewport,
        colorScheme,
        deviceScaleFactor: sizeName === 'phone' ? 2 : 1,
        hasTouch: sizeName === 'phone',
        isMobile: sizeName === 'phone',
      });
      const page = await context.newPage();
      const direct = `http://127.0.0.1:${app.addresses()[0].port}/`;
      const proxy = isCuttable ? await startCuttingProxy(direct) : undefined;
      const url = `${proxy?.url ?? direct}${query}`;
      await page.goto(url);
      const ask = async (text) => {
        await page.getByRole('textbox', { name: 'Message' }).fill(text);
        await page
          .getByRole('button', { name: /^(Send|Queue message)$/, disabled: false })
          .first()
          .waitFor();
        await page.getByRole('textbox', { name: 'Message' }).press('Enter');
      };
      try {
        await play({ page, context, fake: standIn.fake, standIn, ask, sizeName, proxy, url });
      } catch (problem) {
        process.exitCode = 1;
        console.error(`✗ ${name} ${sizeName} ${colorScheme}: ${problem.message.split('\n')[0]}`);
      }
      await page.evaluate(() => document.fonts.ready);
      // Without transitions on their way: they end before the picture.
      await page.evaluate(() =>
        Promise.all(
          document
            .getAnimations()
            .filter((animation) => animation instanceof CSSTransition)
            .map((animation) => animation.finished.catch(() => {})),
        ),
      );
      await page.screenshot({ path: join(out, `${name}-${sizeName}-${colorScheme}.png`) });
      if (name === 'writing' && sizeName === 'desktop') {
        await page.screenshot({ path: join(root, `docs/images/chat-${colorScheme}.png`) });
      }
      await context.close();
      await proxy?.close();
      await app.close();
      await standIn.close();
    }
  }
  console.log(`✓ ${name}`);
}
await browser.close();
