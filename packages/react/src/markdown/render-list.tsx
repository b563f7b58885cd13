import type { List, ListItem } from 'mdast';
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
    <ul key={key} dir="auto" data-tasks={list.children.some(isTask) ? '' : undefined}>
      {items}
    </ul>
  );
}

/** Without blank lines in the list, the words of an item stand in it directly. */
function renderItem(item: ListItem, isLoose: boolean, render: NodeRenderer): ReactNode {
  const box = isTask(item) ? <TaskMark done={item.checked === true} /> : null;
  const content = item.children.map((child, index) => {
    if (child.type !== 'paragraph') return render.node(child, index);
    const words = render.children(child);
    if (index === 0 && box !== null) words.unshift(<Fragment key="box">{box} </Fragment>);
    else if (index > 0 && !isLoose) words.unshift('\n');
    return isLoose
      ? createElement('p', { key: index, dir: 'auto' }, words)
      : createElement(Fragment, { key: index }, words);
  });
  if (box === null || item.children[0]?.type === 'paragraph') return content;
  return (
    <>
      {box}
      {content}
    </>
  );
}

function isTask(item: ListItem): boolean {
  return typeof item.checked === 'boolean';
}
