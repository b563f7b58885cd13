import { fenceLength, isRule, isSpace, listMarkerLength, restIsBlank, runLength } from './line-reader.ts';

/** What one line does to the blocks around it. */
export interface LineEffect {
  /** The line begins a block; nothing before it can go on. */
  startsBlock: boolean;
  /** The line ends a block; nothing after it can belong to it. */
  endsBlock: boolean;
  /** The line is not blank. */
  hasContent: boolean;
}

interface OpenFence {
  char: string;
  length: number;
  /** How many list items hold it. */
  depth: number;
}

interface ListItem {
  /** Column from which a line belongs to the item. */
  contentColumn: number;
  /** The marker stands alone so far; after a blank line nothing but another item can follow. */
  empty: boolean;
}

/** More markers on one line than anybody means; such a block is never parsed (see `is-too-heavy.ts`). */
const MAX_MARKERS = 100;

const inside: LineEffect = { startsBlock: false, endsBlock: false, hasContent: true };
const blank: LineEffect = { startsBlock: false, endsBlock: false, hasContent: false };

/**
 * Follows lists, quotes and fences line by line, as far as needed to know where a top-level block is certainly over.
 *
 * It reads only the beginning of each line. Where the answer depends on more, it says "not over": a block that is kept
 * open too long costs time, a block that is closed too early would be wrong. Raw HTML and indented code are turned off in
 * our parser, so besides lists only fences reach over a blank line.
 */
export class ContainerTracker {
  readonly #items: ListItem[] = [];
  #fence: OpenFence | null = null;
  #inParagraph = false;
  #inQuote = false;
  #unsure = false;
  #lost = false;
  #afterBlank = true;
  #examined = 0;

  /** Whether a code fence stands open that a list holds. */
  get inListFence(): boolean {
    return this.#fence !== null && this.#fence.depth > 0;
  }

  /** Characters read so far. */
  get examined(): number {
    return this.#examined;
  }

  /**
   * Whether the unfinished line that begins at `start` begins a block whatever its rest will be: after a blank line, at
   * the very left, and with no character that may become a list marker.
   */
  beginsSurely(text: string, start: number): boolean {
    return (
      !this.#lost && this.#afterBlank && this.#fence?.depth !== 0 && !/[\s\d*+-]/.test(text.charAt(start))
    );
  }

