import type { CodeKind, CodePlugin, CodeToken } from '../plugins/plugin-types.ts';

/** Longest code that is coloured, in characters. */
const MAX_CODE = 64 * 1024;

/** A growing code is looked at again when it grew by this part, so that all looks together cost a constant number of reads. */
const GROWTH = 0.1;

/**
 * Colours the one text node of a code block with the CSS Custom Highlight API.
 *
 * The page's elements are left alone: no element is added per word, the text node stays the same one, selections last, and
 * a Content Security Policy without inline styles is fine. Pieces that were coloured stay so while more code arrives. Where
 * a browser has no such API, code is plain.
 *
 * @see CSS Custom Highlight API Module Level 1 (W3C).
 */
export class CodePainter {
  #painted: { token: CodeToken; range: AbstractRange }[] = [];
  #node: Text | null = null;
  #seen = 0;

  /** @param growing Whether more may come; then only complete lines are coloured, and not at every piece. */
  paint(node: Text, code: string, growing: boolean, plugin: CodePlugin, language: string): void {
    if (!('highlights' in CSS) || code.length > MAX_CODE) return;
    if (node !== this.#node) this.clear();
    this.#node = node;
    const end = growing ? code.lastIndexOf('\n') + 1 : code.length;
    if (growing && end - this.#seen < Math.max(1, this.#seen * GROWTH)) return;
    this.#seen = end;
    const tokens = plugin.tokens(code.slice(0, end), language);
    let same = 0;
    while (same < this.#painted.length && isSame(this.#painted[same]?.token, tokens[same])) same += 1;
    for (const { token, range } of this.#painted.splice(same)) highlightOf(token.kind).delete(range);
    for (const token of tokens.slice(same)) {
      if (token.end > end || token.start >= token.end) continue;
      // Static: a range that follows every change of the text would make each of them cost more.
      const range = new StaticRange({
        startContainer: node,
        startOffset: token.start,
        endContainer: node,
        endOffset: token.end,
      });
      highlightOf(token.kind).add(range);
      this.#painted.push({ token, range });
    }
  }

  /** Takes all colours away, when the block leaves the page. */
  clear(): void {
    for (const { token, range } of this.#painted) highlightOf(token.kind).delete(range);
    this.#painted = [];
    this.#node = null;
    this.#seen = 0;
  }
}

function isSame(a: CodeToken | undefined, b: CodeToken | undefined): boolean {
  return a?.start === b?.start && a?.end === b?.end && a?.kind === b?.kind;
}

function highlightOf(kind: CodeKind): Highlight {
  const name = `zg-${kind}`;
  let highlight = CSS.highlights.get(name);
  if (highlight === undefined) {
    highlight = new Highlight();
    CSS.highlights.set(name, highlight);
  }
  return highlight;
}
