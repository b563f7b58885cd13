import type { ToolCallEvent, UsageEvent } from '@ziggie/llm-protocol';

/** What an answer consists of, item by item. */
export type ItemStatus = 'in_progress' | 'completed' | 'incomplete';

export function messageItem(id: string, status: ItemStatus, text: string | undefined): unknown {
  const content = text === undefined ? [] : [textPart(text)];
  return { id, type: 'message', status, role: 'assistant', content };
}

export function textPart(text: string): unknown {
  return { type: 'output_text', text, annotations: [], logprobs: [] };
}

/** Thinking as it was, in `content`: there is no shorter telling of it for `summary`. */
export function reasoningItem(id: string, status: ItemStatus, text: string | undefined): unknown {
  const content = text === undefined ? [] : [reasoningPart(text)];
  return { id, type: 'reasoning', status, summary: [], content, encrypted_content: null };
}

export function reasoningPart(text: string): unknown {
  return { type: 'reasoning_text', text };
}

export function callItem(
  id: string,
  status: ItemStatus,
  { id: callId, name }: ToolCallEvent,
  given: string,
): unknown {
  return { id, type: 'function_call', status, call_id: callId, name, arguments: given };
}

/** The counts by the names of this form. How many of the tokens were thinking nobody says. */
export function usageOf({ inputTokens, outputTokens, cachedInputTokens }: UsageEvent): unknown {
  return {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: cachedInputTokens ?? 0 },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: inputTokens + outputTokens,
  };
}
