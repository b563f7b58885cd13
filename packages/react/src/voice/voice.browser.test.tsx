import { StrictMode } from 'react';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-react';
import { createWebSpeech, type VoiceAdapter, type VoiceListener, ZiggieChat } from '../../src/index.ts';
import { failOnConsoleErrors } from '../../test/console-guard.ts';
import { createTestChat } from '../../test/test-chat.ts';
import '../../test/page.css';
import '@ziggie/llm-react/styles.css';

failOnConsoleErrors();
beforeEach(() => {
  localStorage.clear();
  vi.unstubAllGlobals();
});

const composer = () => page.getByRole('textbox', { name: 'Message', exact: true });
const button = (name: string) => page.getByRole('button', { name, exact: true });
const spoken = () => document.querySelector('[data-zg-live=polite]')?.textContent;

async function show(voice: VoiceAdapter): Promise<void> {
  const { client, conversation } = createTestChat();
  await render(
    <StrictMode>
      <ZiggieChat client={client} conversation={conversation} voice={voice} locale="de-CH" />
    </StrictMode>,
  );
}

describe('an adapter of the host app', () => {
  it('puts what is heard after what stands there; what may change is replaced, and nothing is sent by itself', async () => {
    let heard: VoiceListener | undefined;
    const stop = vi.fn(() => heard?.onEnd('stopped'));
    const listen = vi.fn((listener: VoiceListener) => {
      heard = listener;
      return stop;
    });
    await show({ isAvailable: () => true, listen });
    await userEvent.fill(composer(), 'Write to');
    await userEvent.click(button('Speak'));
    expect(listen).toHaveBeenCalledWith(expect.anything(), { locale: 'de-CH' });
    await expect.element(button('Stop listening')).toHaveAttribute('aria-pressed', 'true');
    await expect.poll(spoken).toBe('Listening');
    heard?.onInterim('my sitter');
    await expect.element(composer()).toHaveValue('Write to my sitter');
    heard?.onFinal(' my sister');
    heard?.onInterim('and');
    await expect.element(composer()).toHaveValue('Write to my sister and');
    // Typed in between: it goes on from there.
    await userEvent.fill(composer(), 'Write to my sister today');
    heard?.onFinal('please');
    await expect.element(composer()).toHaveValue('Write to my sister today please');
    await userEvent.click(button('Stop listening'));
    expect(stop).toHaveBeenCalledOnce();
    await expect.element(composer()).toHaveFocus();
    heard?.onFinal('too late');
    await expect.element(composer()).toHaveValue('Write to my sister today please');
  });

  it('is not offered where it cannot be', async () => {
    await show({ isAvailable: () => false, listen: () => () => {} });
    await expect.element(composer()).toBeVisible();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(button('Speak').query()).toBeNull();
  });
});

describe('the recogniser of the browser', () => {
  /** What the browser would give, driven by hand. */
  class FakeRecogniser {
    static last: FakeRecogniser;
    lang = '';
    onresult: ((event: object) => void) | null = null;
    onerror: ((event: object) => void) | null = null;
    onend: (() => void) | null = null;
    constructor() {
      FakeRecogniser.last = this;
    }
    start(): void {}
    stop(): void {
      this.onend?.();
    }
    hear(...results: [text: string, isFinal: boolean][]): void {
      const list = results.map(([transcript, isFinal]) => ({ isFinal, 0: { transcript } }));
      this.onresult?.({ resultIndex: 0, results: list });
    }
  }

  it('gives interim and final text, in the language of the chat', async () => {
    vi.stubGlobal('SpeechRecognition', FakeRecogniser);
    await show(createWebSpeech());
    await userEvent.click(button('Speak'));
    const { last } = FakeRecogniser;
    expect(last.lang).toBe('de-CH');
    last.hear(['Guten Mor', false]);
    await expect.element(composer()).toHaveValue('Guten Mor');
    last.hear(['Guten Morgen', true], ['liebe', false]);
    await expect.element(composer()).toHaveValue('Guten Morgen liebe');
    await userEvent.click(button('Stop listening'));
    await expect.element(button('Speak')).toBeVisible();
  });

  it('says when the microphone is not allowed, and can be tried again', async () => {
    vi.stubGlobal('SpeechRecognition', FakeRecogniser);
    await show(createWebSpeech());
    await userEvent.click(button('Speak'));
    FakeRecogniser.last.onerror?.({ error: 'not-allowed' });
    FakeRecogniser.last.onend?.();
    await expect.element(page.getByText(/^The microphone is not allowed here/).first()).toBeVisible();
    await expect.poll(spoken).toMatch(/^The microphone is not allowed/);
    await expect.element(composer()).toHaveFocus();
    await userEvent.click(button('Speak'));
    FakeRecogniser.last.hear(['Now it works', true]);
    await expect.element(composer()).toHaveValue('Now it works');
  });

  it('is missing in some browsers, and then there is no button', () => {
    vi.stubGlobal('SpeechRecognition', undefined);
    vi.stubGlobal('webkitSpeechRecognition', undefined);
    const ends: string[] = [];
    const adapter = createWebSpeech();
    expect(adapter.isAvailable()).toBe(false);
    adapter.listen({ onInterim: () => {}, onFinal: () => {}, onEnd: (reason) => ends.push(reason) }, {});
    expect(ends).toEqual(['unavailable']);
  });
});
