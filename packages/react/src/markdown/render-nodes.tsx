import type { Definition, Parents, RootContent } from 'mdast';
import { normalizeUri } from 'micromark-util-sanitize-uri';
import { createElement, type ReactElement, type ReactNode } from 'react';
import { Formula } from '../math/formula.tsx';
import { readMathSpan } from '../math/math-marks.ts';
import { FencedBlock } from './fenced-block.tsx';
import { footnoteMark, markFootnotes } from './footnotes.ts';
import { Link } from './inline-parts.tsx';
import { linkWords } from './link-words.tsx';
import { RemoteImage } from './remote-image.tsx';
import { renderList } from './render-list.tsx';
import { renderTable } from './render-table.tsx';
import { safeUrl } from './safe-url.ts';

/** Gives what a node looks like, or the children of one. Text has no key: it keeps its place on the page by its place among
 * the others. */
export interface NodeRenderer {
  node(node: RootContent, key: number): ReactNode;
  children(parent: Parents): ReactNode[];
}

/**
 * What a parsed text looks like. A kind of node that is not named here shows nothing, and no element takes an attribute
 * from the text beyond those named here.
 */
export function renderNodes(root: Parents): ReactNode {
  const addresses = new Map<string, string>();
  collectAddresses(root, addresses);
  const render: NodeRenderer = {
    node: (node, key) => renderNode(node, key, render, addresses),
    children: ({ children }) => children.map(render.node),
  };
  return render.children(root);
}

function collectAddresses(parent: Parents, found: Map<string, string>): void {
  for (const child of parent.children) {
    if (child.type === 'definition') {
      if (!found.has(child.identifier)) found.set(child.identifier, child.url);
    } else if ('children' in child) collectAddresses(child, found);
  }
}

function renderNode(
  node: RootContent,
  key: number,
  render: NodeRenderer,
  addresses: ReadonlyMap<string, string>,
): ReactNode {
  switch (node.type) {
    case 'text':
      return linkWords(markFootnotes(node.value), key);
    case 'paragraph':
      return block('p', key, render.children(node));
    case 'heading':
      // The page around has its own headings: those of an answer stand below them.
      return block(`h${Math.min(node.depth + 2, 6)}`, key, render.children(node));
    case 'blockquote':
      return block('blockquote', key, render.children(node));
    case 'strong':
      return <strong key={key}>{render.children(node)}</strong>;
    case 'emphasis':
      return <em key={key}>{render.children(node)}</em>;
    case 'delete':
      return <del key={key}>{render.children(node)}</del>;
    case 'break':
      return <br key={key} />;
    case 'thematicBreak':
      return <hr key={key} />;
    case 'inlineCode':
      return renderCodeSpan(node.value.replace(/\n/g, ' '), key);
    case 'code': {
      // A reference such as `&#x20;` can put a space into the first word.
      const language = node.lang?.split(/\s/, 1)[0] ?? '';
      return <FencedBlock key={key} language={language} code={node.value.replace(/\n+$/, '')} />;
    }
    case 'link':
      return renderLink(node.url, key, render.children(node));
    case 'linkReference':
      return (
        footnoteMark(node) ?? renderLink(addresses.get(node.identifier) ?? '', key, render.children(node))
      );
    case 'image':
      return renderImage(node.url, key, node.alt);
    case 'imageReference':
      return renderImage(addresses.get(node.identifier) ?? '', key, node.alt);
    case 'definition':
      return renderFootnote(node, key);
    case 'list':
      return renderList(node, key, render);
    case 'table':
      return renderTable(node, key, render);
    default:
      return null;
  }
}

/** An element that reads in the direction of its own text. */
function block(name: string, key: number, children: ReactNode): ReactElement {
  return createElement(name, { key, dir: 'auto' }, children);
}

function renderLink(address: string, key: number, words: ReactNode): ReactElement {
  return (
    <Link key={key} href={safeUrl(normalizeUri(address))}>
      {words}
    </Link>
  );
}

function renderImage(address: string, key: number, words: string | null | undefined): ReactElement {
  return <RemoteImage key={key} src={normalizeUri(address)} alt={words ?? ''} />;
}

/** A footnote of a single word; the address of a link shows nothing. */
function renderFootnote(node: Definition, key: number): ReactNode {
  const mark = footnoteMark(node);
  if (mark === null) return null;
  const isAddress = safeUrl(node.url) !== undefined;
  return block('p', key, [`${mark} `, isAddress ? renderLink(node.url, 1, node.url) : node.url]);
}

function renderCodeSpan(code: string, key: number): ReactElement {
  const formula = readMathSpan(code);
  if (formula !== null) return <Formula key={key} {...formula} />;
  return (
    <code key={key} className="zg-code-inline">
      {code}
    </code>
  );
}
