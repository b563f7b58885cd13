import type { Conversation } from '@ziggie/llm-client/conversation';
import { type RefObject, useEffect, useLayoutEffect, useMemo, useRef } from 'react';
import { useCell } from '../hooks/use-cell.ts';
import { estimateHeight } from './estimate-height.ts';
import { RowWindow } from './row-window.ts';

/** The rows to put on the page, and the boxes that stand for the others. */
export interface ShownRows {
  readonly ids: readonly string[];
  /** Position of the first of them in the whole list. */
  readonly start: number;
  readonly isAboveCut: boolean;
  readonly isBelowCut: boolean;
  readonly above: RefObject<HTMLDivElement | null>;
  readonly below: RefObject<HTMLDivElement | null>;
}

/** Cuts a long list of messages to what is near the part that is seen. */
export function useRowWindow(
  conversation: Conversation,
  ids: readonly string[],
  scroller: { readonly current: HTMLElement | null },
): ShownRows {
  const rows = useMemo(
    () => new RowWindow((id) => estimateHeight(conversation.message(id).get())),
    [conversation],
  );
  useCell(rows);
  const above = useRef<HTMLDivElement>(null);
  const below = useRef<HTMLDivElement>(null);
  const { start, end } = rows.rangeOf(ids);
  useEffect(() => (scroller.current === null ? undefined : rows.attach(scroller.current)), [rows, scroller]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another range is another set of rows on the page
  useLayoutEffect(() => rows.settle(ids, above.current, below.current), [rows, ids, start, end]);
  return {
    ids: start === 0 && end === ids.length ? ids : ids.slice(start, end),
    start,
    isAboveCut: start > 0,
    isBelowCut: end < ids.length,
    above,
    below,
  };
}
