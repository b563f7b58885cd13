import { useMemo } from 'react';
import type { Format } from './format.ts';
import { type MoreStrings, moreStrings } from './more-strings.ts';
import type { BaseStrings } from './strings.ts';
import { useText } from './text-context.ts';

/** All words, those of the parts that are fetched later included. */
export function useMoreText(): { strings: BaseStrings & MoreStrings; format: Format } {
  const { strings, own, format } = useText();
  return useMemo(() => ({ strings: { ...moreStrings, ...own, ...strings }, format }), [strings, own, format]);
}
