import type { ChatMessage, ToolCall } from '@ziggie/llm-protocol';
import { encodeOpenAiChat, encodeOpenAiGenerate } from '@ziggie/llm-protocol/openai';
import type { ChatBody, GenerateBody } from '../request/chat-shape.ts';
import { optionsFor } from '../request/options-policy.ts';
import { upstreamBody } from '../request/upstream-body.ts';
import { OllamaRecords } from './ollama-records.ts';
import { OpenAiRecords } from './openai-records.ts';
import type { RecordDecoder } from './record-decoder.ts';
import type { UpstreamDialect } from './upstream-settings.ts';

/** What is sent to an upstream for one generation. */
export interface UpstreamCall {
  path: string;
  /** JSON text. */
  body: string;
}

/** The request to an upstream in its dialect, from the checked body: always our own serialisation, always streamed. */
export function callFor(
  dialect: UpstreamDialect,
  body: ChatBody | GenerateBody,
  model: string,
  maxTokens: number | undefined,
): UpstreamCall {
  if (dialect === 'ollama') {
    return {
      path: 'messages' in body ? '/api/chat' : '/api/generate',
      body: upstreamBody(body, model, maxTokens),
    };
  }
  const shared = { model, format: body.format, think: body.think, options: optionsFor(body, maxTokens) };
  if ('messages' in body) {
    const tools = body.tools?.map(({ function: { name, description, parameters } }) => ({
      name,
      description,
      parameters: parameters ?? { type: 'object', properties: {} },
    }));
    const request = encodeOpenAiChat({ ...shared, messages: messagesOf(body), tools }, true);
    return { path: '/chat/completions', body: JSON.stringify(request) };
  }
  const { prompt, system, suffix, images, raw } = body;
  const request = encodeOpenAiGenerate({ ...shared, prompt, system, suffix, images, raw }, true);
  return {
    path: request.kind === 'chat' ? '/chat/completions' : '/completions',
    body: JSON.stringify(request.body),
  };
}

/** A reader for one answer. */
export function decoderFor(dialect: UpstreamDialect): RecordDecoder {
  return dialect === 'ollama' ? new OllamaRecords() : new OpenAiRecords();
}

/**
 * The messages with an id on every tool call and every tool's answer: OpenAI's dialect needs them, Ollama's callers may
 * leave them out. Answers go to the oldest open call of their tool.
 */
function messagesOf({ messages }: ChatBody): ChatMessage[] {
  let made = 0;
  let open: ToolCall[] = [];
  return messages.map(({ role, content, images, tool_calls, tool_name, tool_call_id }) => {
    const message: ChatMessage = { role, content, images };
    if (tool_calls) {
      open = tool_calls.map(({ id, function: { name, arguments: given } }) => ({
        id: id ?? `call_${++made}`,
        name,
        arguments: given,
      }));
      message.toolCalls = open;
      open = [...open];
    }
    if (role !== 'tool') return message;
    const at = open.findIndex(({ id, name }) => (tool_call_id ? id === tool_call_id : name === tool_name));
    const [call] = open.splice(Math.max(0, at), 1);
    message.toolCallId = tool_call_id ?? call?.id ?? `call_${made}`;
    return message;
  });
}
