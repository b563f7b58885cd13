/** Widths of a column by the length of its head, in characters: a short name often stands over long cells. */
const MIN_SHARE = 6;
const MAX_SHARE = 14;

/** A column of numbers, which is set to the right, needs less than one of words. */
const NUMBERS_SHARE = 0.8;

/** The narrowest column is this wide at least, enough for a number of five digits; a table that needs more room scrolls. */
const MIN_COLUMN_EM = 6;

/**
 * Gives the columns of a table that grows their widths by its head, for good: sized by its cells, each of them would move
 * with nearly every word that arrives. Cells that are longer break.
 */
export function holdColumns(table: HTMLTableElement): void {
  const heads = Array.from(table.tHead?.rows[0]?.cells ?? []);
  const shares = heads.map((head) => {
    const share = Math.min(MAX_SHARE, Math.max(MIN_SHARE, (head.textContent ?? '').length));
    return head.dataset['align'] === 'right' ? share * NUMBERS_SHARE : share;
  });
  const all = shares.reduce((sum, share) => sum + share, 0);
  table.dataset['held'] = '';
  table.style.minInlineSize = `${(MIN_COLUMN_EM * all) / Math.min(...shares)}em`;
  for (const [index, head] of heads.entries())
    head.style.inlineSize = `${(100 * (shares[index] ?? 0)) / all}%`;
}
