import type { OllamaChatBody } from '@ziggie/llm-protocol/ollama';
import type { Settings } from '../settings.ts';
import type { PartialAnswer } from '../types.ts';
import type { AnswerRequest } from './answer-attempt.ts';

/**
 * The request that makes the model go on after what it has written: the first one with its words as the beginning of the
 * assistant's message. `undefined` where the model would begin anew or say something else.
 *
 * Ollama renders a last message of the assistant as the beginning of the answer. What stands behind a gateway or an
 * OpenAI-compatible server may close that message and answer it, so it is done with Ollama alone.
 */
export function continued(
  { target }: Settings,
  first: AnswerRequest,
  { text, thinking, toolCalls }: PartialAnswer,
): AnswerRequest | undefined {
  if (target.name !== 'ollama' || first.operation !== 'chat') return undefined;
  if (text === '' || thinking !== '' || toolCalls.length > 0) return undefined;
  const body = JSON.parse(first.body) as OllamaChatBody;
  const { messages, tools, format, think } = body;
  // After an assistant's message of the caller's own the answer is the rest of that one already.
  if (tools !== undefined || format !== undefined || (think !== undefined && think !== false))
    return undefined;
  if (messages.at(-1)?.role === 'assistant') return undefined;
  return {
    ...first,
    body: JSON.stringify({ ...body, messages: [...messages, { role: 'assistant', content: text }] }),
  };
}
