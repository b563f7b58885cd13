import type { ChatMessage } from '@ziggie/llm-protocol';
import { checkNumbers } from '../check-arguments.ts';
import { DerivedStream } from '../derived/derived-stream.ts';
import { part } from '../part.ts';
import { jsonSchemaOf } from '../schema/json-schema-of.ts';
import type { InputOf, OutputOf, StandardSchema } from '../schema/standard-schema.ts';
import type { ZiggieClient } from '../types.ts';
import type { DeepPartial, ObjectOptions, ObjectRequest, ObjectResult, ObjectStream } from './types.ts';

/**
 * Asks a model for a value of a schema, shows it while it is written, and asks again with what is wrong when it does not
 * fit.
 *
 * ```ts
 * const recipe = object(client, { model: 'llama3.2', prompt: 'A recipe for pancakes.', schema: z.object({
 *   title: z.string(), steps: z.array(z.string()),
 * }) });
 * for await (const part of recipe) show(part.title, part.steps);
 * const { title, steps } = await recipe.value();
 * ```
 *
 * @param client Where the chat goes; anything with the `chat` of a `ZiggieClient`.
 * @throws {TypeError} at once for wrong arguments. Later: everything `chat` throws, and `OutputError` when no try fits or
 *   an answer was cut off at `num_predict` (asking again would cut it again).
 */
export function object<Schema extends StandardSchema>(
  client: Pick<ZiggieClient, 'chat'>,
  request: ObjectRequest<Schema>,
  options: ObjectOptions = {},
): ObjectStream<OutputOf<Schema>, DeepPartial<InputOf<Schema>>> {
  type Value = OutputOf<Schema>;
  const format = jsonSchemaOf('the schema of an object', request.schema, request.jsonSchema);
  const messages = messagesOf(request);
  checkNumbers('options', { repairs: options.repairs });
  const stream = new DerivedStream<DeepPartial<InputOf<Schema>>, ObjectResult<Value>>(
    options.signal,
    async (signal) => {
      const { tries } = await part(() => import('./tries.ts'));
      return tries(client, request, { messages, format, options, signal });
    },
  );
  return Object.assign(stream, {
    final: () => stream.result(),
    value: async () => (await stream.result()).value,
  });
}

function messagesOf({ messages, prompt }: { messages?: unknown; prompt?: unknown }): ChatMessage[] {
  if (Array.isArray(messages)) return messages as ChatMessage[];
  if (typeof prompt === 'string') return [{ role: 'user', content: prompt }];
  throw new TypeError('Reading the request: give "messages", or a "prompt".');
}
