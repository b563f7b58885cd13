import type { Table, TableRow } from 'mdast';
import { createElement, type ReactElement } from 'react';
import type { NodeRenderer } from './render-nodes.tsx';
import { TableRegion } from './table-region.tsx';

/** A table. Each row has as many cells as its head. */
export function renderTable(table: Table, key: number, render: NodeRenderer): ReactElement {
  const [head, ...body] = table.children;
  const align = table.align ?? [];
  const row = (cells: TableRow, name: 'th' | 'td', rowKey: number) => (
    <tr key={rowKey}>
      {align.map((side, index) => {
        const cell = cells.children[index];
        return createElement(
          name,
          { key: index, 'data-align': side ?? undefined },
          cell === undefined ? null : render.children(cell),
        );
      })}
    </tr>
  );
  return (
    <TableRegion key={key}>
      <thead>{head === undefined ? null : row(head, 'th', 0)}</thead>
      {body.length === 0 ? null : <tbody>{body.map((cells, index) => row(cells, 'td', index))}</tbody>}
    </TableRegion>
  );
}
