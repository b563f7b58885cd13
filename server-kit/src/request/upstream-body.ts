import type { ChatBody, GenerateBody } from './chat-shape.ts';
import { optionsFor } from './options-policy.ts';

/**
 * The body that goes to Ollama: our own serialisation of what was checked, never the caller's bytes. Always streamed,
 * also for complete answers, so that a long one is seen to be alive. `keep_alive`, `shift` and load-time options stay
 * behind.
 *
 * @param maxTokens The most that a quota has room for.
 */
export function upstreamBody(body: ChatBody | GenerateBody, model: string, maxTokens?: number): string {
  const { format, think, truncate } = body;
  const stream = true;
  const options = optionsFor(body, maxTokens);
  if ('messages' in body) {
    const { messages } = body;
    const tools = body.tools?.length ? body.tools : undefined;
    return JSON.stringify({ model, stream, format, think, truncate, options, messages, tools });
  }
  const { prompt, system, suffix, images, raw } = body;
  return JSON.stringify({
    ...{ model, stream, format, think, truncate, options },
    ...{ prompt, system, suffix, images, raw },
  });
}

/** Whether records may be held back upstream: tools and formats make Ollama wait before it writes. */
export function holdsBack(body: ChatBody | GenerateBody): boolean {
  return body.format !== undefined || ('tools' in body && (body.tools?.length ?? 0) > 0);
}
