import type { ReactNode } from 'react';
import { doEarly } from '../parts/early-work.ts';
import type { Ending } from './ending.ts';
import { parseMarkdown } from './parse-markdown.ts';
import { renderNodes } from './render-nodes.tsx';
import { repairTail } from './repair-tail.ts';

/** A block that is shorter is parsed whenever it grew. */
const MIN_CHARACTERS = 2 * 1024;

/** The parsing of one block takes at most one part in so many of the time. */
const SHARE = 4;

/**
 * What a block looks like while it grows. All of it is parsed again for each look, so a block that takes long is not looked
 * at on every frame: a long list or table may be behind by a few times what its parsing takes.
 */
export class GrowingParse {
  #source: string | null = null;
  #ending: Ending | null = null;
  #content: ReactNode = null;
  #costMs = 0;
  #parsedAt = 0;

  /**
   * @param inFence Whether the end of the source is inside a code fence that stands in a list.
   * @returns `behindMs`: after how long to look again, 0 when all of the source is shown.
   */
  update(source: string, ending: Ending, inFence: boolean): { content: ReactNode; behindMs: number } {
    if (source === this.#source && this.#ending === ending) return { content: this.#content, behindMs: 0 };
    const now = performance.now();
    const behindMs = this.#parsedAt + this.#costMs * SHARE - now;
    const mayWait = ending === 'growing' && source.length > MIN_CHARACTERS && this.#isGrownFrom(source);
    if (mayWait && behindMs > 0) return { content: this.#content, behindMs };
    this.#source = source;
    this.#ending = ending;
    this.#content = renderNodes(parseMarkdown(repaired(source, ending, inFence)));
    this.#parsedAt = performance.now();
    this.#costMs = this.#parsedAt - now;
    return { content: this.#content, behindMs: 0 };
  }

  #isGrownFrom(source: string): boolean {
    return this.#source !== null && source.startsWith(this.#source);
  }
}

function repaired(source: string, ending: Ending, inFence: boolean): string {
  if (ending === 'over') return source;
  return inFence ? source.replace(/\n[ \t]*(?:`+|~+)$/, '\n') : repairTail(source, ending === 'cut');
}

// The first run of the parser compiles it, which would hold up the first frame of the first answer.
doEarly(() =>
  new GrowingParse().update('- a **b** `c` [d](e)\n\n# f\n\n| g |\n|---|\n| h |', 'growing', false),
);
