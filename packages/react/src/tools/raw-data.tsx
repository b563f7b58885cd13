import type { ReactElement } from 'react';
import { showBidi } from '../markdown/show-bidi.ts';
import { breakMarks } from '../text/break-marks.ts';

/** Longest text that is shown whole; what is longer can be copied. */
const MAX_CHARACTERS = 20_000;

/** Data as it is, nothing left out and nothing made prettier than JSON: what is shown is what is done. */
export function RawData({ value, label }: { value: unknown; label: string }): ReactElement {
  const text = dataText(value);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: keyboards must reach what scrolls
    // biome-ignore lint/a11y/useSemanticElements: a section would be a landmark
    <pre className="zg-data" tabIndex={0} role="group" aria-label={label} dir="ltr">
      {showBidi(breakMarks(text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}…` : text))}
    </pre>
  );
}

/** A value as text; text that is JSON is set out in lines. */
export function dataText(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value, null, 2) ?? '';
  if (!/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.stringify(JSON.parse(value), null, 2);
  } catch {
    return value;
  }
}
