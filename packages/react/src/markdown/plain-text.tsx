import type { ReactElement } from 'react';
import { breakMarks } from '../text/break-marks.ts';

/** Text as it was written, for what cannot be shown as rich text. */
export function PlainText({ text }: { text: string }): ReactElement {
  return <p className="zg-plain">{breakMarks(text)}</p>;
}
