import { ALL_ROWS, areRowsEnough, chooseRows, type RowRange } from './choose-rows.ts';

/** About how much of a long list is on the page when it opens, at its end: a high screen and half of one above it. */
const FIRST_PX = 2_000;

/** About the space between two rows, where it was never measured. */
const GAP_PX = 24;

/** The rows that are on the page. `end` is `null` while they go to the end of the list, whatever comes. */
export interface RowWindowState {
  readonly start: number;
  readonly end: number | null;
}

/**
 * Keeps only the rows of a long list on the page that are seen or near.
 *
 * In place of the others stand two empty boxes of their height: measured for rows that were on the page, estimated for the
 * rest. When rows come or go, what is seen stays where it is to the pixel. A row that holds the focus or a part of the
 * selection stays.
 */
export class RowWindow {
  readonly #estimate: (id: string) => number;
  readonly #listeners = new Set<() => void>();
  readonly #heights = new Map<string, number>();
  #ids: readonly string[] = [];
  #state: RowWindowState = { start: 0, end: null };
  #scroller: HTMLElement | null = null;
  #anchor: { id: string; top: number } | null = null;

  /** @param estimate Height in pixels of a row that was never on the page. */
  constructor(estimate: (id: string) => number) {
    this.#estimate = estimate;
  }

  readonly get = (): RowWindowState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  /** The rows of a list to put on the page now. */
  rangeOf(ids: readonly string[]): RowRange {
    if (ids.length <= ALL_ROWS) return { start: 0, end: ids.length };
    const end = Math.min(this.#state.end ?? ids.length, ids.length);
    const start = this.#ids.length === 0 ? this.#firstStart(ids, end) : this.#state.start;
    return { start: Math.max(0, Math.min(start, end - 1)), end };
  }

  #firstStart(ids: readonly string[], end: number): number {
    let start = end;
    for (let height = 0; start > 0 && height < FIRST_PX; start -= 1)
      height += this.#estimate(ids[start - 1] ?? '');
    return start;
  }

  /** Watches a scroller; returns how to stop. */
  attach(scroller: HTMLElement): () => void {
    this.#scroller = scroller;
    const update = () => this.#update();
    scroller.addEventListener('scroll', update, { passive: true });
    const resizes = new ResizeObserver(update);
    resizes.observe(scroller);
    return () => {
      scroller.removeEventListener('scroll', update);
      resizes.disconnect();
      this.#scroller = null;
    };
  }

