import type { ChatMessage, ChatRequest } from '../../chat.ts';
import type { OllamaChatBody, OllamaMessage } from './wire.ts';

/**
 * The body of `POST /api/chat`, also what the kit's native `/chat` takes. The request itself is left as it was. What was
 * not given is `undefined`, which JSON leaves out.
 */
export function encodeOllamaChat(request: ChatRequest, stream: boolean): OllamaChatBody {
  return {
    model: request.model,
    messages: request.messages.map(encodeMessage),
    stream,
    tools: filled(
      request.tools?.map(({ name, description, parameters }) => ({
        type: 'function' as const,
        function: { name, description, parameters },
      })),
    ),
    format: request.format,
    options: request.options,
    think: request.think,
    keep_alive: request.keepAlive,
  };
}

const encodeMessage = (message: ChatMessage): OllamaMessage => ({
  role: message.role,
  content: message.content,
  thinking: message.thinking,
  images: filled(message.images),
  tool_calls: filled(
    message.toolCalls?.map(({ id, name, arguments: given }) => ({
      id,
      function: { name, arguments: given },
    })),
  ),
  tool_name: message.toolName,
  tool_call_id: message.toolCallId,
});

/** An empty list says nothing. */
const filled = <List extends readonly unknown[]>(list: List | undefined): List | undefined =>
  list?.length ? list : undefined;
