import { parseJson } from '@ziggie/llm-protocol';
import * as z from 'zod';
import { parseChat } from '../../request/chat-shape.ts';
import { parse } from '../../request/parse.ts';
import { knownTool, present, refused } from '../read-parts.ts';
import type { Asked } from '../surface.ts';
import { imageOf } from './image-data.ts';
import { sampling, samplingOptions, streamOptions } from './sampling.ts';
import { chatForm } from './write-chat.ts';

const record = z.record(z.string(), z.unknown());
const part = z.object({
  type: z.string(),
  text: z.string().optional(),
  image_url: z.union([z.string(), z.object({ url: z.string() })]).optional(),
});
const call = z.object({
  id: z.string().optional(),
  function: z.object({ name: z.string(), arguments: z.union([z.string(), record]).optional() }),
});
const message = z.object({
  role: z.string(),
  content: z.union([z.string(), z.array(part)]).nullish(),
  reasoning: z.string().nullish(),
  reasoning_content: z.string().nullish(),
  tool_calls: z.array(call).nullish(),
  tool_call_id: z.string().nullish(),
  name: z.string().nullish(),
});
const efforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max', 'ultra'] as const;
const effort = z.enum(efforts);
const toolChoice = z.union([
  z.enum(['auto', 'none', 'required']),
  z.object({ type: z.string().optional(), function: z.object({ name: z.string() }) }),
]);
const schema = z.object({
  ...sampling,
  model: z.string().min(1),
  messages: z.array(message).min(1),
  stream: z.boolean().nullish(),
  stream_options: streamOptions,
  max_completion_tokens: z.number().int().min(1).nullish(),
  n: z.number().nullish(),
  response_format: z
    .object({ type: z.string(), json_schema: z.object({ schema: record.nullish() }).nullish() })
    .nullish(),
  tools: z.array(z.unknown()).nullish(),
  tool_choice: toolChoice.nullish(),
  reasoning_effort: effort.nullish(),
  reasoning: z.object({ effort: effort.nullish() }).nullish(),
});

/**
 * Reads a body of `/v1/chat/completions`. Members that nobody behind this kit could honour are dropped (`logit_bias`,
 * `user`, `parallel_tool_calls`), except where dropping them would give something else than was asked for: more than one
 * choice is refused.
 *
 * `tool_choice` works by what the model is shown: `none` shows no tools, a named function only that one. `required`
 * cannot be forced on a model and is taken as `auto`.
 *
 * @throws {KitFailure} `bad_request`
 */
export function readOpenAiChat(value: unknown): Asked {
  const wire = parse(schema, value);
  if ((wire.n ?? 1) !== 1) throw refused('n: only one choice is given for a request');
  const tools = toolsFor(wire.tools ?? [], wire.tool_choice);
  const names = new Map<string, string>();
  const body = parseChat({
    model: wire.model,
    messages: wire.messages.map((one, at) => messageOf(one, at, names)),
    ...(tools.length > 0 ? { tools } : {}),
    ...formatOf(wire.response_format),
    ...thinkOf(wire.reasoning_effort ?? wire.reasoning?.effort),
    ...samplingOptions(wire, wire.max_completion_tokens),
  });
  return { body, form: chatForm(wire.stream === true, wire.stream_options?.include_usage === true) };
}

/** The tools that the model is shown, by what may be called. @throws {KitFailure} */
export function toolsFor(
  tools: readonly unknown[],
  choice: 'auto' | 'none' | 'required' | { function: { name: string } } | null | undefined,
): unknown[] {
  if (choice === 'none') return [];
  const known = tools.map(knownTool);
  if (typeof choice !== 'object' || choice === null) return known;
  const named = known.filter(
    (tool) => (tool as { function?: { name?: unknown } } | null)?.function?.name === choice.function.name,
  );
  if (named.length === 0) throw refused('tool_choice: names a function that is not among the tools');
  return named;
}

function messageOf(
  { role, content, reasoning, reasoning_content, tool_calls, tool_call_id, name }: z.infer<typeof message>,
  at: number,
  names: Map<string, string>,
): unknown {
  const parts = typeof content === 'string' ? [{ type: 'text', text: content }] : (content ?? []);
  const images: string[] = [];
  const texts: string[] = [];
  for (const [index, { type, text, image_url: image }] of parts.entries()) {
    if (type === 'text') texts.push(text ?? '');
    else if (type === 'image_url' && image !== undefined)
      images.push(imageOf(typeof image === 'string' ? image : image.url, `messages.${at}.content.${index}`));
    else throw refused(`messages.${at}.content.${index}: only text and images can be read here`);
  }
  const calls = (tool_calls ?? []).map(({ id, function: { name: called, arguments: given } }) => {
    if (id !== undefined) names.set(id, called);
    return {
      ...present({ id }),
      function: { name: called, arguments: argumentsOf(given, `messages.${at}.tool_calls`) },
    };
  });
  const toolName = tool_call_id ? (names.get(tool_call_id) ?? name) : undefined;
  return {
    role: role === 'developer' ? 'system' : role,
    content: texts.join('\n'),
    ...present({
      thinking: reasoning ?? reasoning_content,
      tool_call_id,
      tool_name: role === 'tool' ? toolName : undefined,
    }),
    ...(images.length > 0 ? { images } : {}),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  };
}

/** @throws {KitFailure} */
export function argumentsOf(given: string | Record<string, unknown> | undefined, where: string): unknown {
  if (typeof given !== 'string') return given ?? {};
  if (given.trim() === '') return {};
  try {
    return parseJson(given);
  } catch {
    throw refused(`${where}: the arguments are not JSON`);
  }
}

function formatOf(format: z.infer<typeof schema>['response_format']): { format?: unknown } {
  if (format?.type === 'json_object') return { format: 'json' };
  if (format?.type === 'json_schema') {
    const asked = format.json_schema?.schema;
    if (!asked) throw refused('response_format.json_schema: has no schema');
    return { format: asked };
  }
  return {};
}

/** How much thinking an effort stands for. */
export function thinkOf(asked: (typeof efforts)[number] | null | undefined): { think?: unknown } {
  if (asked === null || asked === undefined) return {};
  if (asked === 'none') return { think: false };
  if (asked === 'minimal') return { think: 'low' };
  return { think: asked === 'xhigh' || asked === 'ultra' ? 'max' : asked };
}
