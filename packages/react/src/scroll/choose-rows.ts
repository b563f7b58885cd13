/** Rows `[start, end)` of a list. */
export interface RowRange {
  readonly start: number;
  readonly end: number;
}

/** A list this short is on the page as a whole. */
export const ALL_ROWS = 40;

/** Fewest rows on the page, so that most conversations are, and a jump of a few rows needs nothing new. */
const MIN_ROWS = 24;

/** Most rows on the page before those far from what is seen are taken off. */
const MAX_ROWS = 72;

/** How far beyond what is seen rows are on the page, in heights of the scroller; below `NEAR` of them, new ones are put there. */
const FAR = 1.5;
const NEAR = 0.5;

/**
 * Which rows to have on the page, or `null` when those that are there will do.
 *
 * @param tops Where each row begins, and where the last one ends: one more than there are rows. Pixels.
 * @param now The rows on the page.
 * @param seenTop,seenHeight What is seen of the list. Pixels.
 */
export function chooseRows(
  tops: readonly number[],
  now: RowRange,
  seenTop: number,
  seenHeight: number,
): RowRange | null {
  const count = tops.length - 1;
  const edges = { top: (tops[now.start] ?? 0) - seenTop, bottom: (tops[now.end] ?? 0) - seenTop };
  if (areRowsEnough(now, count, edges, seenHeight)) return null;
  let start = rowAt(tops, seenTop - FAR * seenHeight);
  let end = Math.min(count, rowAt(tops, seenTop + (1 + FAR) * seenHeight) + 1);
  const missing = Math.max(0, MIN_ROWS - (end - start));
  start = Math.max(0, start - Math.ceil(missing / 2));
  end = Math.min(count, Math.max(end, start + MIN_ROWS));
  start = Math.max(0, Math.min(start, end - MIN_ROWS));
  return start === now.start && end === now.end ? null : { start, end };
}

/**
 * Whether the rows on the page do: near enough to what is seen on both sides, and not too many.
 *
 * @param edges Where they begin and end, from the top of what is seen. Pixels.
 */
export function areRowsEnough(
  now: RowRange,
  count: number,
  edges: { readonly top: number; readonly bottom: number },
  seenHeight: number,
): boolean {
  const above = now.start === 0 || edges.top <= -NEAR * seenHeight;
  const below = now.end === count || edges.bottom >= (1 + NEAR) * seenHeight;
  return above && below && now.end - now.start <= MAX_ROWS;
}

/** The row at a height, the first or last one beyond the ends. */
function rowAt(tops: readonly number[], y: number): number {
  let low = 0;
  let high = tops.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((tops[middle] ?? 0) <= y) low = middle;
    else high = middle - 1;
  }
  return Math.max(0, low);
}
