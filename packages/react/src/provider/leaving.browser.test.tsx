import { createMemoryStorage } from '@ziggie/llm-client/storage';
import { createManualClock, say, stall } from '@ziggie/llm-testing';
import { Activity, StrictMode, Suspense, use } from 'react';
import { createRoot } from 'react-dom/client';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-react';
import { failOnConsoleErrors } from '../../test/console-guard.ts';
import { createTestChat } from '../../test/test-chat.ts';
import { watchWhatIsOpen } from '../../test/what-is-open.ts';
import { ZiggieChat } from '../chat/ziggie-chat.tsx';
import '../../test/page.css';
import '@ziggie/llm-react/styles.css';

failOnConsoleErrors();

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
  localStorage.clear();
});

const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));

const forever = new Promise<never>(() => {});
function Waiting(): null {
  return use(forever);
}

async function ask(text: string) {
  await userEvent.fill(page.getByRole('textbox', { name: 'Message' }), text);
  await userEvent.keyboard('{Enter}');
}

describe('a chat that leaves the page', () => {
  it.each([true, false])('leaves nothing behind, 100 times (StrictMode: %s)', async (strict) => {
    const open = watchWhatIsOpen();
    ends.push(open.stop);
    const { fake, client } = createTestChat({
      // Its own timers are none of ours.
      clock: createManualClock(),
      scripts: Array.from({ length: 10 }, () => [say('Still here'), stall()]),
    });
    const mount = async (userId: string, asks: boolean) => {
      const host = document.createElement('div');
      document.body.append(host);
      const root = createRoot(host);
      const chat = <ZiggieChat client={client} model="stand-in" userId={userId} layout="page" />;
      root.render(strict ? <StrictMode>{chat}</StrictMode> : chat);
      await frame();
      if (asks) {
        await ask('Go');
        await expect.element(page.getByText('Still here')).toBeVisible();
      }
      root.unmount();
      host.remove();
    };
    // What is made once stays: React's own listeners, the code of the parts that come later.
    await mount('first', false);
    await expect.poll(() => open.now().timers).toBe(0);
    const before = open.now();
    for (let round = 0; round < 100; round += 1) await mount(`user-${round}`, round % 10 === 0);
    await fake.waitFor((report) => report.openGenerations === 0 && report.disconnects.length === 10);
    await expect.poll(() => open.now()).toEqual(before);
  });

  it('closes what a render opened that never came onto the page', async () => {
    const open = watchWhatIsOpen();
    ends.push(open.stop);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    ends.push(() => vi.useRealTimers());
    const { client } = createTestChat();
    const host = document.createElement('div');
    const root = createRoot(host);
    const before = open.now();
    root.render(
      <Suspense>
        <ZiggieChat client={client} model="stand-in" />
        <Waiting />
      </Suspense>,
    );
    await vi.waitFor(() => expect(open.now().channels).toBeGreaterThan(before.channels));
    root.unmount();
    expect(open.now().listeners).toBeGreaterThan(before.listeners);
    vi.advanceTimersByTime(10_000);
    expect(open.now()).toMatchObject({ listeners: before.listeners, channels: before.channels });
  });

  it('is as it was when it comes back later', async () => {
    const { client, fake } = createTestChat({ scripts: [[say('Still here'), stall()], [say('Here again')]] });
    const storage = createMemoryStorage();
    const chat = (mode: 'visible' | 'hidden') => (
      <StrictMode>
        <Activity mode={mode}>
          <ZiggieChat client={client} model="stand-in" storage={storage} />
        </Activity>
      </StrictMode>
    );
    const view = await render(chat('visible'));
    await ask('Go');
    await expect.element(page.getByText('Still here')).toBeVisible();
    await view.rerender(chat('hidden'));
    await fake.waitFor((report) => report.openGenerations === 0);
    await view.rerender(chat('visible'));
    await expect.element(page.getByText('Still here')).toBeVisible();
    await ask('And now?');
    await expect.element(page.getByText('Here again')).toBeVisible();
  });
});
