import type { InputSize } from '../limits/token-estimate.ts';
import type { ChatBody, GenerateBody } from './chat-shape.ts';
import { countImages } from './chat-shape.ts';

/** How much a checked body gives the model to read: text in bytes, messages, images. */
export function sizeOf(body: ChatBody | GenerateBody): InputSize {
  const images = countImages(body);
  if (!('messages' in body)) {
    const texts = [body.prompt, body.system, body.suffix];
    return { bytes: bytesOf(texts) + bytesOfJson(body.format), messages: 1, images };
  }
  let bytes = bytesOfJson(body.format) + bytesOfJson(body.tools);
  for (const { content, thinking, tool_calls: calls } of body.messages) {
    bytes += bytesOf([content, thinking]) + bytesOfJson(calls);
  }
  return { bytes, messages: body.messages.length + (body.tools?.length ?? 0), images };
}

function bytesOf(texts: readonly (string | undefined)[]): number {
  return texts.reduce((sum, text) => sum + (text === undefined ? 0 : Buffer.byteLength(text)), 0);
}

function bytesOfJson(value: unknown): number {
  return value === undefined || typeof value === 'string' ? 0 : bytesOf([JSON.stringify(value)]);
}
