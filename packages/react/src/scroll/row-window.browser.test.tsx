import { say } from '@ziggie/llm-testing';
import { afterEach, describe, expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-react';
import { failOnConsoleErrors } from '../../test/console-guard.ts';
import { createTestChat, recordOf } from '../../test/test-chat.ts';
import { answer, longAnswer } from '../../test/texts.ts';
import { ZiggieChat } from '../chat/ziggie-chat.tsx';
import '../../test/page.css';
import '@ziggie/llm-react/styles.css';

failOnConsoleErrors();

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

const frames = (count: number) =>
  new Promise<void>((resolve) => {
    const step = (left: number) => (left === 0 ? resolve() : requestAnimationFrame(() => step(left - 1)));
    step(count);
  });

/** A conversation of 1,000 messages; every second answer is a long one. */
async function show(count = 1_000) {
  const texts = Array.from({ length: count }, (_, index) =>
    index % 2 === 0 ? `Question ${index}` : index % 4 === 1 ? `${longAnswer}\n\nEnd of ${index}.` : answer,
  );
  const { client, conversation } = createTestChat({ record: recordOf(texts), scripts: [[say('Done.')]] });
  ends.push(() => conversation.dispose());
  const view = await render(<ZiggieChat client={client} conversation={conversation} />);
  await expect.element(page.getByText(`Question ${count - 2}`)).toBeInTheDocument();
  await frames(3);
  const log = page.getByRole('region', { name: 'Conversation' }).element() as HTMLElement;
  const rows = () => [...log.querySelectorAll<HTMLElement>('[data-zg-row]')];
  return { view, log, rows };
}

/** Where a row that is seen stands, to see whether it moves. */
function firstSeen(log: HTMLElement, rows: HTMLElement[]) {
  const frame = log.getBoundingClientRect();
  const row = rows.find((one) => {
    const box = one.getBoundingClientRect();
    return box.bottom > frame.top + 1 && box.top < frame.bottom;
  });
  if (row === undefined) throw new Error('Nothing is seen.');
  return { row, top: row.getBoundingClientRect().top };
}

describe('RowWindow', () => {
  it('has 1,000 messages in 2,500 elements, at the end of them', async () => {
    const { view, log } = await show();
    expect(view.container.querySelectorAll('*').length).toBeLessThanOrEqual(2_500);
    expect(log.scrollHeight - log.clientHeight - log.scrollTop).toBeLessThanOrEqual(1);
  });

  it('moves nothing that is seen on the way to the first message and back', async () => {
    const { log, rows } = await show(140);
    log.dispatchEvent(new WheelEvent('wheel', { deltaY: -1, bubbles: true }));
    for (const direction of [-1, 1]) {
      for (let step = 0; step < 200; step += 1) {
        const before = firstSeen(log, rows());
        const from = log.scrollTop;
        log.scrollTop += direction * 900;
        const went = log.scrollTop - from;
        if (went === 0) break;
        await frames(2);
        expect(before.row.isConnected).toBe(true);
        expect(Math.abs(before.row.getBoundingClientRect().top - (before.top - went))).toBeLessThanOrEqual(1);
        expect(rows().length).toBeLessThanOrEqual(100);
      }
      expect(rows()[direction < 0 ? 0 : rows().length - 1]?.dataset['zgRow']).toBe(
        direction < 0 ? 'm0' : 'm139',
      );
    }
  });

  it('shows the messages where the scroll bar is dragged to', async () => {
    const { log, rows } = await show();
    log.dispatchEvent(new WheelEvent('wheel', { deltaY: -1, bubbles: true }));
    for (const part of [0.5, 0, 0.9, 0.2]) {
      log.scrollTop = part * (log.scrollHeight - log.clientHeight);
      await frames(4);
      const { row } = firstSeen(log, rows());
      const frame = log.getBoundingClientRect();
      expect(row.getBoundingClientRect().top).toBeLessThanOrEqual(frame.top + 60);
      expect(rows().at(-1)?.getBoundingClientRect().bottom ?? 0).toBeGreaterThanOrEqual(frame.bottom - 60);
    }
  });

  it('goes to the end of a long conversation from its beginning', async () => {
    const { log, rows } = await show();
    log.dispatchEvent(new WheelEvent('wheel', { deltaY: -1, bubbles: true }));
    log.scrollTop = 0;
    await frames(4);
    await page.getByRole('button', { name: 'Jump to latest' }).click();
    await expect.poll(() => rows().at(-1)?.dataset['zgRow']).toBe('m999');
    await expect.poll(() => log.scrollHeight - log.clientHeight - log.scrollTop).toBeLessThanOrEqual(1);
  });

  it('keeps the row that has the focus', async () => {
    const { log, rows } = await show();
    const button = rows().at(-1)?.querySelector('button');
    button?.focus();
    log.dispatchEvent(new WheelEvent('wheel', { deltaY: -1, bubbles: true }));
    for (let step = 0; step < 10; step += 1) {
      log.scrollTop -= 600;
      await frames(2);
    }
    expect(document.activeElement).toBe(button);
  });

  it('shows a message that is sent in a long conversation', async () => {
    const { log } = await show();
    await userEvent.fill(page.getByRole('textbox'), 'One more');
    await userEvent.keyboard('{Enter}');
    await expect.element(page.getByText('Done.')).toBeVisible();
    await expect.poll(() => log.scrollHeight - log.clientHeight - log.scrollTop).toBeLessThanOrEqual(1);
  });
});
