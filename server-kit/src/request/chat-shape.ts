import type { OllamaMessage } from '@ziggie/llm-protocol/ollama';
import * as z from 'zod';
import { KitFailure } from '../failure.ts';
import { maxImages, maxMessages, maxNameLength, maxTools, roles } from './chat-bounds.ts';
import { parse } from './parse.ts';
import { plainChat } from './plain-chat.ts';

const base64 = /^[A-Za-z0-9+/]+={0,2}$/;
const image = z.string().regex(base64, { error: 'must be plain base64, without a "data:" prefix' });
const record = z.record(z.string(), z.unknown());
const think = z.union([z.boolean(), z.enum(['low', 'medium', 'high', 'max'])]);

// What both routes take. `keep_alive` and `shift` are part of Ollama's shape and are dropped later: they decide about
// memory that all users share.
const common = {
  model: z.string().min(1).max(maxNameLength),
  stream: z.boolean().optional(),
  resume: z.boolean().optional(),
  format: z.union([z.literal('json'), record]).optional(),
  options: record.optional(),
  think: think.optional(),
  keep_alive: z.union([z.number(), z.string()]).optional(),
  truncate: z.boolean().optional(),
  shift: z.boolean().optional(),
  temperature: z.number().min(0).max(10).optional(),
  max_tokens: z.number().int().min(1).optional(),
};

const messageSchema = z.strictObject({
  role: z.enum(roles),
  content: z.string(),
  thinking: z.string().exactOptional(),
  images: z.array(image).exactOptional(),
  tool_calls: z
    .array(
      z.strictObject({
        id: z.string().max(maxNameLength).exactOptional(),
        function: z.strictObject({
          name: z.string().min(1).max(maxNameLength),
          arguments: record,
          index: z.number().optional(),
        }),
      }),
    )
    .exactOptional(),
  tool_name: z.string().max(maxNameLength).exactOptional(),
  tool_call_id: z.string().max(maxNameLength).exactOptional(),
}) satisfies z.ZodType<OllamaMessage>;

const chatSchema = z.strictObject({
  ...common,
  messages: z.array(messageSchema).min(1).max(maxMessages),
  tools: z
    .array(
      z.strictObject({
        type: z.literal('function'),
        function: z.strictObject({
          name: z.string().min(1).max(maxNameLength),
          description: z.string().optional(),
          parameters: record.optional(),
        }),
      }),
    )
    .max(maxTools)
    .optional(),
});

const generateSchema = z.strictObject({
  ...common,
  prompt: z.string().min(1),
  system: z.string().optional(),
  suffix: z.string().optional(),
  images: z.array(image).max(maxImages).optional(),
  raw: z.boolean().optional(),
});

/** A checked body of `/chat`. */
export type ChatBody = z.infer<typeof chatSchema>;
/** A checked body of `/generate` and `/generate-complete`. */
export type GenerateBody = z.infer<typeof generateSchema>;

/** @throws {KitFailure} `bad_request` that names each wrong member. Values are never repeated. */
export function parseChat(value: unknown): ChatBody {
  return plainChat(value) ?? bySchema(value);
}

/** {@link parseChat} by the schema alone. */
export function bySchema(value: unknown): ChatBody {
  return parse(chatSchema, withoutConversation(value));
}

/** @throws {KitFailure} `bad_request` that names each wrong member. */
export function parseGenerate(value: unknown): GenerateBody {
  return parse(generateSchema, withoutConversation(value));
}

/** How many images a checked body carries. */
export function countImages(body: ChatBody | GenerateBody): number {
  if ('messages' in body)
    return body.messages.reduce((sum, message) => sum + (message.images?.length ?? 0), 0);
  return body.images?.length ?? 0;
}

function withoutConversation(value: unknown): unknown {
  if (typeof value === 'object' && value !== null && 'context_id' in value) {
    throw new KitFailure(
      'bad_request',
      'Conversations are not stored here: leave out context_id and send the messages.',
    );
  }
  return value;
}
