import { HttpFailure } from './http-failure.ts';
import { isObject, wrongType } from './request-body.ts';
import { countTokens } from './tokens.ts';

/** One message of a request, as far as the stand-in reads it. */
export interface PromptMessage {
  role: string;
  content: string;
  imageCount: number;
}

/** Tokens that a chat template puts around each message. */
const TEMPLATE_TOKENS = 4;
/** Tokens of one image: 256, as Gemma 3 counts. */
const IMAGE_TOKENS = 256;

/**
 * Reads `messages`.
 *
 * @throws {HttpFailure} 400 in the words of Go's decoder.
 */
export function readMessages(given: readonly unknown[]): PromptMessage[] {
  return given.map((message) => {
    if (!isObject(message)) throw wrongType(message, 'ChatRequest.messages', 'api.Message');
    const { role, content = '', images = [], tool_calls: calls } = message;
    if (typeof role !== 'string') throw wrongType(role ?? '', 'Message.messages.role', 'string');
    if (content !== null && typeof content !== 'string') {
      throw wrongType(content, 'ChatRequest.messages.content', 'string');
    }
    checkToolCalls(calls);
    return { role: role.toLowerCase(), content: content ?? '', imageCount: countImages(images) };
  });
}

/** How many images there are; each must be plain base64. */
export function countImages(images: unknown): number {
  if (images === undefined || images === null) return 0;
  if (!Array.isArray(images)) throw wrongType(images, 'Message.images', '[]api.ImageData');
  for (const image of images) {
    const bad = typeof image === 'string' ? image.search(/[^A-Za-z0-9+/=\r\n]/) : 0;
    if (bad !== -1) throw new HttpFailure(400, `illegal base64 data at input byte ${bad}`);
  }
  return images.length;
}

/** How many tokens a conversation is for the model. */
export function promptTokens(messages: readonly PromptMessage[]): number {
  return messages.reduce(
    (sum, message) =>
      sum + countTokens(message.content) + TEMPLATE_TOKENS + message.imageCount * IMAGE_TOKENS,
    0,
  );
}

function checkToolCalls(calls: unknown): void {
  if (calls === undefined || calls === null) return;
  if (!Array.isArray(calls)) throw wrongType(calls, 'Message.tool_calls', '[]api.ToolCall');
  for (const call of calls) {
    const args = isObject(call) && isObject(call['function']) ? call['function']['arguments'] : undefined;
    if (args !== undefined && !isObject(args)) {
      throw wrongType(args, 'ToolCallFunction.arguments', 'api.ToolCallFunctionArguments');
    }
  }
}

/**
 * How many tokens of the prompt the model reads. One that does not fit is cut to half the window, and nothing says so.
 *
 * @throws {HttpFailure} 400 where it may not be cut, and always by llama-server's own chat.
 */
export function fitPrompt(prompt: {
  tokens: number;
  contextLength: number;
  native: boolean;
  mayCut: boolean;
}): number {
  const { tokens, contextLength } = prompt;
  if (tokens <= contextLength) return tokens;
  if (prompt.native) {
    const message = `request (${tokens} tokens) exceeds the available context size (${contextLength} tokens), try increasing it`;
    const error = {
      code: 400,
      message,
      type: 'exceed_context_size_error',
      n_prompt_tokens: tokens,
      n_ctx: contextLength,
    };
    throw new HttpFailure(400, JSON.stringify({ error }), { fromRunner: true });
  }
  if (!prompt.mayCut) {
    throw new HttpFailure(
      400,
      'the prompt is longer than the context length currently available to the model; shorten the prompt, adjust the context length in settings, or use a model with a longer context length',
      { fromRunner: true },
    );
  }
  return Math.floor(contextLength / 2);
}
