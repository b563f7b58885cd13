import type { ReactElement } from 'react';

/** Text as it was written, for what cannot be shown as rich text. */
export function PlainText({ text }: { text: string }): ReactElement {
  return <p className="zg-plain">{text}</p>;
}
