import type { ChatMessage, ChatRequest, GenerateRequest } from '../../chat.ts';
import type { OllamaChatBody, OllamaGenerateBody, OllamaMessage } from './wire.ts';

/** The body of `POST /api/chat`, also what the kit's native `/chat` takes. The request itself is left as it was. */
export function encodeOllamaChat(request: ChatRequest, stream: boolean): OllamaChatBody {
  const body: OllamaChatBody = {
    model: request.model,
    messages: request.messages.map(encodeMessage),
    stream,
  };
  if (request.tools && request.tools.length > 0) {
    body.tools = request.tools.map(({ name, description, parameters }) => ({
      type: 'function',
      function: description === undefined ? { name, parameters } : { name, description, parameters },
    }));
  }
  return withCommon(body, request);
}

/** The body of `POST /api/generate`, also what the kit's native `/generate` takes. */
export function encodeOllamaGenerate(request: GenerateRequest, stream: boolean): OllamaGenerateBody {
  const body: OllamaGenerateBody = { model: request.model, prompt: request.prompt, stream };
  if (request.system !== undefined) body.system = request.system;
  if (request.suffix !== undefined) body.suffix = request.suffix;
  if (request.images !== undefined) body.images = [...request.images];
  if (request.raw !== undefined) body.raw = request.raw;
  return withCommon(body, request);
}

function withCommon<Body extends OllamaChatBody | OllamaGenerateBody>(
  body: Body,
  request: ChatRequest | GenerateRequest,
): Body {
  if (request.format !== undefined) body.format = request.format;
  if (request.options !== undefined) body.options = request.options;
  if (request.think !== undefined) body.think = request.think;
  if (request.keepAlive !== undefined) body.keep_alive = request.keepAlive;
  return body;
}

function encodeMessage(message: ChatMessage): OllamaMessage {
  const wire: OllamaMessage = { role: message.role, content: message.content };
  if (message.thinking !== undefined) wire.thinking = message.thinking;
  if (message.images !== undefined && message.images.length > 0) wire.images = [...message.images];
  if (message.toolCalls !== undefined && message.toolCalls.length > 0) {
    wire.tool_calls = message.toolCalls.map((call) => ({
      id: call.id,
      function: { name: call.name, arguments: call.arguments },
    }));
  }
  if (message.toolName !== undefined) wire.tool_name = message.toolName;
  if (message.toolCallId !== undefined) wire.tool_call_id = message.toolCallId;
  return wire;
}
