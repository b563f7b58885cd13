import type { Options } from 'react-markdown';
import remarkGfm from 'remark-gfm';

interface MicromarkHost {
  data(): { micromarkExtensions?: unknown[] };
}

/**
 * Turns off what only makes trouble in answers: raw HTML (it is shown as the text it is), indented code (models indent
 * without meaning code), and with both the only constructs besides fences that reach over a blank line.
 */
function plainConstructs(this: unknown): void {
  const data = (this as MicromarkHost).data();
  data.micromarkExtensions ??= [];
  data.micromarkExtensions.push({ disable: { null: ['htmlFlow', 'htmlText', 'codeIndented'] } });
}

interface Node {
  type: string;
  children?: Node[];
  identifier?: string;
  value?: string;
}

/** Shows footnotes where they stand: their two halves may be in different blocks, and ids would clash between messages. */
function footnotesInPlace() {
  return (tree: Node): void => visit(tree);
}

function visit(node: Node): void {
  if (node.children === undefined) return;
  for (const child of node.children) visit(child);
  node.children = node.children.flatMap((child) => {
    if (child.type === 'footnoteReference') return [{ type: 'text', value: `[${child.identifier ?? ''}]` }];
    if (child.type !== 'footnoteDefinition') return [child];
    const label = { type: 'text', value: `[${child.identifier ?? ''}] ` };
    const [first, ...rest] = child.children ?? [];
    return first?.type === 'paragraph'
      ? [{ ...first, children: [label, ...(first.children ?? [])] }, ...rest]
      : [{ type: 'paragraph', children: [label] }, ...(child.children ?? [])];
  });
}

export const remarkPlugins: NonNullable<Options['remarkPlugins']> = [
  [remarkGfm, { singleTilde: false }],
  plainConstructs,
  footnotesInPlace,
];
