import { useEffect, useReducer, useState, useSyncExternalStore } from 'react';

/** What is shown for the first time in one go. */
const MAX_CHARACTERS = 16 * 1024;
const MAX_BLOCKS = 80;

/**
 * How many of the first `most` blocks to show now. A long text that is there at once comes in pieces, a frame each, between
 * which the page can do other things. A server gives all of it.
 */
export function useSlices(blocks: readonly { readonly source: string }[], most: number): number {
  const isOfServer = useSyncExternalStore(never, no, yes);
  const [seen] = useState(() => ({ blocks: isOfServer ? Number.POSITIVE_INFINITY : 0 }));
  const [, goOn] = useReducer((slices: number) => slices + 1, 0);
  const start = Math.min(seen.blocks, most);
  let end = start;
  for (let characters = 0; end < most && characters < MAX_CHARACTERS; end += 1) {
    if (end - start === MAX_BLOCKS) break;
    characters += blocks[end]?.source.length ?? 0;
  }
  const isCut = end < most;
  useEffect(() => {
    seen.blocks = end;
    if (!isCut) return;
    // After the frame: slices that come between two frames would be laid out as one.
    let timer: ReturnType<typeof setTimeout> | undefined;
    const frame = requestAnimationFrame(() => {
      timer = setTimeout(goOn);
    });
    return () => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
    };
  }, [seen, end, isCut]);
  return end;
}

const never = () => () => {};
const no = () => false;
const yes = () => true;
