import type { ChatMessage, ChatRequest, GenerateRequest, ModelOptions } from '../../chat.ts';
import type { OpenAiBody, OpenAiMessage } from './wire.ts';

/** What only Ollama understands: it says how a model is loaded, and other servers have no say in that per request. */
const loadTimeOptions: ReadonlySet<string> = new Set([
  'num_ctx',
  'num_batch',
  'num_gpu',
  'main_gpu',
  'num_thread',
  'num_keep',
  'use_mmap',
]);

/**
 * The body of `POST /v1/chat/completions`.
 *
 * `num_predict` becomes `max_tokens` (none when it is not positive); options that only say how Ollama loads a model, and
 * `keepAlive`, are left out; all others go out by their own name, so what a server adds (`top_k`, `chat_template_kwargs`,
 * `max_completion_tokens`) can be given as an option. A level of `think` becomes `reasoning_effort` (`max` is `high`
 * there), `false` is `none`, `true` leaves it to the server. Earlier thinking is not sent back: there is no common member
 * for it.
 */
export function encodeOpenAiChat(request: ChatRequest, stream: boolean): OpenAiBody {
  const body = withCommon(request, stream, { messages: request.messages.map(encodeMessage) });
  if (request.tools && request.tools.length > 0) {
    body['tools'] = request.tools.map(({ name, description, parameters }) => ({
      type: 'function',
      function: description === undefined ? { name, parameters } : { name, description, parameters },
    }));
  }
  return body;
}

/**
 * A single prompt for these servers: a chat with one user message, or `/v1/completions` for a prompt that must stay as
 * it is (`raw`) or has a gap to fill (`suffix`).
 */
export function encodeOpenAiGenerate(
  request: GenerateRequest,
  stream: boolean,
): { kind: 'chat' | 'completion'; body: OpenAiBody } {
  const { prompt, system, suffix, images, raw } = request;
  if (raw || suffix !== undefined) {
    const body = withCommon(request, stream, { prompt: system ? `${system}\n\n${prompt}` : prompt });
    if (suffix !== undefined) body['suffix'] = suffix;
    return { kind: 'completion', body };
  }
  const messages: ChatMessage[] = [{ role: 'user', content: prompt, images }];
  if (system !== undefined) messages.unshift({ role: 'system', content: system });
  return { kind: 'chat', body: withCommon(request, stream, { messages: messages.map(encodeMessage) }) };
}

function withCommon(
  { model, format, options, think }: ChatRequest | GenerateRequest,
  stream: boolean,
  content: Record<string, unknown>,
): OpenAiBody {
  const body: OpenAiBody = { ...encodeOptions(options), model, ...content, stream };
  if (stream) body['stream_options'] = { include_usage: true };
  if (format === 'json') body['response_format'] = { type: 'json_object' };
  else if (format !== undefined) {
    body['response_format'] = { type: 'json_schema', json_schema: { name: 'answer', schema: format } };
  }
  if (think === false) body['reasoning_effort'] = 'none';
  else if (typeof think === 'string') body['reasoning_effort'] = think === 'max' ? 'high' : think;
  return body;
}

function encodeOptions(options: ModelOptions = {}): Record<string, unknown> {
  const encoded: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || loadTimeOptions.has(name)) continue;
    if (name !== 'num_predict') encoded[name] = value;
    else if (typeof value === 'number' && value > 0) encoded['max_tokens'] = value;
  }
  return encoded;
}

function encodeMessage({
  role,
  content,
  images = [],
  toolCalls = [],
  toolCallId,
}: ChatMessage): OpenAiMessage {
  const wire: OpenAiMessage = { role, content };
  if (images.length > 0) {
    wire.content = images.map((image) => ({ type: 'image_url', image_url: { url: dataUrl(image) } }));
    if (content !== '') wire.content.unshift({ type: 'text', text: content });
  }
  if (toolCalls.length > 0) {
    // A call without words is `null` here: some servers print an empty string into the prompt.
    if (content === '') wire.content = null;
    wire.tool_calls = toolCalls.map((call) => ({
      id: call.id,
      type: 'function',
      function: { name: call.name, arguments: JSON.stringify(call.arguments) },
    }));
  }
  if (toolCallId !== undefined) wire.tool_call_id = toolCallId;
  return wire;
}

/** The first bytes of the formats that models take, in base64. */
const imageTypes = [
  ['iVBOR', 'png'],
  ['R0lG', 'gif'],
  ['UklG', 'webp'],
] as const;

function dataUrl(base64: string): string {
  const type = imageTypes.find(([start]) => base64.startsWith(start))?.[1] ?? 'jpeg';
  return `data:image/${type};base64,${base64}`;
}
