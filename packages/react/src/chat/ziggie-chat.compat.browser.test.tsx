import { say, stall } from '@ziggie/llm-testing';
import * as React from 'react';
import { createRoot } from 'react-dom/client';
import { describe, expect, it } from 'vitest';
import { failOnConsoleErrors } from '../../test/console-guard.ts';
import { createTestChat } from '../../test/test-chat.ts';
import { longAnswer } from '../../test/texts.ts';
import { ZiggieChat } from './ziggie-chat.tsx';

failOnConsoleErrors();

describe('ZiggieChat with React 18', () => {
  it('runs on React 18', () => {
    expect(React.version).toMatch(/^18\./);
  });

  it('streams an answer under StrictMode, stops, and leaves nothing', async () => {
    const { client, conversation, fake } = createTestChat({ scripts: [[say(longAnswer), stall()]] });
    const place = document.createElement('div');
    document.body.append(place);
    const root = createRoot(place);
    root.render(
      <React.StrictMode>
        <ZiggieChat client={client} conversation={conversation} />
      </React.StrictMode>,
    );
    await expect.poll(() => place.querySelector('textarea')).not.toBeNull();
    const turn = conversation.send('Go');
    await expect.poll(() => place.querySelectorAll('table td').length).toBeGreaterThan(6);
    expect(place.querySelector('[style]')).toBeNull();
    conversation.stop();
    await turn;
    await expect.poll(() => place.querySelector('[data-state="stopped"]')).not.toBeNull();
    await fake.waitFor((report) => report.openGenerations === 0);
    root.unmount();
    place.remove();
    conversation.dispose();
  });
});
