import * as z from 'zod';
import { parse } from '../../request/parse.ts';
import { imageOf } from '../openai/image-data.ts';
import { argumentsOf } from '../openai/read-chat.ts';
import { present, refused } from '../read-parts.ts';

const part = z.object({
  type: z.string(),
  text: z.string().nullish(),
  image_url: z.string().nullish(),
});
const parts = z.union([z.string(), z.array(part)]);
const message = z.object({ role: z.string(), content: parts });
const functionCall = z.object({ call_id: z.string(), name: z.string(), arguments: z.string().nullish() });
const result = z.object({ call_id: z.string(), output: parts });
const reasoning = z.object({
  content: z.array(z.object({ text: z.string().nullish() })).nullish(),
  summary: z.array(z.object({ text: z.string().nullish() })).nullish(),
});

/** An assistant's turn, which here comes in several items; of some kinds in as many as a body has room for. */
interface Turn {
  content: string;
  readonly thoughts: string[];
  readonly calls: unknown[];
}

function turnMessage({ content, thoughts, calls }: Turn): unknown {
  const thinking = thoughts.length > 0 ? { thinking: thoughts.join('\n') } : {};
  return { role: 'assistant', content, ...thinking, ...(calls.length > 0 ? { tool_calls: calls } : {}) };
}

/**
 * The messages that items stand for. What an assistant thought, said and called in a row is one message of ours.
 *
 * @throws {KitFailure} `bad_request` that names the item.
 */
export function messagesOf(input: string | readonly Record<string, unknown>[]): unknown[] {
  if (typeof input === 'string') return [{ role: 'user', content: input }];
  const messages: (() => unknown)[] = [];
  const names = new Map<string, string>();
  let open: Turn | undefined;
  const turn = (isNew: boolean): Turn => {
    if (open === undefined || isNew) {
      const begun: Turn = { content: '', thoughts: [], calls: [] };
      messages.push(() => turnMessage(begun));
      open = begun;
    }
    return open;
  };
  for (const [at, item] of input.entries()) {
    const where = `input.${at}`;
    const type = item['type'] ?? 'message';
    if (type === 'reasoning') {
      const { content, summary } = parse(reasoning, item);
      const text = textOf(content ?? []) || textOf(summary ?? []);
      const thinker = turn(open?.content !== '' || open.calls.length > 0);
      if (text !== '') thinker.thoughts.push(text);
    } else if (type === 'function_call') {
      const { call_id: id, name, arguments: given } = parse(functionCall, item);
      names.set(id, name);
      const call = { id, function: { name, arguments: argumentsOf(given ?? undefined, where) } };
      turn(false).calls.push(call);
    } else if (type === 'message') {
      const { role, content } = parse(message, item);
      if (role === 'assistant') {
        const speaker = turn(open !== undefined && (open.content !== '' || open.calls.length > 0));
        speaker.content = contentOf(content, where).content;
      } else {
        open = undefined;
        const said = { role: role === 'developer' ? 'system' : role, ...contentOf(content, where) };
        messages.push(() => said);
      }
    } else if (type === 'function_call_output') {
      const { call_id: id, output } = parse(result, item);
      open = undefined;
      const answer = {
        role: 'tool',
        ...contentOf(output, where),
        ...present({ tool_call_id: id, tool_name: names.get(id) }),
      };
      messages.push(() => answer);
    } else if (type === 'item_reference') {
      throw refused(`${where}: items are not kept here. Send the item itself`);
    } else {
      throw refused(`${where}: only messages, reasoning, function calls and their outputs can be read here`);
    }
  }
  return messages.map((message) => message());
}

function contentOf(given: z.infer<typeof parts>, where: string): { content: string; images?: string[] } {
  if (typeof given === 'string') return { content: given };
  const images: string[] = [];
  const texts: string[] = [];
  for (const [at, { type, text, image_url: image }] of given.entries()) {
    const place = `${where}.content.${at}`;
    if (type === 'input_text' || type === 'output_text' || type === 'text') texts.push(text ?? '');
    else if (type === 'input_image' && image) images.push(imageOf(image, place));
    else throw refused(`${place}: only text and images as data can be read here`);
  }
  return { content: texts.join('\n'), ...(images.length > 0 ? { images } : {}) };
}

function textOf(pieces: readonly { text?: string | null | undefined }[]): string {
  return pieces
    .map(({ text }) => text ?? '')
    .filter(Boolean)
    .join('\n');
}
