import { type ReactElement, useState } from 'react';
import { MathRewriter } from '../math/math-rewriter.ts';
import { useRichText } from '../plugins/rich-text-context.tsx';
import { Block } from './block.tsx';
import { BlockSplitter } from './block-splitter.ts';
import { PlainText } from './plain-text.tsx';

/** Characters of one text that are shown as rich text; what comes after is plain. */
export const MAX_RICH_CHARACTERS = 256 * 1024;

/** Blocks of one text that are shown as rich text. Honest answers have some hundred. */
const MAX_RICH_BLOCKS = 2_000;

/** Props of {@link Markdown}. */
export interface MarkdownProps {
  text: string;
  /** Whether more may come: the last block is then repaired for showing. Default `false`. */
  streaming?: boolean | undefined;
}

/**
 * Shows a growing markdown text.
 *
 * Blocks that are over are rendered once and never touched again, so selections in them last. Only the last block is
 * parsed again when text arrives. No HTML of the text becomes HTML of the page, no image loads, and links go to `http`,
 * `https`, `mailto` and `tel` only. Beyond 256 KiB, 2,000 blocks or a nesting of 64 the text is shown as it is.
 */
export function Markdown({ text, streaming = false }: MarkdownProps): ReactElement {
  // Only a memory of the text before: the same text gives the same blocks, however often it renders.
  const [splitter] = useState(() => new BlockSplitter());
  const [formulas] = useState(() => new MathRewriter());
  const { decided, shownRest } =
    useRichText().math === null ? asItIs(text) : formulas.update(text, !streaming);
  const { closed, open, openInFence } = splitter.update(decided, shownRest);
  const shown: ReactElement[] = [];
  let length = 0;
  let rest = '';
  const end = open === null ? closed.length : closed.length + 1;
  for (let index = 0; index < end; index += 1) {
    const block = closed[index] ?? open;
    if (block === null) break;
    if (length + block.source.length > MAX_RICH_CHARACTERS || index >= MAX_RICH_BLOCKS) {
      rest = (decided + shownRest).slice(length);
      break;
    }
    length += block.source.length;
    const growing = streaming && index === closed.length;
    shown.push(<Block key={index} block={block} growing={growing} inFence={growing && openInFence} />);
  }
  return (
    <div className="zg-md">
      {shown}
      {rest === '' ? null : <PlainText text={rest} />}
    </div>
  );
}

function asItIs(text: string): { decided: string; shownRest: string } {
  return { decided: text, shownRest: '' };
}
