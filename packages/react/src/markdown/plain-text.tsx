import { type ReactElement, useMemo } from 'react';
import { breakMarks } from '../text/break-marks.ts';
import { useSlices } from './use-slices.ts';

/** About how much of a long text is one paragraph: the browser lays out each of them in one go. */
const MAX_CHARACTERS = 8 * 1024;

/** Text as it was written, for what cannot be shown as rich text. A long one comes in pieces, a frame each. */
export function PlainText({ text }: { text: string }): ReactElement {
  const pieces = useMemo(() => cutIntoPieces(text), [text]);
  const end = useSlices(pieces, pieces.length);
  return (
    <>
      {pieces.slice(0, end).map(({ source, start }) => (
        <p key={start} className="zg-plain">
          {breakMarks(source)}
        </p>
      ))}
    </>
  );
}

/** Cuts after a line, or where it must be within one that is longer than a piece. */
function cutIntoPieces(text: string): { source: string; start: number }[] {
  const pieces: { source: string; start: number }[] = [];
  for (let start = 0; start < text.length; ) {
    let end = Math.min(start + MAX_CHARACTERS, text.length);
    if (end < text.length) {
      const lineEnd = text.lastIndexOf('\n', end - 1) + 1;
      if (lineEnd > start) end = lineEnd;
      // Never between the halves of one character.
      else if (/[\uD800-\uDBFF]/.test(text[end - 1] ?? '')) end -= 1;
    }
    pieces.push({ source: text.slice(start, end), start });
    start = end;
  }
  return pieces;
}
