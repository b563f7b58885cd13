import { type ReactElement, type ReactNode, useRef } from 'react';
import { CopyButton } from '../parts/copy-button.tsx';
import { useText } from '../text/text-context.ts';
import { tableAsCsv, tableAsMarkdown } from './table-text.ts';

/** A table in a region of its own that scrolls sideways, by keyboard too, with buttons that copy it. */
export function TableRegion({ children }: { children?: ReactNode | undefined }): ReactElement {
  const { strings } = useText();
  const table = useRef<HTMLTableElement>(null);
  const rows = () =>
    Array.from(table.current?.rows ?? [], (row) => Array.from(row.cells, (cell) => cell.textContent ?? ''));
  return (
    <div className="zg-table-frame">
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: keyboards must reach what scrolls */}
      <div className="zg-table" role="group" aria-label={strings.table} tabIndex={0}>
        <table ref={table}>{children}</table>
      </div>
      <div className="zg-table-actions">
        <CopyButton
          text={() => tableAsMarkdown(rows())}
          label={strings.copyTableMarkdown}
          caption="Markdown"
        />
        <CopyButton text={() => tableAsCsv(rows())} label={strings.copyTableCsv} caption="CSV" />
      </div>
    </div>
  );
}
