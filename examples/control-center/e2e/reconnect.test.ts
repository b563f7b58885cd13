import { say, slow } from '@ziggie/llm-testing';
import { expect, it, onTestFinished } from 'vitest';
import { ask, modelIsChosen, openStage, parts, withChromium } from './harness.ts';

withChromium();

it('an answer whose connection breaks goes on in the page: said meanwhile, and nothing twice', async () => {
  const { page, fake, proxy, close, complaints } = await openStage({ isCuttable: true });
  onTestFinished(close);
  if (!proxy) throw new Error('The stage has no proxy.');
  const words = Array.from({ length: 90 }, (_, at) => `word${at}`);
  fake.script([slow(90), say(`${words.join(' ')}.`)]);
  await modelIsChosen(page);
  proxy.goDarkAfter(20);
  await ask(page, 'Go through a tunnel');
  await expect.poll(() => proxy.cuts).toBe(1);

  const answer = parts.answers(page).last();
  const read = async () => (await answer.textContent())?.match(/word\d+/g) ?? [];
  const status = page.locator('.zg-status[data-phase="reconnecting"]');
  await status.waitFor();
  expect(await status.textContent()).toContain('Connection lost, picking up where it stopped');
  const kept = await read();
  expect(kept.length).toBeGreaterThan(5);
  expect(kept.length).toBeLessThan(60);

  proxy.goLight();
  // By itself after 1 to 15 s, apart from all others who lost the same server; its reader need not wait.
  await status.getByRole('button', { name: 'Try now' }).click();
  await expect.poll(read).toEqual(words);
  await expect.poll(() => page.getByText(/first token/).count()).toBe(1);
  expect(await status.count()).toBe(0);
  expect(await parts.answers(page).count()).toBe(1);
  expect(await parts.alert(page).count()).toBe(0);
  expect(fake.report().requests.filter(({ path }) => path === '/api/chat')).toHaveLength(1);
  expect(complaints.filter((text) => !text.startsWith('console: Failed to load resource'))).toEqual([]);
});
