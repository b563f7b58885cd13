import * as z from 'zod';
import { parseChat } from '../../request/chat-shape.ts';
import { parse } from '../../request/parse.ts';
import { present, refused } from '../read-parts.ts';
import type { Asked } from '../surface.ts';
import { messagesForm } from './write-messages.ts';

const record = z.record(z.string(), z.unknown());
const block = z.object({
  type: z.string(),
  text: z.string().optional(),
  thinking: z.string().optional(),
  source: z.object({ type: z.string(), data: z.string().optional() }).optional(),
  id: z.string().optional(),
  name: z.string().optional(),
  input: record.optional(),
  tool_use_id: z.string().optional(),
  content: z.unknown().optional(),
});
type Block = z.infer<typeof block>;

const effort = z.enum(['low', 'medium', 'high', 'xhigh', 'max']);
const schema = z.object({
  model: z.string().min(1),
  max_tokens: z.number().int().min(1),
  messages: z
    .array(
      z.object({
        role: z.enum(['user', 'assistant', 'system']),
        content: z.union([z.string(), z.array(block)]),
      }),
    )
    .min(1),
  system: z.union([z.string(), z.array(block)]).nullish(),
  stream: z.boolean().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  top_k: z.number().int().nullish(),
  stop_sequences: z.array(z.string()).nullish(),
  tools: z
    .array(
      z.object({
        name: z.string(),
        description: z.string().nullish(),
        input_schema: record.nullish(),
        type: z.string().nullish(),
      }),
    )
    .nullish(),
  tool_choice: z
    .object({ type: z.enum(['auto', 'any', 'tool', 'none']), name: z.string().optional() })
    .nullish(),
  thinking: z.object({ type: z.enum(['enabled', 'disabled', 'adaptive']) }).nullish(),
  output_config: z
    .object({
      effort: effort.nullish(),
      format: z.object({ type: z.string(), schema: record.nullish() }).nullish(),
    })
    .nullish(),
});

/**
 * Reads a body of `/v1/messages`. `tool_choice` works by what the model is shown, as on `/v1/chat/completions`; caching
 * hints and metadata are dropped; tools that only Anthropic's servers can run and documents are refused.
 *
 * @throws {KitFailure} `bad_request`
 */
export function readMessages(value: unknown): Asked {
  const wire = parse(schema, value);
  const names = new Map<string, string>();
  const messages = wire.messages.flatMap(({ role, content }, at) =>
    typeof content === 'string' ? [{ role, content }] : fromBlocks(role, content, `messages.${at}`, names),
  );
  const system = systemOf(wire.system);
  const tools = toolsOf(wire);
  const { temperature, top_p, top_k } = wire;
  const options = present({ temperature, top_p, top_k, stop: wire.stop_sequences });
  const format = wire.output_config?.format?.schema;
  const body = parseChat({
    model: wire.model,
    messages: system === '' ? messages : [{ role: 'system', content: system }, ...messages],
    max_tokens: wire.max_tokens,
    ...(Object.keys(options).length > 0 ? { options } : {}),
    ...(tools.length > 0 ? { tools } : {}),
    ...present({ think: thinkOf(wire), format }),
  });
  return { body, form: messagesForm(wire.stream === true), mayNotThink: true };
}

function systemOf(system: z.infer<typeof schema>['system']): string {
  return typeof system === 'string' ? system : (system ?? []).map(({ text }) => text ?? '').join('\n');
}

function thinkOf({ thinking, output_config: config }: z.infer<typeof schema>): unknown {
  if (thinking?.type === 'disabled') return false;
  const asked = config?.effort;
  if (asked) return asked === 'xhigh' ? 'max' : asked;
  return thinking ? true : undefined;
}

function toolsOf({ tools, tool_choice: choice }: z.infer<typeof schema>): unknown[] {
  if (choice?.type === 'none') return [];
  const shown = (tools ?? []).map(({ name, description, input_schema: parameters, type }) => {
    if (type && type !== 'custom')
      throw refused(`tools: "${type.slice(0, 40).replace(/[^\w.-]/g, '?')}" cannot be run here`);
    return { type: 'function', function: present({ name, description, parameters }) };
  });
  if (choice?.type !== 'tool') return shown;
  const named = shown.filter((tool) => tool.function.name === choice.name);
  if (named.length === 0) throw refused('tool_choice: names a tool that is not among the tools');
  return named;
}

/** One message of blocks as ours: a result of a tool is a message of its own, and keeps its place before the text. */
function fromBlocks(
  role: string,
  blocks: readonly Block[],
  where: string,
  names: Map<string, string>,
): unknown[] {
  const results: unknown[] = [];
  const texts: string[] = [];
  const images: string[] = [];
  const thoughts: string[] = [];
  const calls: unknown[] = [];
  for (const [at, one] of blocks.entries()) {
    const place = `${where}.content.${at}`;
    switch (one.type) {
      case 'text':
        texts.push(one.text ?? '');
        break;
      case 'image':
        images.push(imageOf(one, place));
        break;
      case 'thinking':
        thoughts.push(one.thinking ?? '');
        break;
      case 'redacted_thinking':
        break;
      case 'tool_use':
        if (one.id !== undefined) names.set(one.id, one.name ?? '');
        calls.push({
          ...present({ id: one.id }),
          function: { name: one.name ?? '', arguments: one.input ?? {} },
        });
        break;
      case 'tool_result':
        results.push(resultOf(one, place, names));
        break;
      default:
        throw refused(`${place}: only text, images, thinking and tools can be read here`);
    }
  }
  if (texts.length + images.length + thoughts.length + calls.length === 0) return results;
  return [
    ...results,
    {
      role,
      content: texts.join('\n'),
      ...(images.length > 0 ? { images } : {}),
      ...(thoughts.length > 0 ? { thinking: thoughts.join('\n') } : {}),
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
    },
  ];
}

function resultOf(
  { content, tool_use_id: id }: Block,
  where: string,
  names: ReadonlyMap<string, string>,
): unknown {
  const parts =
    typeof content === 'string' ? [{ type: 'text', text: content }] : parse(z.array(block), content ?? []);
  const images = parts.filter(({ type }) => type === 'image').map((part) => imageOf(part, where));
  return {
    role: 'tool',
    content: parts.map(({ text }) => text ?? '').join('\n'),
    ...present({ tool_call_id: id, tool_name: id === undefined ? undefined : names.get(id) }),
    ...(images.length > 0 ? { images } : {}),
  };
}

function imageOf({ source }: Block, where: string): string {
  if (source?.type === 'base64' && source.data !== undefined) return source.data;
  throw refused(`${where}: images come as base64 here; an address is not fetched`);
}
