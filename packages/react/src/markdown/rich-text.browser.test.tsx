import { afterEach, describe, expect, it, vi } from 'vitest';
import { render } from 'vitest-browser-react';
import type { RichTextPlugins } from '../plugins/plugin-types.ts';
import { RichTextProvider } from '../plugins/rich-text-context.tsx';
import { Markdown } from './markdown.tsx';

const plugins: RichTextPlugins = {
  code: () => import('../plugin-code.ts').then((module) => module.codePlugin),
  math: () => import('../plugin-math.ts').then((module) => module.mathPlugin),
};

function cut(text: string, given: RichTextPlugins = plugins) {
  return (
    <RichTextProvider plugins={given}>
      <Markdown text={text} cutOff />
    </RichTextProvider>
  );
}

function view(text: string, streaming = false, given: RichTextPlugins = plugins) {
  return (
    <RichTextProvider plugins={given}>
      <Markdown text={text} streaming={streaming} />
    </RichTextProvider>
  );
}

/** The coloured words of a kind, in order. */
function coloured(kind: string): string[] {
  const ranges = [...(CSS.highlights.get(`zg-${kind}`) ?? [])] as StaticRange[];
  return ranges
    .sort((a, b) => a.startOffset - b.startOffset)
    .map((range) => range.startContainer.textContent?.slice(range.startOffset, range.endOffset) ?? '');
}

/** Plug-ins and languages are fetched. */
const soon = { timeout: 15_000 };

describe('code', () => {
  it('is coloured without an element per word, and without colours once it is gone', async () => {
    const page = await render(view("```ts\nconst a = 'x'; // why\n```"));
    await vi.waitFor(() => expect(coloured('keyword')).toEqual(['const']), soon);
    expect(coloured('string')).toEqual(["'x'"]);
    expect(coloured('comment')).toEqual(['// why']);
    const code = page.container.querySelector('pre code');
    expect(code?.childNodes).toHaveLength(1);
    await page.unmount();
    expect(coloured('keyword')).toEqual([]);
  });

  it('keeps its colours and its text node while it grows', async () => {
    const page = await render(view('```js\nlet a = 1;\nl', true));
    await vi.waitFor(() => expect(coloured('keyword')).toEqual(['let']), soon);
    const node = page.container.querySelector('pre code')?.firstChild;
    let text = '```js\nlet a = 1;\nl';
    for (const piece of ['e', 't b = 2;', '\n', 'let c = 3;\n', '```\n', '\nEnd']) {
      text += piece;
      await page.rerender(view(text, true));
      expect(coloured('keyword')[0]).toBe('let');
    }
    await page.rerender(view(text));
    await vi.waitFor(() => expect(coloured('keyword')).toEqual(['let', 'let', 'let']), soon);
    expect(page.container.querySelector('pre code')?.firstChild).toBe(node);
  });

  it('stays plain in a language that nobody knows', async () => {
    const page = await render(view('```__proto__\nlet a\n```\n\n```constructor\nlet b\n```'));
    await expect.element(page.getByText('let b')).toBeInTheDocument();
    expect(coloured('keyword')).toEqual([]);
  });

  it('shows what turns its direction', async () => {
    const page = await render(view('```js\nif (a /* \u202e } \u2066 */)\n```'));
    await expect.element(page.getByText('if (a /* [U+202E] } [U+2066] */)')).toBeInTheDocument();
  });

  it('is saved as a file named after its language', async () => {
    const page = await render(view('```python\nprint(1)\n```'));
    let saved: { name: string; text: Promise<string> } | undefined;
    const click = vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (
      this: HTMLAnchorElement,
    ) {
      saved = { name: this.download, text: fetch(this.href).then((response) => response.text()) };
    });
    await page.getByRole('button', { name: 'Save code as a file' }).click();
    click.mockRestore();
    expect(saved?.name).toBe('code.py');
    await expect(saved?.text).resolves.toBe('print(1)');
  });
});

describe('formulas', () => {
  it('become MathML, in a line and on lines of their own', async () => {
    const page = await render(view('So $x^2$ and\n\n$$\n\\frac{a}{b}\n$$\n\nfor $5.'));
    await vi.waitFor(() => expect(page.container.querySelectorAll('math')).toHaveLength(2), soon);
    expect(page.container.querySelector('[data-display] mfrac')).not.toBeNull();
    expect(page.container.textContent).toContain('for $5.');
  });

  it.each([
    '\\href{javascript:alert(1)}{x}',
    '\\url{https://evil.example}',
    '\\includegraphics{https://evil.example/x.png}',
    '\\class{zg-send}{x}',
    '\\id{root}{x}',
    '\\style{position:fixed;inset:0}{x}',
    '\\data{x=y}{x}',
    '\\htmlData{x=y}{x}',
    '\\color{url(https://evil.example)}{x}',
    '\\text{<img src=x onerror=alert(1)>}',
  ])('of %j carry nothing of the page', async (tex) => {
    const page = await render(view(`$${tex}$`));
    await vi.waitFor(() => expect(page.container.querySelector('.zg-math')).not.toBeNull(), soon);
    await new Promise((resolve) => requestAnimationFrame(resolve));
    for (const element of page.container.querySelectorAll('.zg-math *')) {
      for (const { name, value } of element.attributes) {
        expect(['href', 'src', 'id', 'class'].includes(name) && !value.startsWith('zg-')).toBe(false);
        expect(value).not.toMatch(/evil|javascript|position/);
      }
    }
    expect(page.container.querySelectorAll('img, a, script')).toHaveLength(0);
  });

  it('that are none show their source', async () => {
    const page = await render(view('$\\frac{a$'));
    await expect.element(page.getByText('\\frac{a')).toBeInTheDocument();
  });

  it('never show their half while they are written', async () => {
    const text = 'The area is $\\pi r^2$, and\n\n$$\nx = 1\n$$\n\nis it.';
    const page = await render(view('', true));
    for (let end = 1; end <= text.length; end += 1) {
      await page.rerender(view(text.slice(0, end), true));
      expect(page.container.textContent).not.toMatch(/\$|\\pi r\^2\$/);
    }
  });

  it('of a text that was cut off show whole or not at all, and go on when it does', async () => {
    const page = await render(cut('So $x^2$'));
    await vi.waitFor(() => expect(page.container.querySelectorAll('math')).toHaveLength(1), soon);
    await page.rerender(cut('So $x^2$ and $\\pi r'));
    expect(page.container.textContent).not.toMatch(/\$|pi/);
    await page.rerender(view('So $x^2$ and $\\pi r^2$.'));
    await vi.waitFor(() => expect(page.container.querySelectorAll('math')).toHaveLength(2), soon);
  });

  it('are text without the plug-in', async () => {
    const page = await render(view('So $x^2$.', false, {}));
    await expect.element(page.getByText('So $x^2$.')).toBeInTheDocument();
  });
});

