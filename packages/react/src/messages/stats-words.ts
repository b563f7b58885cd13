import type { MessageNode } from '@ziggie/llm-client/conversation';
import type { Text } from '../text/text-context.ts';

/**
 * What an answer took: `214 tokens, 38 tok/s, first token 0.4 s`. The counts are the engine's; where it gave none they
 * are marked as "about". What was not measured is left out.
 */
export function statsWords({ text, end, usage, timings }: MessageNode, { strings, format }: Text): string {
  const parts: string[] = [];
  const tokens = usage?.outputTokens;
  const counted = tokens === undefined || tokens === 0 ? null : strings.tokens(tokens, format.count(tokens));
  if (end?.kind === 'stopped') {
    // The engine counts only answers that it could finish; words we can count ourselves.
    const words = counted === null ? countWords(text) : 0;
    const amount = counted ?? (words === 0 ? null : strings.words(words, format.count(words)));
    return amount === null ? strings.stopped : strings.stoppedAfter(amount);
  }
  if (end?.kind !== 'complete') return '';
  if (end.finishReason === 'length') parts.push(strings.reachedLength);
  if (counted !== null) {
    parts.push(usage?.source === 'estimated' ? strings.tokensEstimated(counted) : counted);
  }
  const decodeMs = timings?.decodeMs;
  if (tokens !== undefined && tokens > 1 && decodeMs !== undefined && decodeMs > 0) {
    parts.push(strings.tokensPerSecond(format.rate((tokens * 1_000) / decodeMs)));
  }
  if (timings?.ttftMs !== undefined) parts.push(strings.firstToken(format.duration(timings.ttftMs, true)));
  return parts.join(', ');
}

function countWords(text: string): number {
  return text.split(/\s+/).filter((word) => word !== '').length;
}
