import { memo, type ReactElement } from 'react';
import { breakMarks } from '../text/break-marks.ts';
import type { MarkdownBlock } from './block-splitter.ts';
import { FencedBlock } from './fenced-block.tsx';
import { isTooHeavy } from './is-too-heavy.ts';
import { ParsedBlock } from './parsed-block.tsx';
import { PlainText } from './plain-text.tsx';

interface BlockProps {
  block: MarkdownBlock;
  growing: boolean;
  /** A growing block whose end is inside a code fence in a list. */
  inFence: boolean;
}

/** Longest code that is shown as such: the browser lays it out in one go. */
const MAX_CODE_CHARACTERS = 48 * 1024;

/** One block. Renders again only while it grows: a block that is over is compared by its source. */
export const Block = memo(
  function Block({ block, growing, inFence }: BlockProps): ReactElement {
    return (
      <div className="zg-block" data-growing={growing ? '' : undefined}>
        {content(block, growing, inFence)}
      </div>
    );
  },
  (before, after) =>
    before.block.source === after.block.source &&
    before.growing === after.growing &&
    before.inFence === after.inFence,
);

function content({ source, fence }: MarkdownBlock, growing: boolean, inFence: boolean): ReactElement {
  if (fence !== null && source.length <= MAX_CODE_CHARACTERS) {
    // A closing fence that is half typed is not code.
    const code = growing ? fence.code.replace(/(?:^|\n)[ \t]*(?:`{1,2}|~{1,2})$/, '') : fence.code;
    return <FencedBlock language={fence.language} code={breakMarks(code)} growing={growing} />;
  }
  if (isTooHeavy(source)) return <PlainText text={source} />;
  return <ParsedBlock source={breakMarks(source)} growing={growing} inFence={inFence} />;
}