  /** Takes the line `text[start, end)`, without its line ending. */
  line(text: string, start: number, end: number): LineEffect {
    let at = start;
    let column = 0;
    for (; at < end && isSpace(text, at); at += 1) column = nextColumn(text, at, column);
    this.#examined += at - start + Math.min(MARKER_LENGTH, end - at);
    if (this.#lost) return inside;
    if (at === end) return this.#blankLine();

    const indent = column;
    let matched = 0;
    while (matched < this.#items.length && column >= (this.#items[matched]?.contentColumn ?? 0)) matched += 1;
    if (this.#fence !== null) {
      if (matched >= this.#fence.depth) return this.#inFence(this.#fence, text, at, end);
      // The list item that held the fence is over, and the fence with it.
      this.#fence = null;
      this.#inParagraph = false;
    }

    if (this.#inQuote && !this.#afterBlank && text[at] !== '>') this.#unsure = true;
    const effect = this.#content(text, at, end, column, matched);
    return this.#unsure ? this.#cautious(effect, indent) : effect;
  }

  /**
   * What a quote or a table holds is not followed, so text right under it may continue it or stand beside it, and what
   * looks like a list after that may be none. Only what stands at the very left is certain then, and nothing is once a fence
   * begins further in: the rest of the text stays one block.
   */
  #cautious(effect: LineEffect, indent: number): LineEffect {
    if (indent > 0) {
      this.#lost ||= this.#fence !== null;
      return inside;
    }
    if (effect.startsBlock || effect.endsBlock) this.#unsure = false;
    return effect;
  }

  /** The text of a line, which belongs to the first `matched` open items. */
  #content(text: string, start: number, end: number, startColumn: number, matched: number): LineEffect {
    let at = start;
    let column = startColumn;
    const unmatched = matched < this.#items.length;
    const wasInList = this.#items.length > 0;
    const afterBlank = this.#afterBlank;
    const lazy = this.#inParagraph && !afterBlank;
    const wasInQuote = this.#inQuote;
    const underParagraph = lazy && !unmatched && !wasInQuote;
    // Under a quote, whose inside is not followed, text may continue the quote or be a paragraph of its own.
    const perhapsUnder = lazy && (!unmatched || this.#unsure);
    const startsList = matched === 0 && !wasInList && afterBlank;
    this.#afterBlank = false;
    this.#inQuote = false;

    let markers = 0;
    let startsBlock = matched === 0 && afterBlank && !wasInList;
    for (;;) {
      const fresh = markers > 0 || !underParagraph;
      if (isRule(text, at, end, !fresh)) {
        this.#leaf(matched + markers);
        const topLevel = matched + markers === 0;
        return { ...inside, startsBlock: startsBlock || (topLevel && !perhapsUnder), endsBlock: topLevel };
      }
      let length = listMarkerLength(text, at, end, !fresh);
      if (length === 0 && !fresh && !isUnderline(text, at, end)) {
        // `2.` under a paragraph is text, but under a table it begins a list; tables are not followed.
        length = listMarkerLength(text, at, end, false);
        this.#unsure ||= length > 0;
      }
      if (length === 0) break;
      if (markers === 0) this.#items.length = matched;
      markers += 1;
      for (column += length, at += length; at < end && isSpace(text, at); at += 1)
        column = nextColumn(text, at, column);
      const empty = at === end;
      this.#items.push({ contentColumn: column + (empty ? 1 : 0), empty });
      if (empty || markers > MAX_MARKERS) {
        this.#inParagraph = false;
        return { ...inside, startsBlock: startsList };
      }
    }

    const depth = matched + markers;
    const holder = this.#items[depth - 1];
    if (holder !== undefined) holder.empty = false;
    // A fence, a heading or a quote at the left is outside of any list, whether or not a blank line came before.
    const interrupts = depth === 0;

    const fence = fenceLength(text, at, end);
    if (fence > 0) {
      this.#leaf(depth);
      this.#fence = { char: text[at] ?? '', length: fence, depth };
      return { ...inside, startsBlock: startsBlock || interrupts };
    }
    if (isHeading(text, at, end)) {
      this.#leaf(depth);
      return { ...inside, startsBlock: startsBlock || interrupts, endsBlock: depth === 0 };
    }
    if (text[at] === '>') {
      this.#items.length = depth;
      // What a quote holds is not followed: a blank line ends it.
      this.#inParagraph = true;
      this.#inQuote = true;
      return { ...inside, startsBlock: startsBlock || (interrupts && wasInList) };
    }
    if (underParagraph && markers === 0 && isUnderline(text, at, end)) {
      // The paragraph was a heading; what follows begins anew.
      this.#inParagraph = false;
      return inside;
    }
    if (markers === 0 && lazy) {
      this.#inQuote = wasInQuote;
    } else if (markers === 0) {
      this.#items.length = depth;
      startsBlock ||= interrupts && afterBlank;
    }
    this.#inParagraph = true;
    return { ...inside, startsBlock };
  }

  /** A block without a paragraph inside, held by so many list items. */
  #leaf(depth: number): void {
    this.#items.length = depth;
    this.#inParagraph = false;
  }

  #blankLine(): LineEffect {
    this.#afterBlank = true;
    if (this.#fence === null) {
      this.#inParagraph = false;
      const last = this.#items.at(-1);
      if (last?.empty === true) last.contentColumn = Number.POSITIVE_INFINITY;
    }
    return blank;
  }

  #inFence(fence: OpenFence, text: string, at: number, end: number): LineEffect {
    const length = runLength(text, at, end, fence.char);
    if (length < fence.length || !restIsBlank(text, at + length, end)) return inside;
    this.#fence = null;
    this.#afterBlank = false;
    return { ...inside, endsBlock: fence.depth === 0 };
  }
}

/** What is looked at of a line's text, mostly: a marker and the space after it. */
const MARKER_LENGTH = 2;

function nextColumn(text: string, at: number, column: number): number {
  return text[at] === '\t' ? column + 4 - (column % 4) : column + 1;
}

function isHeading(text: string, at: number, end: number): boolean {
  const hashes = runLength(text, at, end, '#');
  return hashes > 0 && hashes <= 6 && (at + hashes === end || isSpace(text, at + hashes));
}

function isUnderline(text: string, at: number, end: number): boolean {
  const char = text[at];
  if (char !== '=' && char !== '-') return false;
  return restIsBlank(text, at + runLength(text, at, end, char), end);
}
