import type { FinishReason, Timings, ToolCall, Usage } from '@ziggie/llm-protocol';
import type { Attempt, ChatEvent, ChatResult, PartialAnswer } from '../types.ts';

/** Puts the pieces of an answer together. */
export class Collector {
  #model: string;
  #text = '';
  #thinking = '';
  readonly #toolCalls: ToolCall[] = [];
  #usage: Usage | undefined;
  #finishReason: FinishReason = 'stop';
  #timings: Timings = {};

  constructor(model: string) {
    this.#model = model;
  }

  add(event: ChatEvent): void {
    switch (event.type) {
      case 'start':
        this.#model = event.upstreamModel;
        break;
      case 'text-delta':
        this.#text += event.text;
        break;
      case 'thinking-delta':
        this.#thinking += event.text;
        break;
      case 'tool-call':
        this.#toolCalls.push({ id: event.id, name: event.name, arguments: event.arguments });
        break;
      case 'usage': {
        const { type: _, ...usage } = event;
        this.#usage = usage;
        break;
      }
      case 'done':
        this.#finishReason = event.finishReason;
        this.#timings = event.timings;
        break;
      default:
    }
  }

  partial(): PartialAnswer {
    return { text: this.#text, thinking: this.#thinking, toolCalls: [...this.#toolCalls] };
  }

  result(requestId: string | undefined, attempts: Attempt[]): ChatResult {
    return {
      ...this.partial(),
      finishReason: this.#finishReason,
      ...(this.#usage === undefined ? {} : { usage: this.#usage }),
      timings: this.#timings,
      model: this.#model,
      ...(requestId === undefined ? {} : { requestId }),
      attempts,
    };
  }
}
