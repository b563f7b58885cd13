import { useEffect, useState } from 'react';
import { useLatest } from '../hooks/use-latest.ts';
import { wholeWords } from './whole-words.ts';

/** Longest time that a piece of text which has arrived is not shown, without a `speed`. */
const MAX_BEHIND_MS = 100;

/** How much of a growing text to show now. */
export function usePacedText(text: string, streaming: boolean, speed: number | undefined): string {
  const even = useEvenPace(text, streaming, speed);
  const [flushed, setFlushed] = useState(0);
  const words = wholeWords(text);
  const isBehind = streaming && words < text.length && flushed < text.length;
  const arrived = useLatest(text.length);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a piece of a long word must not push its time further away
  useEffect(() => {
    if (!isBehind) return;
    const timer = setTimeout(() => setFlushed(arrived.current), MAX_BEHIND_MS);
    return () => clearTimeout(timer);
  }, [isBehind, words, flushed]);
  if (!streaming) return text;
  if (even !== null) return text.slice(0, Math.min(even, words));
  return text.slice(0, Math.max(words, Math.min(flushed, text.length)));
}

/** Length to show at a steady speed, `null` when none is wanted. */
function useEvenPace(text: string, streaming: boolean, speed: number | undefined): number | null {
  const [shown, setShown] = useState(0);
  const length = useLatest(text.length);
  const wanted = speed !== undefined && speed > 0 && streaming && !prefersStillness();
  useEffect(() => {
    if (!wanted || speed === undefined) return;
    let exact = 0;
    let last: number | null = null;
    let frame = requestAnimationFrame(function tick(now) {
      if (last !== null) exact = Math.min(length.current, exact + ((now - last) * speed) / 1_000);
      last = now;
      setShown(Math.floor(exact));
      frame = requestAnimationFrame(tick);
    });
    return () => cancelAnimationFrame(frame);
  }, [wanted, speed, length]);
  return wanted ? shown : null;
}

function prefersStillness(): boolean {
  return typeof matchMedia === 'function' && matchMedia('(prefers-reduced-motion: reduce)').matches;
}
