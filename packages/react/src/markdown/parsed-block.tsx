import { type ReactElement, useEffect, useReducer, useState } from 'react';
import type { Ending } from './ending.ts';
import { GrowingParse } from './growing-parse.ts';

interface ParsedBlockProps {
  source: string;
  ending: Ending;
  inFence: boolean;
}

/** A block that goes through the parser. */
export function ParsedBlock({ source, ending, inFence }: ParsedBlockProps): ReactElement {
  const [parse] = useState(() => new GrowingParse());
  const [, lookAgain] = useReducer((looks: number) => looks + 1, 0);
  const { content, behindMs } = parse.update(source, ending, inFence);
  useEffect(() => {
    if (behindMs === 0) return;
    const timer = setTimeout(lookAgain, behindMs);
    return () => clearTimeout(timer);
  });
  return <>{content}</>;
}
