import type { RunPhase } from './types.ts';

type Kind = RunPhase['kind'];

const beforeTokens: readonly Kind[] = ['connecting', 'reconnecting', 'queued', 'loading', 'reading'];
const running: readonly Kind[] = [...beforeTokens, 'thinking', 'tool', 'writing'];

/**
 * From which phases each phase can be entered. A server that sends its events in another order changes nothing on screen:
 * nobody waits in line again after the first token, an answer that has begun is not "thinking" again, and nothing but
 * the end leaves `stopping`.
 */
const entered: Readonly<Record<Kind, readonly Kind[]>> = {
  connecting: running,
  reconnecting: running,
  queued: beforeTokens,
  loading: beforeTokens,
  reading: beforeTokens,
  thinking: [...beforeTokens, 'thinking', 'tool'],
  tool: running,
  writing: running,
  stopping: running,
};

/** Whether a run may go from one phase to the other. */
export function canEnter(from: Kind, to: Kind): boolean {
  return entered[to].includes(from);
}

/** Fewest tokens, and shortest time in ms, from which a speed is more than noise. */
const MIN_TOKENS = 8;
const MIN_ELAPSED_MS = 500;

/**
 * Tokens per second since the first token, or `null` before 8 tokens and 500 ms: earlier figures jump too much to show.
 * The first token marks the start, so it does not count.
 */
export function writingSpeed(tokens: number, elapsedMs: number): number | null {
  if (tokens < MIN_TOKENS || elapsedMs < MIN_ELAPSED_MS) return null;
  return ((tokens - 1) * 1000) / elapsedMs;
}
