import { existsSync, readFileSync } from 'node:fs';
import { say, slow, stall } from '@ziggie/llm-testing';
import { afterEach, expect, it } from 'vitest';
import { ask, openStage, parts, type Stage, withChromium } from './harness.ts';

withChromium();

const sheet = new URL('../../../../shared/design/mock/tokens.css', import.meta.url);
let stage: Stage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

/** The values of one scheme, colours as a browser gives them. */
function tokensOf(scheme: 'light' | 'dark'): (name: string) => string {
  const [light = '', dark = ''] = readFileSync(sheet, 'utf8').split('.zg.dark');
  const read = (block: string) =>
    new Map(
      [...block.matchAll(/--zg-([a-z0-9-]+):([^;}]+)/g)].map(([, name = '', value = '']) => [name, value]),
    );
  const values = new Map([...read(light), ...(scheme === 'dark' ? read(dark) : [])]);
  return (name) => {
    const value = values.get(name);
    if (value === undefined) throw new Error(`tokens.css has no --zg-${name}.`);
    if (!/^#[0-9a-f]{6}$/i.test(value)) return value;
    return `rgb(${[1, 3, 5].map((at) => Number.parseInt(value.slice(at, at + 2), 16)).join(', ')})`;
  };
}

it.skipIf(!existsSync(sheet)).each(['light', 'dark'] as const)(
  'what is painted in the %s scheme is what the design says',
  async (scheme) => {
    stage = await openStage();
    const { page, fake } = stage;
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width: 1280, height: 860 });
    fake.script([slow(100), say('Read `this`:\n\n```\ncode\n```\n\nand '), stall(undefined)]);
    await ask(page, 'How does it look?');
    await expect.poll(() => parts.answers(page).last().textContent()).toContain('and');
    await page.locator('.zg-status').last().waitFor();
    const style = (selector: string, name: string, pseudo?: string) =>
      page.evaluate(
        ([selector = '', name = '', pseudo]) => {
          const found = [...document.querySelectorAll(selector)].at(-1);
          if (found === undefined) throw new Error(`Nothing on the page is ${selector}.`);
          return getComputedStyle(found, pseudo).getPropertyValue(name);
        },
        [selector, name, pseudo],
      );
    const token = tokensOf(scheme);
    const painted = {
      canvas: await style('.zg-side', 'background-color'),
      page: await style('.zg', 'background-color'),
      words: await style('.zg', 'color'),
      font: await style('.zg', 'font-size'),
      line: await style('.zg-message p', 'line-height'),
      column: await style('.zg-message', 'width'),
      bubble: await style('.zg-bubble', 'background-color'),
      corner: await style('.zg-bubble', 'border-top-left-radius'),
      code: await style('.zg-code', 'background-color'),
      status: await style('.zg-status-text', 'color'),
      caret: await style('.zg-block[data-growing] > p:last-child', 'background-color', '::after'),
      edge: await style('.zg-composer-box', 'border-top-left-radius'),
      button: await style('.zg-send', 'background-color'),
    };
    expect(painted).toEqual({
      canvas: token('canvas'),
      page: token('bg'),
      words: token('text'),
      font: token('text-base'),
      line: `${Number.parseFloat(token('text-base')) * Number(token('leading'))}px`,
      column: token('col'),
      bubble: token('surface-1'),
      corner: token('r-l'),
      code: token('surface-2'),
      status: token('text-2'),
      caret: token('accent'),
      edge: token('r-xl'),
      button: token('text'),
    });
  },
);
