import { createMemoryStorage } from '@ziggie/llm-client/storage';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { page } from 'vitest/browser';
import { render } from 'vitest-browser-react';
import { readAttackStrings } from '../../test/corpora/attack-strings.ts';
import { watchForHarm } from '../../test/corpora/inert.ts';
import { createTestChat, recordOf } from '../../test/test-chat.ts';
import { ZiggieChat } from './ziggie-chat.tsx';
import '../../test/page.css';
import '@ziggie/llm-react/styles.css';

const strings = await readAttackStrings();
const attacks = strings?.attacks ?? [];
/** So many of the list in `npm test`; the slow tier takes all. */
const SAMPLE = 24;
const step = inject('slowTier') ? 1 : Math.max(1, Math.floor(attacks.length / SAMPLE));
/** Attacks shown by one chat: every place shows each of them in its turn. */
const AT_ONCE = 6;
const shown = attacks.filter((_, index) => index % step === 0);
const groups = Array.from({ length: Math.ceil(shown.length / AT_ONCE) }, (_, index) =>
  shown.slice(index * AT_ONCE, (index + 1) * AT_ONCE).map(({ markdown }) => markdown),
);

const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** A conversation that has the text wherever a server, a model, a tool or a file can put one. */
function recordWith(text: string, id: string) {
  const plain = recordOf(['question', 'answer']);
  const [question, answer] = plain.nodes;
  if (question === undefined || answer === undefined) throw new Error('The record is empty.');
  const nodes = [
    {
      ...question,
      id: `${id}q`,
      text,
      attachments: [
        { kind: 'file' as const, name: text, text, mediaType: text },
        { kind: 'image' as const, name: text, data: PIXEL, mediaType: 'image/png' },
      ],
    },
    {
      ...answer,
      id: `${id}a`,
      parentId: `${id}q`,
      text,
      thinking: text,
      model: text,
      sources: [{ id: text, title: text, url: text, excerpt: text }],
      toolCalls: [
        {
          id: 'c1',
          name: text,
          arguments: { [text]: text },
          round: 0,
          textAt: 0,
          state: 'done' as const,
          result: text,
        },
        { id: 'c2', name: text, arguments: {}, round: 0, textAt: 0, state: 'failed' as const, result: text },
      ],
      feedback: { rating: 'down' as const, note: text, at: 1 },
      end: {
        kind: 'failed' as const,
        failure: { code: text, message: text, retryable: true, requestId: text },
      },
    },
  ];
  const queue = [{ id: `${id}t`, text, model: text, queuedAt: 1 }];
  return { ...plain, id, title: text, model: text, nodes, head: `${id}a`, queue };
}

/** What must not be in a chat at all. */
function harmIn(root: Element): string[] {
  const harm: string[] = [];
  for (const element of root.querySelectorAll('*')) {
    if (
      /^(?:script|iframe|object|embed|style|link|meta|base|foreignobject|video|audio|math)$/i.test(
        element.localName,
      )
    ) {
      harm.push(`<${element.localName}>`);
    }
    for (const { name, value } of element.attributes) {
      const isAddress = /^(?:href|src|action|formaction|xlink:href|srcdoc|background)$/i.test(name);
      const isGood = /^(?:https?:|mailto:|tel:|#)/i.test(value);
      const isOwnImage = element.localName === 'img' && /^(?:data:image\/png;base64,|blob:)/.test(value);
      if (/^on|^style$/i.test(name) || (isAddress && !isOwnImage && !(element.localName === 'a' && isGood))) {
        harm.push(`${element.localName}[${name}="${value.slice(0, 80)}"]`);
      }
    }
    element.dispatchEvent(new Event('error'));
    element.dispatchEvent(new Event('load'));
  }
  return harm;
}

afterEach(() => localStorage.clear());

describe.skipIf(strings === null)('what others write', () => {
  it('runs and loads nothing in titles, names, tools, sources, files, errors, thinking and queue', {
    timeout: 900_000,
  }, async () => {
    await page.viewport(1100, 900);
    const watch = watchForHarm();
    const harm = new Set<string>();
    let places = 0;
    for (const texts of groups) {
      const storage = createMemoryStorage();
      for (const [index, text] of texts.entries()) await storage.save(recordWith(text, `chat${index}`));
      for (const [index, text] of texts.entries()) {
        const chat = createTestChat();
        chat.conversation.dispose();
        const view = await render(
          <ZiggieChat client={chat.client} storage={storage} conversationId={`chat${index}`} layout="page" />,
        );
        await expect.poll(() => view.container.querySelectorAll('button.zg-tool-head').length).toBe(2);
        // Everything that is folded is opened.
        for (const button of view.container.querySelectorAll<HTMLElement>(
          '[aria-expanded="false"]:not([aria-haspopup])',
        )) {
          button.click();
        }
        await expect.poll(() => view.container.querySelectorAll('.zg-data').length).toBeGreaterThan(0);
        for (const found of harmIn(view.container)) harm.add(`${text.slice(0, 60)}: ${found}`);
        places += view.container.textContent.split(text.trim().slice(0, 12)).length - 1;
        await view.unmount();
      }
    }
    watch.stop();
    expect([...harm]).toEqual([]);
    expect(watch.seen).toEqual([]);
    // What is not on the page cannot do harm in a test.
    expect(places).toBeGreaterThan(shown.length * 6);
  });
});
