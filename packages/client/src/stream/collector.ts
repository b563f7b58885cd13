import type { FinishReason, Timings, ToolCall, Usage } from '@ziggie/llm-protocol';
import type { CallScope } from '../call/call-scope.ts';
import type { ChatEvent, ChatResult, PartialAnswer } from '../types.ts';

/** Puts the pieces of an answer together. */
export class Collector {
  #model: string;
  #text = '';
  #thinking = '';
  #toolCalls: ToolCall[] = [];
  /** Pieces of the answer so far: about one per token. */
  pieces = 0;
  #usage: Usage | undefined;
  #finishReason: FinishReason = 'stop';
  #timings: Timings = {};

  constructor(model: string) {
    this.#model = model;
  }

  add(event: ChatEvent): void {
    switch (event.type) {
      case 'text-delta':
        this.pieces++;
        this.#text += event.text;
        break;
      case 'start':
        this.#model = event.upstreamModel;
        break;
      case 'thinking-delta':
        this.pieces++;
        this.#thinking += event.text;
        break;
      case 'tool-call':
        this.pieces++;
        this.#toolCalls.push({ id: event.id, name: event.name, arguments: event.arguments });
        break;
      case 'restart':
        this.#text = '';
        this.#thinking = '';
        this.#toolCalls = [];
        this.pieces = 0;
        this.#usage = undefined;
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

  get began(): boolean {
    return this.pieces > 0;
  }

  partial(): PartialAnswer {
    return { text: this.#text, thinking: this.#thinking, toolCalls: [...this.#toolCalls] };
  }

  result(requestId: string | undefined, scope: CallScope): ChatResult {
    return {
      ...this.partial(),
      finishReason: this.#finishReason,
      ...(this.#usage === undefined ? {} : { usage: this.#usage }),
      timings: this.#timings,
      model: this.#model,
      ...(requestId === undefined ? {} : { requestId }),
      attempts: scope.attempts,
      stats: scope.stats(this.#timings, this.#usage),
    };
  }
}
