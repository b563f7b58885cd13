import type { FinishReason, Timings, ToolCallEvent, Usage, UsageEvent } from '@ziggie/llm-protocol';
import type { ChatEvent } from '../types.ts';
import type { RunAction } from './actions.ts';

/**
 * What an event of the stream means for the answer `id`; `null` for none. Pieces of text and thinking are not for here:
 * they are collected first.
 *
 * The members of an event come from a server. One that is not what it should be is left out, so that the state can
 * always be saved and read again.
 */
export function toRunAction(
  event: Exclude<ChatEvent, { type: 'text-delta' | 'thinking-delta' | 'done' }>,
  id: string,
  at: number,
): RunAction | null {
  switch (event.type) {
    case 'start':
      return { type: 'run-accepted', id, at };
    case 'queued': {
      const { position, of, etaMs } = event;
      if (!isCount(position) || !isCount(of)) return null;
      return { type: 'run-queued', id, position, of, etaMs: isCount(etaMs) ? etaMs : null };
    }
    case 'loading': {
      const startedAt = isCount(event.elapsedMs) ? at - event.elapsedMs : at;
      const typicalMs = isCount(event.typicalMs) ? event.typicalMs : null;
      return { type: 'run-loading', id, model: String(event.model), startedAt, typicalMs };
    }
    case 'tool-call':
      return isToolCall(event)
        ? {
            type: 'tool-called',
            id,
            call: { id: event.id, name: event.name, arguments: event.arguments },
            at,
          }
        : null;
    case 'restart':
      return { type: 'answer-voided', id };
    case 'usage': {
      const usage = usageOf(event);
      return usage === null ? null : { type: 'usage-counted', id, usage };
    }
    default:
      return null;
  }
}

function usageOf(event: UsageEvent): Usage | null {
  const { inputTokens, cachedInputTokens, outputTokens, source } = event;
  if (!isCount(inputTokens) || !isCount(outputTokens)) return null;
  return {
    inputTokens,
    outputTokens,
    source: source === 'upstream' ? source : 'estimated',
    ...(isCount(cachedInputTokens) && { cachedInputTokens }),
  };
}

const timingNames = ['queueMs', 'loadMs', 'prefillMs', 'decodeMs', 'ttftMs', 'totalMs'] as const;

export function timingsOf(from: unknown): Timings {
  const timings: Timings = {};
  if (typeof from !== 'object' || from === null) return timings;
  for (const name of timingNames) {
    const value = (from as Timings)[name];
    if (isCount(value)) timings[name] = value;
  }
  return timings;
}

export function finishReasonOf(value: unknown): FinishReason {
  return value === 'length' || value === 'tool_calls' ? value : 'stop';
}

function isToolCall(event: ToolCallEvent): boolean {
  const { id, name, arguments: given } = event as { [member in keyof ToolCallEvent]: unknown };
  return (
    typeof id === 'string' &&
    typeof name === 'string' &&
    typeof given === 'object' &&
    given !== null &&
    !Array.isArray(given)
  );
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
