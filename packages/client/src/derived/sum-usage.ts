import type { Timings, Usage } from '@ziggie/llm-protocol';

/** Counts of several answers together; guessed as soon as one of them is. */
export function sumUsage(a: Usage | undefined, b: Usage): Usage {
  if (a === undefined) return b;
  const cached = [a.cachedInputTokens, b.cachedInputTokens].filter((count) => count !== undefined);
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    ...(cached.length === 0 ? {} : { cachedInputTokens: cached.reduce((sum, count) => sum + count) }),
    source: a.source === 'upstream' && b.source === 'upstream' ? 'upstream' : 'estimated',
  };
}

/** Phases of several answers together. The first token is that of the first answer; the total is measured outside. */
export function sumTimings(a: Timings, b: Timings): Timings {
  const sum: Timings = { ...a };
  for (const phase of ['queueMs', 'loadMs', 'prefillMs', 'decodeMs'] as const) {
    const more = b[phase];
    if (more !== undefined) sum[phase] = (sum[phase] ?? 0) + more;
  }
  sum.ttftMs ??= b.ttftMs;
  return sum;
}
