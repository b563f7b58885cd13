import type { ReactElement, ReactNode } from 'react';
import { showBidi } from '../markdown/show-bidi.ts';
import { breakMarks } from '../text/break-marks.ts';
import { useMoreText } from '../text/use-more-text.ts';

/** Deeper values, and more rows than this, are named by their size. */
const MAX_DEPTH = 6;
const MAX_ROWS = 200;

/** Props of `StructuredData`. */
export interface StructuredDataProps {
  /** Anything that JSON can say, also an object that is still being written. */
  value: unknown;
  /** What it is, for those who do not see it. */
  label: string;
}

/**
 * Structured data for people: a list of records as a table, a record as names and values, what is inside of them indented.
 * Texts are texts: nothing in them is read as markup. For a place inside of an element of class `zg`.
 */
export function StructuredData({ value, label }: StructuredDataProps): ReactElement {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: keyboards must reach what scrolls
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms
    <div className="zg-structure" tabIndex={0} role="group" aria-label={label}>
      <Value value={value} depth={0} />
    </div>
  );
}

function Value({ value, depth }: { value: unknown; depth: number }): ReactElement {
  const { strings, format } = useMoreText();
  if (!isBranch(value)) return <Leaf value={value} />;
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  const size = strings.dataSize(entries.length, format.count(entries.length));
  if (entries.length === 0 || depth >= MAX_DEPTH) return <span className="zg-structure-quiet">{size}</span>;
  const shown = entries.slice(0, MAX_ROWS);
  const hidden = entries.length - shown.length;
  const more =
    hidden > 0 ? <p className="zg-structure-quiet">{strings.dataMore(format.count(hidden))}</p> : null;
  const columns = columnsOf(value);
  if (columns !== null) {
    return (
      <>
        <Table
          columns={columns}
          rows={shown.map(([, row]) => row as Record<string, unknown>)}
          depth={depth}
        />
        {more}
      </>
    );
  }
  const rows = shown.map(([name, each]) =>
    Array.isArray(value) ? (
      <li key={name}>
        <Value value={each} depth={depth + 1} />
      </li>
    ) : (
      <div key={name} data-branch={isBranch(each) ? '' : undefined}>
        <dt>{safe(String(name))}</dt>
        <dd>
          <Value value={each} depth={depth + 1} />
        </dd>
      </div>
    ),
  );
  return (
    <>
      {Array.isArray(value) ? <ol>{rows}</ol> : <dl>{rows}</dl>}
      {more}
    </>
  );
}

interface TableProps {
  columns: readonly string[];
  rows: readonly Record<string, unknown>[];
  depth: number;
}

function Table({ columns, rows, depth }: TableProps): ReactElement {
  return (
    <table>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column} scope="col">
              {safe(column)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: records have no other name, and new ones come at the end
          <tr key={index}>
            {columns.map((column) => (
              <td key={column}>
                {Object.hasOwn(row, column) ? <Value value={row[column]} depth={depth + 1} /> : null}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Leaf({ value }: { value: unknown }): ReactElement {
  const { strings } = useMoreText();
  if (typeof value === 'string') return <span dir="auto">{safe(value)}</span>;
  if (typeof value === 'boolean') return <span>{value ? strings.dataYes : strings.dataNo}</span>;
  return (
    <span className="zg-structure-quiet">{value === null || value === undefined ? '–' : String(value)}</span>
  );
}

function isBranch(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** The columns of a list of records, in the order in which they first appear; `null` when it is no such list. */
function columnsOf(value: object): string[] | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  const columns = new Set<string>();
  for (const row of value.slice(0, MAX_ROWS)) {
    if (!isBranch(row) || Array.isArray(row)) return null;
    for (const name of Object.keys(row)) columns.add(name);
  }
  return columns.size > 0 && columns.size <= 12 ? [...columns] : null;
}

function safe(text: string): ReactNode {
  return showBidi(breakMarks(text));
}
