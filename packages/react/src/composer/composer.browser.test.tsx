import { say } from '@ziggie/llm-testing';
import { describe, expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-react';
import { failOnConsoleErrors } from '../../test/console-guard.ts';
import { createTestChat, type TestChat } from '../../test/test-chat.ts';
import { ZiggieProvider } from '../provider/ziggie-provider.tsx';
import { Composer } from './composer.tsx';
import '@ziggie/llm-react/styles.css';

failOnConsoleErrors();

async function show(): Promise<TestChat & { input: HTMLTextAreaElement; sent: () => number }> {
  const chat = createTestChat({ scripts: [[say('Yes')]] });
  await render(
    <ZiggieProvider client={chat.client} conversation={chat.conversation}>
      <section className="zg" data-zg-scheme="light" aria-label="Chat">
        <Composer />
      </section>
    </ZiggieProvider>,
  );
  const input = page.getByRole('textbox').element() as HTMLTextAreaElement;
  await userEvent.fill(input, 'こんにちは');
  const sent = () => chat.conversation.getState().nodes.size;
  return { ...chat, input, sent };
}

const enter = (isComposing: boolean, keyCode: number) =>
  new KeyboardEvent('keydown', { key: 'Enter', keyCode, isComposing, bubbles: true, cancelable: true });
const composition = (type: 'compositionstart' | 'compositionend') =>
  new CompositionEvent(type, { data: 'こ', bubbles: true });

describe('Composer', () => {
  it.each([
    [
      'Chrome: Enter, then the end',
      [composition('compositionstart'), enter(true, 229), composition('compositionend')],
    ],
    [
      'Firefox: Enter with its own code',
      [composition('compositionstart'), enter(true, 13), composition('compositionend')],
    ],
    [
      'Safari: the end, then Enter as 229',
      [composition('compositionstart'), composition('compositionend'), enter(false, 229)],
    ],
  ])('does not send the Enter that takes a word (%s)', async (_, events) => {
    const { input, sent } = await show();
    for (const event of events) input.dispatchEvent(event);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(sent()).toBe(0);
    expect(input.value).toBe('こんにちは');
  });

  it('sends with a plain Enter though a composition never ended', async () => {
    const { input, sent } = await show();
    input.dispatchEvent(composition('compositionstart'));
    input.dispatchEvent(enter(false, 13));
    await expect.poll(sent).toBe(2);
  });

  it('makes a new line with Shift and grows by it', async () => {
    const { input, sent } = await show();
    const before = input.getBoundingClientRect().height;
    input.focus();
    await userEvent.keyboard('{End}{Shift>}{Enter}{/Shift}more');
    expect(input.value).toBe('こんにちは\nmore');
    expect(input.getBoundingClientRect().height).toBeGreaterThan(before + 10);
    expect(sent()).toBe(0);
  });

  it('ignores the second half of a double click on Send', async () => {
    const chat = createTestChat({ tokensPerSecond: 5, scripts: [[say('One two three four five six')]] });
    await render(
      <ZiggieProvider client={chat.client} conversation={chat.conversation}>
        <section className="zg" data-zg-scheme="light" aria-label="Chat">
          <Composer />
        </section>
      </ZiggieProvider>,
    );
    await userEvent.fill(page.getByRole('textbox'), 'Go');
    await userEvent.dblClick(page.getByRole('button', { name: 'Send' }));
    await expect.element(page.getByRole('button', { name: 'Stop' })).toBeVisible();
    expect(chat.conversation.phase.get()?.kind).not.toBe('stopping');
    expect(chat.conversation.runningId.get()).not.toBeNull();
    chat.conversation.dispose();
  });

  it.each([
    [280, 0],
    [700, 1],
  ])('tells the keys whole or not at all (%i px wide)', async (width, lines) => {
    await page.viewport(width, 700);
    await show();
    const hint = page.getByText('Enter sends, Shift + Enter makes a new line').element();
    const box = hint.getBoundingClientRect();
    const words = document.createRange();
    words.selectNodeContents(hint);
    const [line, ...more] = [...words.getClientRects()].filter(({ width: seen }) => seen > 0);
    expect(more).toEqual([]);
    // What is below the box is clipped.
    expect(line !== undefined && line.top < box.bottom - 1 ? 1 : 0).toBe(lines);
    if (lines === 1) expect(line?.right).toBeLessThanOrEqual(box.right + 0.5);
    expect(getComputedStyle(hint).overflow).toBe('hidden');
    expect(box.height).toBeLessThan(24);
  });

  it('gives the words back when the turn could not begin', async () => {
    const { conversation } = await show();
    conversation.dispose();
    await userEvent.keyboard('{Enter}');
    await expect.element(page.getByRole('textbox')).toHaveValue('こんにちは');
  });
});
