import * as z from 'zod';
import { parseChat } from '../../request/chat-shape.ts';
import { parse } from '../../request/parse.ts';
import { thinkOf, toolsFor } from '../openai/read-chat.ts';
import { present, refused } from '../read-parts.ts';
import type { Asked } from '../surface.ts';
import { messagesOf } from './read-items.ts';
import { responseForm } from './write-response.ts';

const record = z.record(z.string(), z.unknown());
const tool = z.object({
  type: z.string(),
  name: z.string().optional(),
  description: z.string().nullish(),
  parameters: record.nullish(),
});
const schema = z.object({
  model: z.string().min(1),
  input: z.union([z.string().min(1), z.array(record).min(1)]),
  instructions: z.string().nullish(),
  stream: z.boolean().nullish(),
  max_output_tokens: z.number().int().min(1).nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  tools: z.array(tool).nullish(),
  tool_choice: z
    .union([
      z.enum(['auto', 'none', 'required']),
      z.object({ type: z.string(), name: z.string().optional() }),
    ])
    .nullish(),
  text: z
    .object({
      format: z.object({ type: z.string(), schema: record.nullish() }).nullish(),
    })
    .nullish(),
  reasoning: z
    .object({
      effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max', 'ultra']).nullish(),
    })
    .nullish(),
  truncation: z.enum(['auto', 'disabled']).nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
  store: z.boolean().nullish(),
  previous_response_id: z.string().nullish(),
  conversation: z.unknown().optional(),
  background: z.boolean().nullish(),
  prompt: z.unknown().optional(),
});
type Wire = z.infer<typeof schema>;

/**
 * Reads a body of `/v1/responses`, the part of it that needs no memory: input as text or items, instructions, functions,
 * text formats, reasoning. Nothing is kept here, so what would need that is refused in so many words; left out, `store` is
 * `false`. What nobody behind this kit could honour is dropped, as on `/v1/chat/completions`.
 *
 * @throws {KitFailure} `bad_request`
 */
export function readResponse(value: unknown): Asked {
  const wire = parse(schema, value);
  refuseMemory(wire);
  const { model, instructions, temperature, top_p, max_output_tokens: most, truncation } = wire;
  const tools = toolsFor(functionsOf(wire.tools), choiceOf(wire.tool_choice));
  const messages = messagesOf(wire.input);
  const options = present({ temperature, top_p });
  const body = parseChat({
    model,
    messages: instructions ? [{ role: 'system', content: instructions }, ...messages] : messages,
    ...(tools.length > 0 ? { tools } : {}),
    ...formatOf(wire.text?.format),
    ...thinkOf(wire.reasoning?.effort),
    ...(Object.keys(options).length > 0 ? { options } : {}),
    ...present({ max_tokens: most, truncate: truncation === 'disabled' ? false : undefined }),
  });
  return { body, form: responseForm(wire.stream === true, echoOf(wire)), mayNotThink: true };
}

/** @throws {KitFailure} */
function refuseMemory({ store, previous_response_id, conversation, background, prompt }: Wire): void {
  if (previous_response_id) {
    throw refused('previous_response_id: answers are not kept here. Send the whole conversation as input');
  }
  if (store === true) throw refused('store: answers are not kept here. Leave it out or send false');
  if (conversation) throw refused('conversation: none are kept here. Send the whole conversation as input');
  if (background === true) throw refused('background: an answer is written to whoever asks, or not at all');
  if (prompt) throw refused('prompt: no templates are kept here. Send instructions and input');
}

function functionsOf(tools: Wire['tools']): unknown[] {
  return (tools ?? []).map(({ type, name, description, parameters }, at) => {
    if (type !== 'function') {
      const shown = type.slice(0, 40).replace(/[^\w.-]/g, '?');
      throw refused(`tools.${at}: "${shown}" cannot be run here, functions alone can be called`);
    }
    return { type, function: { name, ...present({ description, parameters }) } };
  });
}

function choiceOf(choice: Wire['tool_choice']): Parameters<typeof toolsFor>[1] {
  if (typeof choice !== 'object' || choice === null) return choice;
  if (choice.type !== 'function' || choice.name === undefined) {
    throw refused('tool_choice: names something that is not a function');
  }
  return { function: { name: choice.name } };
}

function formatOf(format: NonNullable<Wire['text']>['format']): { format?: unknown } {
  if (format?.type === 'json_object') return { format: 'json' };
  if (format?.type !== 'json_schema') return {};
  if (!format.schema) throw refused('text.format: has no schema');
  return { format: format.schema };
}

/** What an answer says of its question, as it was asked. */
function echoOf(wire: Wire): Record<string, unknown> {
  return {
    instructions: wire.instructions ?? null,
    max_output_tokens: wire.max_output_tokens ?? null,
    metadata: wire.metadata ?? {},
    parallel_tool_calls: true,
    previous_response_id: null,
    reasoning: { effort: wire.reasoning?.effort ?? null, summary: null },
    store: false,
    temperature: wire.temperature ?? null,
    text: { format: wire.text?.format ?? { type: 'text' } },
    tool_choice: wire.tool_choice ?? 'auto',
    tools: (wire.tools ?? []).map((one) => ({ strict: null, ...one })),
    top_p: wire.top_p ?? null,
    truncation: wire.truncation ?? 'auto',
  };
}
