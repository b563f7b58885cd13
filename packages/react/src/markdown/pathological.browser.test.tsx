import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { buildPathological, readPathological } from '../../test/corpora/pathological-markdown.ts';
import { Markdown } from './markdown.tsx';
import '@ziggie/llm-react/styles.css';

const cases = await readPathological();
/** The figure to hold is 200 ms on an idle machine, which `bench/react` measures; a busy one takes a few times that. */
const MAX_TASK_MS = 2_000;
const sizes = inject('slowTier') ? [16, 64, 256] : [16, 64];
const PIECES = inject('slowTier') ? 40 : 4;

let longest = 0;
let watch: PerformanceObserver;
beforeEach(() => {
  longest = 0;
  watch = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
  });
  watch.observe({ type: 'longtask' });
});
afterEach(() => watch.disconnect());

async function frame(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve));
}

describe.skipIf(cases === null)('costly markdown', () => {
  describe.each(sizes)('of %d KiB', (kibibytes) => {
    it.for((cases ?? []).map(({ id }) => id))('shows %s, whole and as it grows', async (id) => {
      const found = cases?.find((one) => one.id === id);
      if (found === undefined) throw new Error(`There is no text named ${id}.`);
      const text = buildPathological(found, kibibytes * 1024);
      const thrown: unknown[] = [];
      const host = document.createElement('div');
      host.className = 'zg';
      document.body.append(host);
      const show = async (shown: string, streaming: boolean) => {
        root.render(
          <StrictMode>
            <Markdown text={shown} streaming={streaming} />
          </StrictMode>,
        );
        await frame();
      };
      let root = createRoot(host, { onUncaughtError: (error) => thrown.push(error) });
      await show(text, false);
      if (/\S/.test(text)) await expect.poll(() => host.textContent).toMatch(/\S/);
      root.unmount();
      root = createRoot(host, { onUncaughtError: (error) => thrown.push(error) });
      for (let piece = 1; piece < PIECES; piece += 1) {
        await show(text.slice(0, Math.floor((text.length * piece) / PIECES)), true);
      }
      await show(text, false);
      root.unmount();
      host.remove();
      await frame();
      for (const { duration } of watch.takeRecords()) longest = Math.max(longest, duration);
      expect(thrown).toEqual([]);
      expect(longest).toBeLessThan(MAX_TASK_MS);
    });
  });
});
