import { memo, type ReactElement } from 'react';
import { Block } from './block.tsx';
import type { MarkdownBlock } from './block-splitter.ts';
import type { Ending } from './ending.ts';

/** Blocks of one group: a long text has many blocks, and those of a full group are not even compared again. */
export const GROUP_SIZE = 32;

interface BlockGroupProps {
  /** Grows at its end; what stands in it stays. */
  closed: readonly MarkdownBlock[];
  /** The block after the closed ones, when it is in this group. */
  open: MarkdownBlock | null;
  /** Numbers of the first block and the one after the last. */
  start: number;
  end: number;
  ending: Ending;
  openInFence: boolean;
}

export const BlockGroup = memo(function BlockGroup(props: BlockGroupProps): ReactElement {
  const { closed, open, start, end, ending, openInFence } = props;
  const shown: ReactElement[] = [];
  for (let index = start; index < end; index += 1) {
    const block = closed[index] ?? open;
    if (block === null) break;
    const isOpen = ending !== 'over' && block === open;
    shown.push(
      <Block key={index} block={block} ending={isOpen ? ending : 'over'} inFence={isOpen && openInFence} />,
    );
  }
  return <>{shown}</>;
});
