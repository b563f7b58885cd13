import { error, say, stall, think } from '@ziggie/llm-testing';
import type { Page } from 'playwright-core';
import { afterEach, describe, expect, it } from 'vitest';
import { ask, modelIsChosen, openStage, parts, type Stage, withChromium } from './harness.ts';

withChromium();

let stage: Stage | undefined;
async function open(): Promise<Stage> {
  stage = await openStage({ phone: true });
  return stage;
}
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

/** Lines of the frame that do not show all their words, and whatever makes the page wider than the screen. */
function cutOff(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const lines =
      '.zg-picker-detail, .zg-picker-name, .zg-hint, .zg-status-text, .zg-stats, .zg-card-id > span';
    const visible = (element: Element) =>
      element.checkVisibility({ visibilityProperty: true }) && element.clientWidth > 0;
    const cut = [...document.querySelectorAll(lines)].filter(
      (element) => visible(element) && element.scrollWidth > element.clientWidth,
    );
    const wide = [...document.querySelectorAll('.zg > *, .zg-card *')].filter(
      (element) =>
        element.getBoundingClientRect().right >
        (element.closest('.zg-card')?.getBoundingClientRect().right ?? innerWidth),
    );
    return [...cut, ...wide].map((element) => `${element.className}: ${element.textContent}`);
  });
}

/** How much is seen of what can be done with the first message of a role. */
function opacityOf(page: Page, role: string): Promise<string> {
  return page
    .locator(`[data-role="${role}"] .zg-actions`)
    .first()
    .evaluate((actions) => getComputedStyle(actions).opacity);
}

describe('on a phone', () => {
  it('the last message shows what can be done with it, others after a tap that does nothing else', async () => {
    const { page, fake } = await open();
    for (const question of ['Hi', 'And again']) {
      fake.script(say(`Hello to ${question}.`));
      await ask(page, question);
      await expect.poll(() => parts.answers(page).last().textContent()).toContain(`Hello to ${question}.`);
      await expect.poll(() => page.getByText(/first token/).count()).toBe(question === 'Hi' ? 1 : 2);
    }
    const last = page.locator('[data-role="assistant"] .zg-actions').last();
    expect(await last.evaluate((actions) => getComputedStyle(actions).opacity)).toBe('1');
    await expect.poll(() => opacityOf(page, 'user')).toBe('0');
    await expect.poll(() => opacityOf(page, 'assistant')).toBe('0');
    // Where its bin stands: the first tap only shows it.
    const bin = page.getByRole('button', { name: 'Delete this message and what follows' }).first();
    const { x = 0, y = 0, width = 0, height = 0 } = (await bin.boundingBox()) ?? {};
    await page.touchscreen.tap(x + width / 2, y + height / 2);
    await expect.poll(() => opacityOf(page, 'user')).toBe('1');
    expect(await parts.answers(page).count()).toBe(2);
    await page.touchscreen.tap(x + width / 2, y + height / 2);
    await expect.poll(() => parts.answers(page).count()).toBe(0);
  });

  it('no line of the frame is cut off, before, during and after an answer', async () => {
    const { page, fake } = await open();
    await modelIsChosen(page);
    expect(await cutOff(page)).toEqual([]);
    fake.script([think('Let me see. '), say('Half an answer'), stall(undefined)]);
    await ask(page, 'How are you?');
    await expect.poll(() => parts.answers(page).last().textContent()).toContain('Half an answer');
    expect(await cutOff(page)).toEqual([]);
    // By key: a click that soon after the button changed its meaning is ignored.
    await parts.stop(page).first().press('Enter');
    await expect.poll(() => page.getByText(/Stopped after/).count()).toBe(1);
    // The model is in memory now, which has more to say.
    await expect.poll(() => page.locator('.zg-dot[data-load="loaded"]').count()).toBeGreaterThan(0);
    expect(await cutOff(page)).toEqual([]);
  });

  it('the number of a failed request stands on one line', async () => {
    const { page, fake } = await open();
    fake.script([say('Half'), error('llama-server process no longer running: 9')]);
    await ask(page, 'Go');
    await parts.alert(page).waitFor();
    const label = page.locator('.zg-card-id > span').first();
    expect((await label.boundingBox())?.height).toBeLessThan(24);
    expect(await cutOff(page)).toEqual([]);
  });

  it('speaks of no key that its keyboard lacks', async () => {
    const { page } = await open();
    await modelIsChosen(page);
    expect(await page.getByText(/Shift \+ Enter/).isVisible()).toBe(false);
  });

  it('what is touched is 44 px high and wide', async () => {
    const { page, fake } = await open();
    fake.script(say('Hello.'));
    await ask(page, 'Hi');
    await expect.poll(() => page.getByText(/first token/).count()).toBe(1);
    await page.locator('.zg-bubble').tap();
    await expect.poll(() => opacityOf(page, 'user')).toBe('1');
    const small = await page.evaluate(() => {
      const reach = (element: Element) => {
        const { left, right, top, bottom } = element.getBoundingClientRect();
        const [x, y] = [(left + right) / 2, (top + bottom) / 2];
        const hits = (dx: number, dy: number) => {
          const found = document.elementFromPoint(
            Math.min(Math.max(x + dx, 1), innerWidth - 1),
            Math.min(Math.max(y + dy, 1), innerHeight - 1),
          );
          return found !== null && element.contains(found);
        };
        return hits(0, -21) && hits(0, 21) && hits(-21, 0) && hits(21, 0);
      };
      return [...document.querySelectorAll('.zg button')]
        .filter((button) => button.checkVisibility() && !reach(button))
        .map((button) => button.getAttribute('aria-label') ?? button.textContent);
    });
    expect(small).toEqual([]);
  });
});
