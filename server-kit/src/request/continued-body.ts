import type { ChatBody, GenerateBody } from './chat-shape.ts';

/**
 * The same question with the answer's beginning, for a model server to go on from exactly there: as an assistant's message
 * that is not over, or behind a raw prompt. `undefined` where something would not be exact: tools and formats (what was
 * written cannot be fed back as text alone), thinking (it would begin anew; `canThink`: unless told not to), a prompt that the
 * server wraps in a template.
 */
export function continuedBody(
  body: ChatBody | GenerateBody,
  text: string,
  canThink: boolean,
): ChatBody | GenerateBody | undefined {
  if (body.format !== undefined || (body.think ?? canThink) !== false) return undefined;
  if (!('messages' in body)) {
    return body.raw === true && body.suffix === undefined
      ? { ...body, prompt: body.prompt + text }
      : undefined;
  }
  if (body.tools?.length) return undefined;
  const last = body.messages.at(-1);
  if (last?.role !== 'assistant') {
    return { ...body, messages: [...body.messages, { role: 'assistant', content: text }] };
  }
  // The caller has begun the answer itself.
  if (last.tool_calls?.length || last.thinking !== undefined) return undefined;
  return { ...body, messages: [...body.messages.slice(0, -1), { ...last, content: last.content + text }] };
}
