import { type ReactElement, useMemo, useState } from 'react';
import { useRichText } from '../plugins/rich-text-context.tsx';
import { usePlugin } from '../plugins/use-plugin.ts';
import { BlockGroup, GROUP_SIZE } from './block-group.tsx';
import { BlockSplitter, type MarkdownBlock } from './block-splitter.ts';
import { PlainText } from './plain-text.tsx';
import { useSlices } from './use-slices.ts';

/** Characters of one text that are shown as rich text; what comes after is plain. */
export const MAX_RICH_CHARACTERS = 256 * 1024;

/** Blocks of one text that are shown as rich text. Honest answers have some hundred. */
const MAX_RICH_BLOCKS = 2_000;

/** Props of {@link Markdown}. */
export interface MarkdownProps {
  text: string;
  /** Whether more may come: the last block is then repaired for showing. Default `false`. */
  streaming?: boolean | undefined;
  /**
   * Whether the text ended before its end: stopped, failed, or at the longest. Its last block is then shown repaired as
   * well, so that no half typed mark comes out. Default `false`.
   */
  cutOff?: boolean | undefined;
}

/**
 * Shows a growing markdown text.
 *
 * Blocks that are over are rendered once and never touched again, so selections in them last. Only the last block is
 * parsed again when text arrives. No HTML of the text becomes HTML of the page, no image loads, and links go to `http`,
 * `https`, `mailto` and `tel` only.
 *
 * What would freeze the page is shown as it is: a text beyond 256 KiB or 2,000 blocks, and a block that is longer than
 * 20 KiB (code: 48 KiB) or 1,000 lines, nested deeper than 64, or a table of more than 4,000 cells. A text of more than
 * 16 KiB that is there at once comes in several pieces, a frame each.
 */
export function Markdown({ text, streaming = false, cutOff = false }: MarkdownProps): ReactElement {
  // Only a memory of the text before: the same text gives the same blocks, however often it renders.
  const [splitter] = useState(() => new BlockSplitter());
  const finder = usePlugin(useRichText().mathFinder);
  const formulas = useMemo(() => finder && new finder.MathRewriter(), [finder]);
  const ending = streaming ? 'growing' : cutOff ? 'cut' : 'over';
  const { decided, shownRest } = formulas?.update(text, ending) ?? { decided: text, shownRest: '' };
  const { closed, open, openInFence } = splitter.update(decided, shownRest);
  const blocks = open === null ? closed : [...closed, open];
  const rich = countRich(blocks);
  const end = useSlices(blocks, rich);
  const groups: ReactElement[] = [];
  for (let start = 0; start < end; start += GROUP_SIZE) {
    const groupEnd = Math.min(start + GROUP_SIZE, end);
    const hasOpen = groupEnd > closed.length;
    groups.push(
      <BlockGroup
        key={start}
        closed={closed}
        open={hasOpen ? open : null}
        start={start}
        end={groupEnd}
        ending={hasOpen ? ending : 'over'}
        openInFence={hasOpen && openInFence}
      />,
    );
  }
  const rest =
    end === rich
      ? blocks
          .slice(rich)
          .map(({ source }) => source)
          .join('')
      : '';
  return (
    <div className="zg-md">
      {groups}
      {rest === '' ? null : <PlainText text={rest} />}
    </div>
  );
}

function countRich(blocks: readonly MarkdownBlock[]): number {
  let characters = 0;
  const most = Math.min(blocks.length, MAX_RICH_BLOCKS);
  for (let index = 0; index < most; index += 1) {
    characters += blocks[index]?.source.length ?? 0;
    if (characters > MAX_RICH_CHARACTERS) return index;
  }
  return most;
}
