import * as z from 'zod';
import { KitFailure } from '../../failure.ts';
import { type ChatBody, type GenerateBody, parseChat, parseGenerate } from '../../request/chat-shape.ts';
import { isKnownOption } from '../../request/options-policy.ts';
import { parse } from '../../request/parse.ts';
import { knownTool, present } from '../read-parts.ts';
import type { Asked } from '../surface.ts';
import { ollamaForm } from './write-answer.ts';

const record = z.record(z.string(), z.unknown());
const nothing = z.union([z.null(), z.literal('')]);

// What Ollama itself takes (`api/types.go`): looser than our own shape. Members it does not know are dropped here as
// they are there, so that a newer client goes on working.
const common = {
  model: z.string().min(1),
  stream: z.boolean().nullish(),
  format: z.union([z.literal('json'), record, nothing]).optional(),
  options: record.nullish(),
  think: z.union([z.boolean(), z.enum(['low', 'medium', 'high', 'max']), nothing]).optional(),
  keep_alive: z.union([z.number(), z.string()]).nullish(),
  truncate: z.boolean().nullish(),
};
const call = z.object({
  id: z.string().optional(),
  function: z.object({ name: z.string(), arguments: record.nullish() }),
});
const message = z.object({
  role: z.string().transform((role) => role.toLowerCase()),
  content: z.string().nullish(),
  thinking: z.string().nullish(),
  images: z.array(z.string()).nullish(),
  tool_calls: z.array(call).nullish(),
  tool_name: z.string().nullish(),
  tool_call_id: z.string().nullish(),
});
const chatSchema = z.object({
  ...common,
  messages: z.array(message).nullish(),
  tools: z.array(z.unknown()).nullish(),
});
const generateSchema = z.object({
  ...common,
  prompt: z.string().nullish(),
  system: z.string().nullish(),
  suffix: z.string().nullish(),
  images: z.array(z.string()).nullish(),
  raw: z.boolean().nullish(),
});

/**
 * Reads a body of `/api/chat`.
 *
 * Without messages Ollama loads or unloads the model for everybody: that is the operator's to do, so it is refused.
 *
 * @throws {KitFailure} `bad_request`
 */
export function readOllamaChat(value: unknown): Asked {
  const { messages, tools, ...wire } = parse(chatSchema, value);
  if (!messages?.length) throw loadsModel('messages');
  const body: ChatBody = parseChat({
    ...shared(wire),
    messages: messages.map(({ content, tool_calls: calls, ...rest }) => ({
      ...present(rest),
      content: content ?? '',
      ...(calls?.length ? { tool_calls: calls.map(knownCall) } : {}),
    })),
    ...(tools?.length ? { tools: tools.map(knownTool) } : {}),
  });
  return { body, form: ollamaForm('chat', wire.stream !== false) };
}

/** Reads a body of `/api/generate`. @throws {KitFailure} `bad_request` */
export function readOllamaGenerate(value: unknown): Asked {
  const { prompt, system, suffix, images, raw, ...wire } = parse(generateSchema, value);
  if (!prompt) throw loadsModel('prompt');
  const body: GenerateBody = parseGenerate({
    ...shared(wire),
    ...present({ prompt, system, suffix, images, raw }),
  });
  return { body, form: ollamaForm('generate', wire.stream !== false) };
}

function shared({
  model,
  format,
  options,
  think,
  truncate,
  keep_alive,
}: Omit<z.infer<typeof chatSchema>, 'messages' | 'tools'>) {
  const known = Object.entries(options ?? {}).filter(([name]) => isKnownOption(name));
  return {
    ...present({ model, truncate, keep_alive }),
    ...(format ? { format } : {}),
    ...(think === '' || think === null || think === undefined ? {} : { think }),
    ...(known.length > 0 ? { options: Object.fromEntries(known) } : {}),
  };
}

function knownCall({ id, function: { name, arguments: given } }: z.infer<typeof call>) {
  return { ...present({ id }), function: { name, arguments: given ?? {} } };
}

function loadsModel(member: string): KitFailure {
  return new KitFailure(
    'bad_request',
    `The request has no ${member}. Without, it would load or unload the model for everybody, which only an administrator may do.`,
  );
}
