import type { Timings, Usage } from '@ziggie/llm-protocol';

/** Counts of two requests of one answer together. */
export function addUsage(one: Usage | undefined, other: Usage): Usage {
  if (one === undefined) return other;
  const cached = (one.cachedInputTokens ?? 0) + (other.cachedInputTokens ?? 0);
  return {
    inputTokens: one.inputTokens + other.inputTokens,
    outputTokens: one.outputTokens + other.outputTokens,
    source: one.source === 'upstream' ? other.source : 'estimated',
    ...(cached > 0 && { cachedInputTokens: cached }),
  };
}

/** Times of two requests of one answer together; the first token is the first one's. */
export function addTimings(one: Timings | undefined, other: Timings): Timings {
  if (one === undefined) return other;
  const sum: Timings = { ...one };
  for (const name of ['queueMs', 'loadMs', 'prefillMs', 'decodeMs', 'totalMs'] as const) {
    const more = other[name];
    if (more !== undefined) sum[name] = (one[name] ?? 0) + more;
  }
  if (one.ttftMs === undefined && other.ttftMs !== undefined) sum.ttftMs = other.ttftMs;
  return sum;
}
