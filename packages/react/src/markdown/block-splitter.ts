import { ContainerTracker } from './container-tracker.ts';
import { type FenceBlock, readFenceBlock } from './fence-block.ts';

/** A piece of a markdown text that can be parsed on its own. All sources one after the other are the text. */
export interface MarkdownBlock {
  readonly source: string;
  /** Set when the block is exactly one code fence, so that it need not be parsed. */
  readonly fence: FenceBlock | null;
}

/** The text so far: blocks that are over, and the one that may still grow. */
export interface SplitText {
  /** Grows at its end only; a block once in it never changes. */
  readonly closed: readonly MarkdownBlock[];
  readonly open: MarkdownBlock | null;
  /** Whether the open block ends within a code fence that stands inside a list. */
  readonly openInFence: boolean;
}

/**
 * Cuts a growing text into blocks, so that only the last one has to be parsed again when text arrives.
 *
 * Every character is read once: lines are looked at when they are complete, from where the last look ended. A block is
 * closed only where parsing the pieces gives what parsing the whole would give.
 */
export class BlockSplitter {
  #text = '';
  #closed: MarkdownBlock[] = [];
  #tracker = new ContainerTracker();
  /** Where the open block begins, the next unread line begins, and the search for its end goes on. */
  #blockStart = 0;
  #lineStart = 0;
  #searchFrom = 0;
  #contentSeen = false;
  #searched = 0;

  /** Characters looked at since the beginning, for the test that this stays near the number received. */
  get scanned(): number {
    return this.#searched + this.#tracker.examined;
  }

  /**
   * Takes the text so far. When it does not begin with the text before, everything starts anew.
   *
   * @param rest Stands after the text in the open block only, and may be another one next time.
   */
  update(input: string, rest = ''): SplitText {
    const text = withLineFeeds(input);
    if (text.length < this.#text.length || !text.startsWith(this.#text)) this.#reset();
    this.#text = text;
    this.#readLines();
    const last = text.slice(this.#blockStart) + withLineFeeds(rest);
    const open = last === '' ? null : makeBlock(last);
    return { closed: this.#closed, open, openInFence: this.#tracker.inListFence };
  }

  #reset(): void {
    this.#text = '';
    this.#closed = [];
    this.#tracker = new ContainerTracker();
    this.#blockStart = 0;
    this.#lineStart = 0;
    this.#searchFrom = 0;
    this.#contentSeen = false;
  }

  #readLines(): void {
    for (;;) {
      const lineEnd = this.#text.indexOf('\n', this.#searchFrom);
      this.#searched += (lineEnd < 0 ? this.#text.length : lineEnd + 1) - this.#searchFrom;
      if (lineEnd < 0) {
        this.#searchFrom = this.#text.length;
        this.#closeBeforeUnfinishedLine();
        return;
      }
      const lineStart = this.#lineStart;
      const effect = this.#tracker.line(this.#text, lineStart, lineEnd);
      if (effect.startsBlock && this.#contentSeen) this.#close(lineStart);
      this.#contentSeen ||= effect.hasContent;
      this.#lineStart = lineEnd + 1;
      this.#searchFrom = lineEnd + 1;
      if (effect.endsBlock) this.#close(lineEnd + 1);
    }
  }

  /** Most often the first letter of a line tells that the block before is over: its parsing need not wait for the rest. */
  #closeBeforeUnfinishedLine(): void {
    const start = this.#lineStart;
    if (this.#contentSeen && start < this.#text.length && this.#tracker.beginsSurely(this.#text, start))
      this.#close(start);
  }

  #close(end: number): void {
    this.#closed.push(makeBlock(this.#text.slice(this.#blockStart, end)));
    this.#blockStart = end;
    this.#contentSeen = false;
  }
}

function makeBlock(source: string): MarkdownBlock {
  return { source, fence: readFenceBlock(source) };
}

function withLineFeeds(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
}
