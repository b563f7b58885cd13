import type { ToolCallEvent, UsageEvent } from '@ziggie/llm-protocol';
import type { Framing } from '../../answer/framing.ts';
import { aroundText } from '../../answer/json-string.ts';
import { sse } from '../json-forms.ts';
import type { AnswerForm, RunFacts, WholeAnswer } from '../surface.ts';
import { openAiFraming } from './framing.ts';

/**
 * `/v1/chat/completions`: chunks as OpenAI documents them, thinking in `reasoning` as Ollama writes it. A stream that
 * fails ends with an `error` chunk, which OpenAI's SDK throws, and without `[DONE]`.
 */
export function chatForm(streams: boolean, wantsUsage: boolean): AnswerForm {
  return { streams, framing: (facts) => chatFraming(facts, wantsUsage), whole };
}

function chatFraming(facts: RunFacts, wantsUsage: boolean): Framing {
  const created = seconds(facts);
  let id = completionId(facts.id);
  const chunk = (choices: unknown[], more: Record<string, unknown> = {}) =>
    sse({
      id,
      object: 'chat.completion.chunk',
      created,
      model: facts.model,
      system_fingerprint: fingerprint,
      choices,
      ...more,
    });
  const choice = (delta: Record<string, unknown>, finish_reason: string | null = null) =>
    chunk([{ index: 0, delta, finish_reason }]);
  const textChunk = () => aroundText((content) => choice({ content }));
  let ofText = textChunk();
  let usage: UsageEvent | undefined;
  let calls = 0;
  return openAiFraming((event) => {
    switch (event.type) {
      case 'start':
        id = completionId(event.id);
        ofText = textChunk();
        return choice({ role: 'assistant', content: '' });
      case 'text-delta':
        return ofText(event.text);
      case 'thinking-delta':
        return choice({ reasoning: event.text });
      case 'tool-call':
        return choice({ tool_calls: [toolCall(event, calls++)] });
      case 'usage':
        usage = event;
        return '';
      case 'done': {
        const counts = wantsUsage && usage ? chunk([], { usage: usageOf(usage) }) : '';
        return `${choice({}, event.finishReason)}${counts}data: [DONE]\n\n`;
      }
      default:
        return undefined;
    }
  });
}

function whole({ text, thinking, toolCalls, usage, done }: WholeAnswer, facts: RunFacts): unknown {
  return {
    id: completionId(facts.id),
    object: 'chat.completion',
    created: seconds(facts),
    model: facts.model,
    system_fingerprint: fingerprint,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: text,
          ...(thinking === '' ? {} : { reasoning: thinking }),
          ...(toolCalls.length > 0 ? { tool_calls: toolCalls.map(toolCall) } : {}),
        },
        finish_reason: done.finishReason,
      },
    ],
    ...(usage ? { usage: usageOf(usage) } : {}),
  };
}

/** Nothing here changes behind the caller's back in a way that a fingerprint could tell. */
const fingerprint = 'fp_ziggie';

function completionId(run: string): string {
  return `chatcmpl-${run}`;
}

/** Wall time in whole seconds, the unit of `created`. */
export function seconds({ now }: RunFacts): number {
  return Math.floor(now() / 1000);
}

function toolCall({ id, name, arguments: given }: ToolCallEvent, index: number): unknown {
  return { index, id, type: 'function', function: { name, arguments: JSON.stringify(given) } };
}

/** The counts by OpenAI's names. */
export function usageOf({ inputTokens, outputTokens, cachedInputTokens }: UsageEvent): unknown {
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    ...(cachedInputTokens === undefined
      ? {}
      : { prompt_tokens_details: { cached_tokens: cachedInputTokens } }),
  };
}
