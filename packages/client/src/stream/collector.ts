import type { FinishReason, Timings, ToolCall, Usage } from '@ziggie/llm-protocol';
import type { CallScope } from '../call/call-scope.ts';
import type { ChatEvent, ChatResult, PartialAnswer } from '../types.ts';

/** Puts the pieces of an answer together. */
export interface Collector {
  /** Pieces of the answer so far: about one per token. */
  pieces: number;
  add(event: ChatEvent): void;
  partial(): PartialAnswer;
  result(requestId: string | undefined, scope: CallScope): ChatResult;
}

export function newCollector(asked: string): Collector {
  let model = asked;
  let text = '';
  let thinking = '';
  let toolCalls: ToolCall[] = [];
  let usage: Usage | undefined;
  let finishReason: FinishReason = 'stop';
  let timings: Timings = {};
  const collector: Collector = {
    pieces: 0,
    add(event) {
      switch (event.type) {
        case 'text-delta':
          collector.pieces++;
          text += event.text;
          break;
        case 'thinking-delta':
          collector.pieces++;
          thinking += event.text;
          break;
        case 'tool-call': {
          const { type: _, ...call } = event;
          collector.pieces++;
          toolCalls.push(call);
          break;
        }
        case 'start':
          model = event.upstreamModel;
          break;
        case 'restart':
          text = thinking = '';
          toolCalls = [];
          collector.pieces = 0;
          usage = undefined;
          break;
        case 'usage': {
          const { type: _, ...counts } = event;
          usage = counts;
          break;
        }
        case 'done':
          ({ finishReason, timings } = event);
          break;
        default:
      }
    },
    partial: () => ({ text, thinking, toolCalls: [...toolCalls] }),
    result: (requestId, scope) => ({
      ...collector.partial(),
      finishReason,
      ...(usage && { usage }),
      timings,
      model,
      ...(requestId && { requestId }),
      attempts: scope.attempts,
      stats: scope.stats(timings, usage),
    }),
  };
  return collector;
}
