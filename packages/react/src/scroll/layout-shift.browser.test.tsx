import { createManualClock, say, think } from '@ziggie/llm-testing';
import { afterEach, describe, expect, it } from 'vitest';
import { page } from 'vitest/browser';
import { render } from 'vitest-browser-react';
import { failOnConsoleErrors } from '../../test/console-guard.ts';
import { createTestChat, recordOf } from '../../test/test-chat.ts';
import { longAnswer, thoughts } from '../../test/texts.ts';
import { ZiggieChat } from '../chat/ziggie-chat.tsx';
import '../../test/page.css';
import '@ziggie/llm-react/styles.css';

failOnConsoleErrors();

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));

interface LayoutShift extends PerformanceEntry {
  value: number;
  sources: { node: Node | null; previousRect: DOMRectReadOnly; currentRect: DOMRectReadOnly }[];
}

/** What the browser's Layout Instability API counts from now on, also right after a key. */
function watchShifts(): () => string[] {
  const found: string[] = [];
  const note = (entries: PerformanceEntryList) => {
    for (const { value, sources } of entries as LayoutShift[]) {
      const moves = sources.map(({ node, previousRect: before, currentRect: after }) => {
        const element = node instanceof Element ? node : node?.parentElement;
        const place = (rect: DOMRectReadOnly) => `${rect.x},${rect.y} ${rect.width}x${rect.height}`;
        return `${element?.outerHTML.slice(0, 60)} from ${place(before)} to ${place(after)}`;
      });
      found.push(`${value.toFixed(5)}: ${moves.join('; ')}`);
    }
  };
  const observer = new PerformanceObserver((list) => note(list.getEntries()));
  observer.observe({ type: 'layout-shift' });
  ends.push(() => observer.disconnect());
  return () => {
    note(observer.takeRecords());
    return found;
  };
}

/** A chat in which an answer with thoughts, prose, a table, code and tasks is about to be written. */
async function show(texts: readonly string[]) {
  const clock = createManualClock();
  const { client, conversation } = createTestChat({
    clock,
    tokensPerSecond: 40,
    record: recordOf(texts),
    scripts: [[think(thoughts), say(longAnswer)]],
  });
  ends.push(() => conversation.dispose());
  await render(<ZiggieChat client={client} conversation={conversation} layout="page" />);
  await expect.element(page.getByText(texts[0] ?? 'What should', { exact: texts.length > 0 })).toBeVisible();
  const log = page.getByRole('region', { name: 'Conversation' }).element() as HTMLElement;
  await frame();
  return { clock, conversation, log };
}

async function writeToTheEnd({ clock, conversation }: Awaited<ReturnType<typeof show>>, turn: Promise<void>) {
  for (let step = 0; step < 1_000 && conversation.runningId.get() !== null; step += 1) {
    await clock.advance(100);
    await frame();
  }
  await turn;
  await expect.element(page.getByRole('button', { name: 'Answer again' }).last()).toBeInTheDocument();
  await frame();
  await frame();
}

describe('layout shift of a whole turn', () => {
  it('can be seen here', async () => {
    const shifts = watchShifts();
    const host = document.createElement('div');
    host.innerHTML = '<p>One</p><p>Two</p>';
    document.body.append(host);
    ends.push(() => host.remove());
    await frame();
    host.firstElementChild?.setAttribute('style', 'padding-top: 50px');
    await frame();
    await expect.poll(() => shifts().length).toBeGreaterThan(0);
  });

  it('is zero when code begins the conversation, though the composer leaves the middle', async () => {
    const chat = await show([]);
    const composer = page.getByRole('form').element();
    const topOf = () => composer.getBoundingClientRect().top / window.innerHeight;
    await expect.poll(topOf).toBeLessThan(0.6);
    const shifts = watchShifts();
    const turn = chat.conversation.send('One');
    await expect.element(page.getByText('One', { exact: true })).toBeVisible();
    const glides = composer.parentElement?.getAnimations() ?? [];
    expect(glides).toHaveLength(1);
    for (const glide of glides) glide.finish();
    expect(topOf()).toBeGreaterThan(0.7);
    await writeToTheEnd(chat, turn);
    expect(shifts()).toEqual([]);
  });

  it('is zero while the answer fits into the view', async () => {
    const chat = await show(['One', 'Two']);
    const shifts = watchShifts();
    const turn = chat.conversation.send('Three');
    await expect.poll(() => chat.conversation.runningId.get()).not.toBeNull();
    await writeToTheEnd(chat, turn);
    expect(shifts()).toEqual([]);
  });

  it('is zero while the end is followed', async () => {
    const chat = await show(['One', longAnswer, 'Two', longAnswer]);
    await expect
      .poll(() => chat.log.scrollHeight - chat.log.clientHeight - chat.log.scrollTop)
      .toBeLessThan(2);
    const shifts = watchShifts();
    const turn = chat.conversation.send('Three');
    await expect.poll(() => chat.conversation.runningId.get()).not.toBeNull();
    await writeToTheEnd(chat, turn);
    expect(shifts()).toEqual([]);
  });

  it('is zero for a reader who has scrolled up', async () => {
    const chat = await show(['One', longAnswer, 'Two', longAnswer]);
    const turn = chat.conversation.send('Three');
    await expect.poll(() => chat.conversation.runningId.get()).not.toBeNull();
    await chat.clock.advance(6_000);
    await frame();
    chat.log.dispatchEvent(new WheelEvent('wheel', { deltaY: -60, bubbles: true }));
    chat.log.scrollTop -= 60;
    await expect.element(page.getByRole('button', { name: 'Jump to latest' })).toBeVisible();
    await frame();
    const shifts = watchShifts();
    await writeToTheEnd(chat, turn);
    expect(shifts()).toEqual([]);
  });
});
