import { type ReactElement, useEffect, useReducer, useState } from 'react';
import { GrowingParse } from './growing-parse.ts';

interface ParsedBlockProps {
  source: string;
  growing: boolean;
  inFence: boolean;
}

/** A block that goes through the parser. */
export function ParsedBlock({ source, growing, inFence }: ParsedBlockProps): ReactElement {
  const [parse] = useState(() => new GrowingParse());
  const [, lookAgain] = useReducer((looks: number) => looks + 1, 0);
  const { content, behindMs } = parse.update(source, growing, inFence);
  useEffect(() => {
    if (behindMs === 0) return;
    const timer = setTimeout(lookAgain, behindMs);
    return () => clearTimeout(timer);
  });
  return <>{content}</>;
}
