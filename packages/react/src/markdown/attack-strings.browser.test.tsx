import { StrictMode } from 'react';
import { flushSync } from 'react-dom';
import { createRoot } from 'react-dom/client';
import { describe, expect, inject, it } from 'vitest';
import { readAttackStrings, streamedEnds } from '../../test/corpora/attack-strings.ts';
import { findHarm, watchForHarm } from '../../test/corpora/inert.ts';
import expectations from '../../test/corpora/xss-expectations.json' with { type: 'json' };
import type { RichTextPlugins } from '../plugins/plugin-types.ts';
import { RichTextProvider } from '../plugins/rich-text-context.tsx';
import { Markdown } from './markdown.tsx';

const strings = await readAttackStrings();
const attacks = strings?.attacks ?? [];
const sources = [...new Set(attacks.map(({ source }) => source))];
/** While `npm test` shows a few prefixes of each text, the slow tier shows up to 2,000. */
const prefixes = inject('slowTier') ? 2_000 : 3;

const { mathPlugin } = await import('../plugin-math.ts');
const { codePlugin } = await import('../plugin-code.ts');
const plugins: RichTextPlugins = {
  code: () => Promise.resolve(codePlugin),
  math: () => Promise.resolve(mathPlugin),
};

/** Texts of which nothing was seen: what is not rendered cannot do harm in a test. */
const rendersOfNothing: string[] = [];

/** Shows a text whole and while it streams, and says what was wrong with it. */
function show(text: string, given: RichTextPlugins | undefined): string[] {
  const host = document.createElement('div');
  document.body.append(host);
  const root = createRoot(host);
  const harm = new Set<string>();
  const render = (shown: string, streaming: boolean) => {
    flushSync(() =>
      root.render(
        <StrictMode>
          <RichTextProvider plugins={given}>
            <Markdown text={shown} streaming={streaming} />
          </RichTextProvider>
        </StrictMode>,
      ),
    );
    for (const found of findHarm(host)) harm.add(found);
  };
  for (const end of streamedEnds(text, prefixes)) render(text.slice(0, end), true);
  render(text, true);
  render(text, false);
  if (host.textContent === '' && /[a-z]{3}/i.test(text)) rendersOfNothing.push(text);
  root.unmount();
  host.remove();
  return [...harm];
}

describe.skipIf(strings === null)('model text', () => {
  it.for(sources)(
    'of the list %s runs and loads nothing, whole and streamed',
    { timeout: 900_000 },
    (source) => {
      const watch = watchForHarm();
      const harmed = attacks
        .filter((attack) => attack.source === source)
        .flatMap(({ id, markdown }) => show(markdown, undefined).map((found) => `${id}: ${found}`));
      watch.stop();
      expect(harmed).toEqual([]);
      expect(watch.seen).toEqual([]);
    },
  );

  it('with formulas and colours runs and loads nothing either', { timeout: 900_000 }, () => {
    const watch = watchForHarm();
    const withMath = attacks.filter(({ markdown }) => /\$|\\[([]|```/.test(markdown));
    const harmed = withMath.flatMap(({ id, markdown }) =>
      // MathML of a formula is made from a list of elements of its own, tested beside it.
      show(markdown, plugins)
        .filter((found) => !/^<?(?:math|m[a-z]+)\b/.test(found))
        .map((found) => `${id}: ${found}`),
    );
    watch.stop();
    expect(harmed).toEqual([]);
    expect(watch.seen).toEqual([]);
  });

  it('was shown', () => {
    // Definitions of links alone show nothing.
    expect(rendersOfNothing.filter((text) => !/^\s*\[[^\]]+\]:/m.test(text))).toEqual([]);
  });

  it('keeps the links that are good', () => {
    const kept = new Set([...expectations.notLinks.ids, ...expectations.notImages.ids]);
    for (const { id, markdown, must_keep } of strings?.allowed ?? []) {
      const host = document.createElement('div');
      const root = createRoot(host);
      flushSync(() => root.render(<Markdown text={markdown} />));
      const found = host.querySelector('a')?.getAttribute('href') ?? null;
      expect([id, found]).toEqual([id, kept.has(id) ? null : must_keep]);
      root.unmount();
    }
  });
});
