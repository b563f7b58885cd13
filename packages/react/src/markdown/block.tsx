import { memo, type ReactElement } from 'react';
import { breakMarks } from '../text/break-marks.ts';
import type { MarkdownBlock } from './block-splitter.ts';
import type { Ending } from './ending.ts';
import { FencedBlock } from './fenced-block.tsx';
import { isTooHeavy } from './is-too-heavy.ts';
import { ParsedBlock } from './parsed-block.tsx';
import { PlainText } from './plain-text.tsx';

interface BlockProps {
  block: MarkdownBlock;
  ending: Ending;
  /** A block that is not over and whose end is inside a code fence in a list. */
  inFence: boolean;
}

/** Longest code that is shown as such: the browser lays it out in one go. */
const MAX_CODE_CHARACTERS = 48 * 1024;

/** One block. Renders again only while it grows: a block that is over is compared by its source. */
export const Block = memo(
  function Block({ block, ending, inFence }: BlockProps): ReactElement {
    return (
      <div className="zg-block" data-growing={ending === 'growing' ? '' : undefined}>
        {content(block, ending, inFence)}
      </div>
    );
  },
  (before, after) =>
    before.block.source === after.block.source &&
    before.ending === after.ending &&
    before.inFence === after.inFence,
);

function content({ source, fence }: MarkdownBlock, ending: Ending, inFence: boolean): ReactElement {
  const isWhole = ending === 'over' || (ending === 'cut' && fence?.closed === true);
  if (fence !== null && source.length <= MAX_CODE_CHARACTERS) {
    // A closing fence that is half typed is not code.
    const code = isWhole ? fence.code : fence.code.replace(/(?:^|\n)[ \t]*(?:`{1,2}|~{1,2})$/, '');
    return <FencedBlock language={fence.language} code={breakMarks(code)} growing={!isWhole} />;
  }
  if (isTooHeavy(source)) return <PlainText text={source} />;
  return <ParsedBlock source={breakMarks(source)} ending={ending} inFence={inFence} />;
}
