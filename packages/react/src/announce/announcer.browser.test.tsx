import { error, say } from '@ziggie/llm-testing';
import { describe, expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-react';
import { failOnConsoleErrors } from '../../test/console-guard.ts';
import { createTestChat } from '../../test/test-chat.ts';
import { ZiggieChat } from '../chat/ziggie-chat.tsx';
import '@ziggie/llm-react/styles.css';

failOnConsoleErrors();

async function turn(script: Parameters<typeof createTestChat>[0]) {
  const { client, conversation } = createTestChat(script);
  await render(<ZiggieChat client={client} conversation={conversation} />);
  const said: { urgency: string; text: string }[] = [];
  const observer = new MutationObserver((records) => {
    for (const { target } of records) {
      const element = target instanceof Element ? target : target.parentElement;
      const region = element?.closest('[aria-live], [role=log], [role=status], [role=alert]');
      if (region)
        said.push({ urgency: region.getAttribute('aria-live') ?? 'role', text: region.textContent });
    }
  });
  observer.observe(document.body, { subtree: true, childList: true, characterData: true });
  await userEvent.fill(page.getByRole('textbox'), 'Go');
  await userEvent.keyboard('{Enter}');
  await expect.poll(() => said.length).toBeGreaterThan(0);
  await expect.poll(() => conversation.runningId.get()).toBeNull();
  observer.disconnect();
  conversation.dispose();
  return said;
}

describe('announcements', () => {
  it('are the answer once, cut, and nothing per token', async () => {
    const said = await turn({ tokensPerSecond: 2_000, scripts: [[say('**Many** words. '.repeat(100))]] });
    expect(said.length).toBeLessThanOrEqual(6);
    const last = said.at(-1);
    expect(last?.urgency).toBe('polite');
    expect(last?.text).toMatch(/^Answer: Many words\..*Open the message to read on\.$/);
    expect(last?.text.length).toBeLessThan(660);
  });

  it('interrupt for a failure', async () => {
    const said = await turn({ scripts: [[error('server busy, please try again.', { status: 503 })]] });
    expect(said.length).toBeLessThanOrEqual(6);
    expect(said.at(-1)).toMatchObject({
      urgency: 'assertive',
      text: expect.stringContaining('The server is busy'),
    });
  });
});