describe('diagrams', () => {
  const drawing =
    '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><script>parent.hacked=1</script></svg>';
  const diagram = (render: (source: string) => Promise<string>): RichTextPlugins => ({
    diagram: () => Promise.resolve({ languages: ['mermaid'], render }),
  });

  it('are drawn as images once their fence is closed, with their source at hand', async () => {
    const draw = vi.fn(() => Promise.resolve(drawing));
    const given = diagram(draw);
    const page = await render(view('```mermaid\ngraph TD\n', true, given));
    expect(draw).not.toHaveBeenCalled();
    await page.rerender(view('```mermaid\ngraph TD\n```\n\nDone', false, given));
    await expect.element(page.getByRole('img', { name: /Diagram: graph TD/ })).toBeInTheDocument();
    expect(page.container.querySelector('img')?.src).toMatch(/^blob:/);
    expect((globalThis as { hacked?: unknown }).hacked).toBeUndefined();
    await page.getByRole('button', { name: 'Show source' }).click();
    await expect.element(page.getByText('graph TD')).toBeInTheDocument();
  });

  it('whose half was cut off stay code, and whole ones are drawn', async () => {
    const draw = vi.fn(() => Promise.resolve(drawing));
    const page = await render(cut('```mermaid\ngraph TD\n``', diagram(draw)));
    await expect.element(page.getByText('graph TD')).toBeInTheDocument();
    expect(page.container.querySelector('code')?.textContent).not.toContain('`');
    expect(draw).not.toHaveBeenCalled();
    await page.rerender(cut('```mermaid\ngraph TD\n```', diagram(draw)));
    await expect.element(page.getByRole('img', { name: /Diagram: graph TD/ })).toBeInTheDocument();
  });

  it('that cannot be drawn stay code', async () => {
    const page = await render(
      view(
        '```mermaid\nnope\n```',
        false,
        diagram(() => Promise.reject(new Error('no'))),
      ),
    );
    await expect.element(page.getByText('nope')).toBeInTheDocument();
    expect(page.container.querySelector('img')).toBeNull();
  });

  it('of Mermaid are drawn by Mermaid', { timeout: 60_000 }, async () => {
    const { mermaidPlugin } = await import('../plugin-mermaid.ts');
    const svg = await mermaidPlugin.render('graph TD\n  A[Start] --> B[End]', 'light');
    expect(svg).toMatch(/^<svg[\s\S]*Start[\s\S]*<\/svg>$/);
    await expect(mermaidPlugin.render('graph ???', 'dark')).rejects.toThrow();
  });
});

describe('tables', () => {
  it('are copied as Markdown and as CSV', async () => {
    const written: string[] = [];
    vi.spyOn(navigator.clipboard, 'writeText').mockImplementation((text) => {
      written.push(text);
      return Promise.resolve();
    });
    const page = await render(view('| a | b |\n|---|---|\n| 1 | =2 |'));
    await page.getByRole('button', { name: 'Copy as Markdown' }).click();
    await page.getByRole('button', { name: 'Copy as CSV' }).click();
    expect(written).toEqual(['| a | b |\n| --- | --- |\n| 1 | =2 |', "a,b\r\n1,'=2"]);
    vi.restoreAllMocks();
  });
});

describe('links', () => {
  it('within the words of a link are words', async () => {
    const page = await render(view('[see https://inner.example now](https://outer.example)'));
    const links = [...page.container.querySelectorAll('a')].map((link) => link.href);
    expect(links).toHaveLength(1);
    expect(page.container.textContent).toContain('https://inner.example');
  });
});

describe('images', () => {
  afterEach(() => vi.restoreAllMocks());

  it('load when the reader asks, and then those of the same host too', async () => {
    const page = await render(view('![one](https://pictures.example/1.png)'));
    expect(page.container.querySelector('img')).toBeNull();
    await page.getByRole('button', { name: 'one: load image from pictures.example' }).click();
    await vi.waitFor(
      () => expect(page.container.textContent).toBe('The image from pictures.example could not be loaded'),
      soon,
    );
  });

  it('load by themselves from a host that the page allows, and from no other', async () => {
    const page = await render(
      <RichTextProvider imageHosts={['ok.example']}>
        <Markdown text={'![a](https://ok.example/a.png) ![b](https://ok.example.evil.example/b.png)'} />
      </RichTextProvider>,
    );
    const images = [...page.container.querySelectorAll('img')].map((image) => image.src);
    expect(images.filter((src) => !src.startsWith('https://ok.example/'))).toEqual([]);
    await expect
      .element(page.getByRole('button', { name: 'b: load image from ok.example.evil.example' }))
      .toBeInTheDocument();
  });
});
