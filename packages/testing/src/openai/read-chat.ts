import { HttpFailure } from '../ollama/http-failure.ts';
import { isObject } from '../ollama/request-body.ts';

/** A chat request of OpenAI's dialect, as Ollama's own `/api/chat` would take it. */
export interface TranslatedChat {
  /** A body for `/api/chat`. */
  native: Record<string, unknown>;
  stream: boolean;
  includeUsage: boolean;
}

/** How strict a server is with what it does not know. */
export interface ReadChatRules {
  /** The value of `think` for a `reasoning_effort`. @throws {HttpFailure} for one it does not know. */
  thinkOf(effort: unknown): unknown;
  /** Whether the newer name of `max_tokens` counts. */
  readsMaxCompletionTokens: boolean;
  noMessages: string;
}

/**
 * Translates a chat request.
 *
 * @throws {HttpFailure} 400 for messages that cannot be sent.
 */
export function readOpenAiChat(body: Record<string, unknown>, rules: ReadChatRules): TranslatedChat {
  const messages = Array.isArray(body['messages']) ? body['messages'] : [];
  if (messages.length === 0) throw new HttpFailure(400, rules.noMessages);
  const reasoning = isObject(body['reasoning']) ? body['reasoning']['effort'] : undefined;
  const effort = body['reasoning_effort'] ?? reasoning;
  const streamOptions = isObject(body['stream_options']) ? body['stream_options'] : {};
  const maxTokens =
    (rules.readsMaxCompletionTokens ? body['max_completion_tokens'] : undefined) ?? body['max_tokens'];
  const { stop } = body;
  return {
    stream: body['stream'] === true,
    includeUsage: streamOptions['include_usage'] === true,
    native: defined({
      model: body['model'],
      messages: readMessages(messages),
      stream: body['stream'] === true,
      tools: body['tools'],
      think: effort === undefined || effort === null ? undefined : rules.thinkOf(effort),
      format: formatOf(body['response_format']),
      logprobs: body['logprobs'] === true ? true : undefined,
      top_logprobs: body['top_logprobs'],
      options: defined({
        num_predict: maxTokens,
        stop: typeof stop === 'string' ? [stop] : stop,
        seed: body['seed'],
        temperature: body['temperature'] ?? 1,
        top_p: body['top_p'] ?? 1,
        frequency_penalty: body['frequency_penalty'],
        presence_penalty: body['presence_penalty'],
      }),
    }),
  };
}

export function defined(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined && value !== null),
  );
}

/** `json_schema` without a schema is no constraint. */
function formatOf(given: unknown): unknown {
  if (!isObject(given)) return undefined;
  if (given['type'] === 'json_object') return 'json';
  if (given['type'] !== 'json_schema') return undefined;
  return isObject(given['json_schema']) ? given['json_schema']['schema'] : undefined;
}

/** Each part of a content becomes a message of its own. */
function readMessages(messages: readonly unknown[]): unknown[] {
  const toolNames = new Map<unknown, unknown>();
  return messages.flatMap((message) => {
    if (!isObject(message))
      throw new HttpFailure(400, 'json: cannot unmarshal message into Go value of type openai.Message');
    const { role, content, tool_calls: calls, reasoning, tool_call_id: callId } = message;
    const toolCalls = Array.isArray(calls) ? calls.map((call) => readCall(call, toolNames)) : undefined;
    const more = defined({ thinking: reasoning, tool_call_id: callId, tool_name: toolNames.get(callId) });
    if (typeof content === 'string')
      return [{ role, content, ...more, ...defined({ tool_calls: toolCalls }) }];
    if (Array.isArray(content)) {
      const parts = content.map((part) => ({ role, ...readPart(part), ...more }));
      if (toolCalls) parts.push({ role, content: '', ...{ tool_calls: toolCalls } });
      return parts;
    }
    if (toolCalls) return [{ role, content: '', ...more, tool_calls: toolCalls }];
    throw new HttpFailure(
      400,
      `invalid message content type: ${content === null || content === undefined ? '<nil>' : typeof content}`,
    );
  });
}

function readCall(call: unknown, toolNames: Map<unknown, unknown>): unknown {
  const fn = isObject(call) && isObject(call['function']) ? call['function'] : {};
  if (isObject(call)) toolNames.set(call['id'], fn['name']);
  let args: unknown;
  try {
    args = JSON.parse(String(fn['arguments'] ?? '{}'));
  } catch {
    throw new HttpFailure(400, 'invalid tool call arguments');
  }
  return { id: isObject(call) ? call['id'] : undefined, function: { name: fn['name'], arguments: args } };
}

function readPart(part: unknown): { content: string; images?: string[] } {
  if (!isObject(part)) throw new HttpFailure(400, 'invalid message format');
  if (part['type'] === 'text') return { content: String(part['text'] ?? '') };
  if (part['type'] !== 'image_url') throw new HttpFailure(400, 'invalid message format');
  const given = part['image_url'];
  const url = typeof given === 'string' ? given : isObject(given) ? given['url'] : undefined;
  return { content: '', images: [base64Of(String(url ?? ''))] };
}

const imagePrefix = /^data:(?:image\/(?:jpeg|jpg|png|webp))?;base64,/;

/** @throws {HttpFailure} 400: images travel in the request, never by address. */
export function base64Of(url: string): string {
  if (/^https?:/.test(url)) {
    throw new HttpFailure(
      400,
      'image URLs are not currently supported, please use base64 encoded data instead',
    );
  }
  if (!imagePrefix.test(url)) throw new HttpFailure(400, 'invalid image input');
  return url.replace(imagePrefix, '');
}
