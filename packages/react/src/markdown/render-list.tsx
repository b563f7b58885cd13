import type { List, ListItem, Paragraph } from 'mdast';
import { createElement, Fragment, type ReactElement, type ReactNode } from 'react';
import { TaskMark } from './inline-parts.tsx';
import type { NodeRenderer } from './render-nodes.tsx';

/** A list; with boxes instead of bullets when it is one of tasks. */
export function renderList(list: List, key: number, render: NodeRenderer): ReactElement {
  const isLoose = list.spread === true || list.children.some((item) => item.spread === true);
  const items = list.children.map((item, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: a list only grows at its end
    <li key={index}>{renderItem(item, isLoose, render)}</li>
  ));
  if (list.ordered === true) {
    const start = list.start ?? 1;
    return (
      <ol key={key} dir="auto" start={start === 1 ? undefined : start}>
        {items}
      </ol>
    );
  }
  return (
    <ul
      key={key}
      dir="auto"
      data-tasks={list.children.some((item) => taskMark(item) !== null) ? '' : undefined}
    >
      {items}
    </ul>
  );
}

/** Without blank lines in the list, the words of an item stand in it directly. */
function renderItem(item: ListItem, isLoose: boolean, render: NodeRenderer): ReactNode {
  const mark = taskMark(item);
  return item.children.map((child, index) => {
    if (child.type !== 'paragraph') return render.node(child, index);
    const words = render.children(index === 0 && mark !== null ? withoutMark(child) : child);
    if (index === 0 && mark !== null) words.unshift(<TaskMark key="box" done={mark !== '[ ]'} />, ' ');
    else if (index > 0 && !isLoose) words.unshift('\n');
    return isLoose
      ? createElement('p', { key: index, dir: 'auto' }, words)
      : createElement(Fragment, { key: index }, words);
  });
}

/** `[ ]` or `[x]` at the beginning of an item, as on GitHub, or `null`. */
function taskMark({ children: [first] }: ListItem): string | null {
  const words = first?.type === 'paragraph' ? first.children[0] : undefined;
  return words?.type === 'text' ? (/^\[[ xX]\](?=\s)/.exec(words.value)?.[0] ?? null) : null;
}

function withoutMark(paragraph: Paragraph): Paragraph {
  const [first, ...rest] = paragraph.children;
  return first?.type === 'text'
    ? { ...paragraph, children: [{ ...first, value: first.value.slice('[ ] '.length) }, ...rest] }
    : paragraph;
}
