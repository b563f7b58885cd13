import { createElement, Fragment } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { parseMarkdown } from './parse-markdown.ts';
import { renderNodes } from './render-nodes.tsx';

function rendered(source: string): string {
  return renderToStaticMarkup(createElement(Fragment, null, renderNodes(parseMarkdown(source))));
}

const away = 'target="_blank" rel="noopener noreferrer nofollow"';

describe('renderNodes', () => {
  it.each([
    [
      'words with marks',
      'a **b** *c* ~~d~~ `e`',
      '<p dir="auto">a <strong>b</strong> <em>c</em> <del>d</del> <code class="zg-code-inline">e</code></p>',
    ],
    ['a single tilde as itself', '~5 to ~6', '<p dir="auto">~5 to ~6</p>'],
    ['headings below those of the page', '# a\n###### b', '<h3 dir="auto">a</h3><h6 dir="auto">b</h6>'],
    [
      'a tight list without paragraphs',
      '- a\n- b\n  - c',
      '<ul dir="auto"><li>a</li><li>b<ul dir="auto"><li>c</li></ul></li></ul>',
    ],
    [
      'a loose list with paragraphs',
      '1. a\n\n2. b',
      '<ol dir="auto"><li><p dir="auto">a</p></li><li><p dir="auto">b</p></li></ol>',
    ],
    ['a list that begins later', '7. a', '<ol dir="auto" start="7"><li>a</li></ol>'],
    ['a break of a line', 'a  \nb', '<p dir="auto">a<br/>b</p>'],
    ['a rule and a quote', '> a\n\n---', '<blockquote dir="auto"><p dir="auto">a</p></blockquote><hr/>'],
    [
      'references',
      '[a][x] and [y]\n\n[x]: https://x.example\n[y]: javascript:alert(1)',
      `<p dir="auto"><a href="https://x.example" ${away}>a</a> and <span class="zg-link-off">y</span></p>`,
    ],
    ['raw HTML as the text it is', '<b onclick=x>a</b>', '<p dir="auto">&lt;b onclick=x&gt;a&lt;/b&gt;</p>'],
    ['entities', 'AT&amp;T &copy; &#9731; \\&lt;', '<p dir="auto">AT&amp;T © ☃ &amp;lt;</p>'],
    ['indented text as text', 'a\n\n    b', '<p dir="auto">a</p><p dir="auto">b</p>'],
  ])('shows %s', (_, source, html) => {
    expect(rendered(source)).toBe(html);
  });

  it('asks no browser what an entity means, which Trusted Types would forbid', () => {
    expect(
      rendered('[R&amp;D &unknown; &copy;](https://x.example "A&amp;B") &#x1F600; &#0; &; &#; &#xg;'),
    ).toContain('R&amp;D &amp;unknown; ©</a> 😀 \ufffd &amp;; &amp;#; &amp;#xg;');
  });

  it('reads entities in addresses and languages too', () => {
    expect(rendered('[a](https://x.example/?b=1&amp;c=2)')).toContain(
      'href="https://x.example/?b=1&amp;c=2"',
    );
    expect(rendered('[a](java&#115;cript:alert&#40;1&#41;)')).not.toContain('<a ');
    expect(rendered('``` c&#43;&#43;\nx\n```')).toContain('c++');
  });

  it('gives each row of a table the cells of its head', () => {
    const row = (name: string, ...cells: string[]) =>
      `<tr>${cells.map((cell, at) => `<${name}${at === 1 ? ' data-align="right"' : ''}>${cell}</${name}>`).join('')}</tr>`;
    expect(rendered('| a | b |\n|---|--:|\n| 1 |\n| 2 | 3 | 4 |')).toContain(
      `<thead>${row('th', 'a', 'b')}</thead><tbody>${row('td', '1', '')}${row('td', '2', '3')}</tbody>`,
    );
  });

  it('shows the boxes of tasks, in tight and in loose lists', () => {
    const box = (done: boolean) =>
      `<span class="zg-task" role="img"${done ? ' data-done=""' : ''} aria-label="${done ? 'Done' : 'Not done'}"></span> `;
    expect(rendered('- [x] a\n- [ ] b')).toBe(
      `<ul dir="auto" data-tasks=""><li>${box(true)}a</li><li>${box(false)}b</li></ul>`,
    );
    expect(rendered('- [x] a\n\n- b')).toBe(
      `<ul dir="auto" data-tasks=""><li><p dir="auto">${box(true)}a</p></li><li><p dir="auto">b</p></li></ul>`,
    );
  });

  it.each([
    [
      'a mark and its note',
      'So it is[^1].\n\n[^1]: As *shown* there.',
      '<p dir="auto">So it is[1].</p><p dir="auto">[1] As <em>shown</em> there.</p>',
    ],
    ['a note of one word', '[^2]: word', '<p dir="auto">[2] word</p>'],
    [
      'a note that is an address',
      '[^n]: https://x.example',
      `<p dir="auto">[n] <a href="https://x.example" ${away}>https://x.example</a></p>`,
    ],
    [
      'no regular expression',
      'Match [^abc] or [^0-9]: all but those.',
      '<p dir="auto">Match [^abc] or [^0-9]: all but those.</p>',
    ],
  ])('shows footnotes where they stand: %s', (_, source, html) => {
    expect(rendered(source)).toBe(html);
  });

  it.each([
    ['https://x.example/a', 'https://x.example/a', 'https://x.example/a'],
    ['www.x.example', 'http://www.x.example', 'www.x.example'],
    ['me@x.example', 'mailto:me@x.example', 'me@x.example'],
    ['https://x.example/a__init__.py', 'https://x.example/a__init__.py', 'https://x.example/a__init__.py'],
  ])('makes a link of %s alone', (source, address, words) => {
    expect(rendered(source)).toBe(`<p dir="auto"><a href="${address}" ${away}>${words}</a></p>`);
  });

  it.each([
    ['[https://x.example/a]', '[', 'https://x.example/a', ']'],
    ['see [here: https://x.example/a.', 'see [here: ', 'https://x.example/a', '.'],
    ['[(https://x.example/a_(b))', '[(', 'https://x.example/a_(b))', ''],
    ['[(https://x.example/a)', '[(', 'https://x.example/a', ')'],
  ])('makes a link of the address in %s', (source, before, words, after) => {
    expect(rendered(source)).toBe(
      `<p dir="auto">${before}<a href="${words}" ${away}>${words}</a>${after}</p>`,
    );
  });

  it('makes no link in the words of a link that goes nowhere', () => {
    expect(rendered('[see [https://x.example] now](javascript:alert(1))')).not.toContain('<a ');
  });

  it('shows marks as they are written where there are hundreds in one paragraph', () => {
    const html = rendered('*a* '.repeat(200));
    expect(html.split('<em>')).toHaveLength(151);
    expect(html).toContain('*a*');
  });

  it('reads a long text of brackets and addresses in linear time', () => {
    const text = `[${'http://a '.repeat(8_000)}${'www.'.repeat(8_000)}${'[^1'.repeat(8_000)}`;
    const started = performance.now();
    rendered(text);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
