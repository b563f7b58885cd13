import { say } from '@ziggie/llm-testing';
import { expect, it, onTestFinished } from 'vitest';
import { ask, modelIsChosen, openStage, parts, withChromium } from './harness.ts';

withChromium();

/** Code that a chat does not start with: what speaks with the server, and what runs a turn. */
const lateCode = /\/assets\/(?:client-code|later)-[^/]*\.js$/;

it('is shown before the code that speaks with the server is here, and then works by itself', async () => {
  let letGo = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const names = new Set<string>();
  const stage = await openStage({
    async before(target) {
      await target.route(lateCode, async (route) => {
        names.add(/client-code|later/.exec(route.request().url())?.[0] ?? '');
        await held;
        await route.continue();
      });
    },
  });
  const { page, fake, close, complaints } = stage;
  onTestFinished(close);
  fake.script([say('Good morning.')]);
  await expect.poll(() => [...names].sort()).toEqual(['client-code', 'later']);
  await parts.composer(page).fill('Hello');
  expect(await parts.send(page).isEnabled()).toBe(false);
  letGo();
  await modelIsChosen(page);
  await expect.poll(() => parts.send(page).isEnabled()).toBe(true);
  await parts.composer(page).press('Enter');
  await expect.poll(() => parts.answers(page).last().textContent()).toContain('Good morning.');
  expect(complaints).toEqual([]);
});

it('where that code cannot be fetched the turn fails with a card, and one click fetches it and asks again', async () => {
  const { page, fake, close } = await openStage({
    async before(target) {
      await target.route('**/assets/later-*.js', (route) => route.abort());
    },
  });
  onTestFinished(close);
  fake.script([say('Here after all.')]);
  await modelIsChosen(page);
  await ask(page, 'Are you there?');
  const card = parts.alert(page);
  await card.waitFor();
  expect(await parts.questions(page).last().textContent()).toContain('Are you there?');
  await page.unroute('**/assets/later-*.js');
  await card.getByRole('button', { name: 'Try again' }).click();
  await expect.poll(() => parts.answers(page).last().textContent()).toContain('Here after all.');
  expect(await parts.alert(page).count()).toBe(0);
});