  /** To be called when the rows of `ids` have been put on the page, before it is painted. */
  settle(ids: readonly string[], above: HTMLElement | null, below: HTMLElement | null): void {
    const { start, end } = this.rangeOf(ids);
    this.#ids = ids;
    this.#state = { start, end: end === ids.length ? null : end };
    setHeight(above, this.#heightOf(0, start));
    if (below !== null)
      setHeight(below, this.#heightOf(end, ids.length) + this.#gapAfter(ids[end - 1] ?? ''));
    const anchor = this.#anchor;
    this.#anchor = null;
    const element = anchor === null ? undefined : this.#rows().get(anchor.id);
    if (anchor === null || element === undefined || this.#scroller === null) return;
    const moved = element.getBoundingClientRect().top - anchor.top;
    if (Math.abs(moved) > 0.01) this.#scroller.scrollTop += moved;
  }

  /** Space between a row and the one below it, which is not on the page. */
  #gapAfter(id: string): number {
    const known = this.#heights.get(id);
    const row = this.#rows().get(id);
    return known === undefined || row === undefined ? GAP_PX : known - row.getBoundingClientRect().height;
  }

  #update(): void {
    const scroller = this.#scroller;
    if (scroller === null || this.#ids.length <= ALL_ROWS) return;
    const now = this.rangeOf(this.#ids);
    const rows = this.#rows();
    const first = rows.get(this.#ids[now.start] ?? '');
    const last = rows.get(this.#ids[now.end - 1] ?? '');
    if (first === undefined || last === undefined) return;
    const frame = scroller.getBoundingClientRect().top;
    const edges = {
      top: first.getBoundingClientRect().top - frame,
      bottom: last.getBoundingClientRect().bottom - frame,
    };
    if (areRowsEnough(now, this.#ids.length, edges, scroller.clientHeight)) return;
    const tops: number[] = [];
    let top = edges.top + scroller.scrollTop - this.#heightOf(0, now.start);
    for (const [index, id] of this.#ids.entries()) {
      tops.push(top);
      top += this.#rowHeight(index, id, rows, now);
    }
    tops.push(top);
    const wanted = chooseRows(tops, now, scroller.scrollTop, scroller.clientHeight);
    if (wanted === null) return;
    const next = this.#withHeldRows(wanted, now, rows);
    if (next.start === now.start && next.end === now.end) return;
    this.#remember(now, rows, next, scroller);
    this.#state = { start: next.start, end: next.end === this.#ids.length ? null : next.end };
    for (const listener of [...this.#listeners]) listener();
  }

  #rowHeight(index: number, id: string, rows: ReadonlyMap<string, HTMLElement>, now: RowRange): number {
    if (index < now.start || index >= now.end) return this.#heights.get(id) ?? this.#estimate(id);
    const row = rows.get(id);
    const next = rows.get(this.#ids[index + 1] ?? '');
    const known = this.#heights.get(id);
    if (row === undefined) return known ?? this.#estimate(id);
    const { top, bottom } = row.getBoundingClientRect();
    if (next !== undefined) return next.getBoundingClientRect().top - top;
    // Without the row below it the space between them is not there to be measured.
    const isLast = index === this.#ids.length - 1;
    return isLast ? bottom - top : (known ?? bottom - top + GAP_PX);
  }

  /** Measures rows that are about to go, and notes where the first row stands that is seen and stays. */
  #remember(
    now: RowRange,
    rows: ReadonlyMap<string, HTMLElement>,
    next: RowRange,
    scroller: HTMLElement,
  ): void {
    const seenTop = scroller.getBoundingClientRect().top;
    this.#anchor = null;
    for (let index = now.start; index < now.end; index += 1) {
      const id = this.#ids[index] ?? '';
      this.#heights.set(id, this.#rowHeight(index, id, rows, now));
      const box = rows.get(id)?.getBoundingClientRect();
      const stays = index >= next.start && index < next.end;
      if (this.#anchor === null && stays && box !== undefined && box.bottom > seenTop)
        this.#anchor = { id, top: box.top };
    }
  }

  /** The range with the rows that hold the focus or an end of the selection, unless they are far away. */
  #withHeldRows(range: RowRange, now: RowRange, rows: ReadonlyMap<string, HTMLElement>): RowRange {
    const page = this.#scroller?.ownerDocument;
    const selection = page?.getSelection();
    const held = [page?.activeElement, selection?.anchorNode, selection?.focusNode];
    let { start, end } = range;
    for (let index = now.start; index < now.end; index += 1) {
      const row = rows.get(this.#ids[index] ?? '');
      if (
        row === undefined ||
        !held.some((node) => node !== null && node !== undefined && row.contains(node))
      )
        continue;
      if (index < start && start - index < MAX_HELD) start = index;
      if (index >= end && index - end < MAX_HELD) end = index + 1;
    }
    return { start, end };
  }

  #heightOf(from: number, to: number): number {
    let height = 0;
    for (const id of this.#ids.slice(from, to)) height += this.#heights.get(id) ?? this.#estimate(id);
    return height;
  }

  #rows(): Map<string, HTMLElement> {
    const rows = new Map<string, HTMLElement>();
    for (const row of this.#scroller?.querySelectorAll<HTMLElement>('[data-zg-row]') ?? [])
      rows.set(row.dataset['zgRow'] ?? '', row);
    return rows;
  }
}

/** Rows that are kept on the page for the sake of one that is held. */
const MAX_HELD = 60;

/** Through the object model, which a policy without inline styles allows. */
function setHeight(box: HTMLElement | null, height: number): void {
  if (box !== null) box.style.blockSize = `${height}px`;
}
