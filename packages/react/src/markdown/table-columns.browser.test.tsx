import { describe, expect, it } from 'vitest';
import { render } from 'vitest-browser-react';
import { failOnConsoleErrors } from '../../test/console-guard.ts';
import { Markdown } from './markdown.tsx';
import '@ziggie/llm-react/styles.css';

failOnConsoleErrors();

const text = `Before.

| Way | Takes | What it is good for |
|:--|--:|:--|
| one at a time | 4 s | a single reader who waits for the whole of it |
| batched | 0.25 s | many readers with short questions, as long as none of them sends a whole book |
| a-name-that-can-not-be-broken-anywhere-at-all | 12 s | \`code\` and **words** |

After.`;

const settings = `| # | Setting | Calls | Meaning |
|---|---|--:|---|
| 1 | \`OLLAMA_NUM_PARALLEL\` | 18,674,111 | How many answers one model writes at a time, if there is memory for them. |
| 200 | \`OLLAMA_A_MUCH_LONGER_NAME_THAN_THE_FIRST\` | 20,000 | How long a model stays in memory after its last answer, and what not. |
`;

const numbers = `| Way | A | B | Calls/s |
|:--|:--|:--|--:|
| x | y | z | 41,000 |
| x | y | z | 9,000 |
`;

/** The table of a text that has come so far, in a chat 600 px wide. */
async function showUpTo(end: number) {
  const shown = (length: number) => (
    <div className="zg" style={{ inlineSize: '600px' }}>
      <Markdown text={text.slice(0, length)} streaming={length < text.length} />
    </div>
  );
  const view = await render(shown(end));
  return { view, grow: (length: number) => view.rerender(shown(length)) };
}

function columnsOf(container: HTMLElement): string {
  return [...container.querySelectorAll('th')]
    .map((cell) => {
      const { x, width } = cell.getBoundingClientRect();
      return `${x.toFixed(2)}+${width.toFixed(2)}`;
    })
    .join(' ');
}

describe('a table that grows', () => {
  it('never moves a column, from its first row to its end and beyond', async () => {
    const { view, grow } = await showUpTo(10);
    const seen = new Set<string>();
    for (let end = 11; end <= text.length; end += 1) {
      await grow(end);
      const columns = columnsOf(view.container);
      if (columns !== '') seen.add(columns);
    }
    expect([...seen]).toHaveLength(1);
    expect(view.container.querySelectorAll('tbody tr')).toHaveLength(3);
  });

  it.each([390, 600, 1280])(
    'gives a column %d px wide room for the words of its first row',
    async (width) => {
      const view = await render(
        <div className="zg" style={{ inlineSize: `${width}px` }}>
          <Markdown text={settings} />
        </div>,
      );
      const [count = 0, name = 0, calls = 0, meaning = 0] = [...view.container.querySelectorAll('th')].map(
        (cell) => cell.offsetWidth,
      );
      expect(count).toBeLessThan(meaning);
      expect(Math.max(count, calls)).toBeLessThan(name);
      if (width > 600) expect(meaning).toBeGreaterThan(2 * name);
      for (const cell of view.container.querySelectorAll<HTMLTableCellElement>(
        'tr:nth-child(-n+1) > :is(td, th)',
      )) {
        const range = document.createRange();
        range.selectNodeContents(cell);
        const lines = new Set([...range.getClientRects()].map(({ bottom }) => Math.round(bottom / 12))).size;
        if (cell.cellIndex < 3) expect(lines).toBe(1);
      }
    },
  );

  it('keeps every cell inside its column and gives numbers less room than words', async () => {
    const { view, grow } = await showUpTo(40);
    await grow(text.length - 8);
    for (const cell of view.container.querySelectorAll('td'))
      expect(cell.scrollWidth).toBeLessThanOrEqual(Math.ceil(cell.getBoundingClientRect().width));
    const [words, numbers] = [...view.container.querySelectorAll('th')].map((cell) => cell.offsetWidth);
    expect(numbers).toBeLessThan((words ?? 0) - 20);
  });

  it('breaks no number on a phone: the table scrolls', async () => {
    const phone = (end: number) => (
      <div className="zg" style={{ inlineSize: '320px' }}>
        <Markdown text={numbers.slice(0, end)} streaming />
      </div>
    );
    const view = await render(phone(45));
    await view.rerender(phone(numbers.length));
    const cells = [...view.container.querySelectorAll<HTMLElement>('td[data-align="right"]')];
    expect(cells.map(({ textContent }) => textContent)).toEqual(['41,000', '9,000']);
    for (const cell of cells) expect(cell.offsetHeight).toBeLessThan(40);
  });
});
