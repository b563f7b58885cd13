import { createManualClock, say } from '@ziggie/llm-testing';
import { afterEach, describe, expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-react';
import { failOnConsoleErrors } from '../../test/console-guard.ts';
import { createTestChat, recordOf } from '../../test/test-chat.ts';
import { longAnswer } from '../../test/texts.ts';
import { ZiggieChat } from '../chat/ziggie-chat.tsx';
import '../../test/page.css';
import '@ziggie/llm-react/styles.css';

failOnConsoleErrors();

const ends: (() => void)[] = [];
afterEach(() => {
  getSelection()?.removeAllRanges();
  for (const end of ends.splice(0)) end();
});

const frames = (count: number) =>
  new Promise<void>((resolve) => {
    const step = (left: number) => (left === 0 ? resolve() : requestAnimationFrame(() => step(left - 1)));
    step(count);
  });

/** A long conversation in which an answer is being written, one second of tokens at a time. */
async function show() {
  const clock = createManualClock();
  const { fake, client, conversation } = createTestChat({
    clock,
    tokensPerSecond: 100,
    record: recordOf(['One', longAnswer, 'Two', longAnswer]),
    scripts: [[say(`${longAnswer}\n\n`.repeat(4))]],
  });
  ends.push(() => conversation.dispose());
  await render(<ZiggieChat client={client} conversation={conversation} />);
  await expect.element(page.getByText('One', { exact: true })).toBeInTheDocument();
  await userEvent.fill(page.getByRole('textbox'), 'Three');
  await userEvent.keyboard('{Enter}');
  const log = page.getByRole('region', { name: 'Conversation' }).element() as HTMLElement;
  // Before that no time may go by: it would bring nothing.
  await fake.waitFor((report) => report.openGenerations === 1);
  const write = async (seconds: number) => {
    const before = log.scrollHeight;
    await clock.advance(seconds * 1_000);
    await expect.poll(() => log.scrollHeight, { interval: 10 }).toBeGreaterThan(before);
    // What came last may wait for a frame of its own.
    await frames(4);
  };
  const fromEnd = () => log.scrollHeight - log.clientHeight - log.scrollTop;
  await write(1);
  return { log, write, fromEnd };
}

const wheel = (deltaY: number) => new WheelEvent('wheel', { deltaY, bubbles: true });

describe('FollowEnd', () => {
  it('stays at the end while the answer grows', async () => {
    const { write, fromEnd } = await show();
    for (let second = 0; second < 4; second += 1) {
      await write(0.5);
      expect(fromEnd()).toBeLessThanOrEqual(1);
    }
  });

  it('lets go at one small wheel step up, and from then on nothing moves by itself', async () => {
    const { log, write } = await show();
    log.dispatchEvent(wheel(-3));
    log.scrollTop -= 3;
    await frames(2);
    const top = log.scrollTop;
    const row = page.getByRole('article', { name: 'You' }).all().at(-1)?.element();
    const y = row?.getBoundingClientRect().top;
    await write(2);
    expect(log.scrollTop).toBe(top);
    expect(row?.getBoundingClientRect().top).toBe(y);
  });

  it('lets go when text is selected', async () => {
    const { log, write } = await show();
    const paragraph = log.querySelector('article:last-child p');
    if (paragraph !== null) getSelection()?.selectAllChildren(paragraph);
    await frames(2);
    const top = log.scrollTop;
    await write(2);
    expect(log.scrollTop).toBe(top);
  });

  it('lets go when a key scrolls up', async () => {
    const { log, write } = await show();
    log.focus();
    await userEvent.keyboard('{PageUp}');
    await expect.element(page.getByRole('button', { name: 'Jump to latest' })).toBeVisible();
    await new Promise((resolve) => setTimeout(resolve, 300));
    const top = log.scrollTop;
    await write(2);
    expect(log.scrollTop).toBe(top);
  });

  it('holds on again at the end, and not before', async () => {
    const { log, write, fromEnd } = await show();
    log.dispatchEvent(wheel(-120));
    log.scrollTop -= 120;
    await frames(2);
    log.scrollTop += 100;
    await frames(2);
    await write(1);
    expect(fromEnd()).toBeGreaterThan(10);
    log.scrollTop = log.scrollHeight;
    await frames(2);
    await write(1);
    expect(fromEnd()).toBeLessThanOrEqual(1);
  });

  it('comes back by the button, which hands the focus on', async () => {
    const { log, write, fromEnd } = await show();
    log.dispatchEvent(wheel(-200));
    log.scrollTop -= 200;
    await userEvent.click(page.getByRole('button', { name: 'Jump to latest' }));
    expect(document.activeElement).toBe(log);
    await write(1);
    await expect.poll(fromEnd).toBeLessThanOrEqual(1);
  });
});
