import { checkNumbers } from '../check-arguments.ts';
import { DerivedStream } from '../derived/derived-stream.ts';
import { part } from '../part.ts';
import type { ZiggieClient } from '../types.ts';
import { byName } from './tool-list.ts';
import type { ToolRun, ToolRunEvent, ToolRunOptions, ToolRunRequest, ToolRunResult } from './types.ts';

/**
 * Asks a model that may call tools, runs what it calls, and asks again until it answers without a call.
 *
 * ```ts
 * const run = runTools(client, { model: 'llama3.2', messages, tools: [weather] });
 * for await (const event of run) {
 *   if (event.type === 'text-delta') process.stdout.write(event.text);
 *   if (event.type === 'tool-result') console.error(event.name, event.outcome);
 * }
 * ```
 *
 * Only calls of an answer that came to its end are run. Whatever is wrong with a call (no such tool, arguments that do
 * not fit, a refusal, a failure, too much time) is told to the model, which may do better.
 *
 * @param client Where the chat goes; anything with the `chat` of a `ZiggieClient`.
 * @throws {TypeError} at once for wrong arguments. Later: everything `chat` throws, and `ToolError` when the model calls
 *   without an end.
 */
export function runTools(
  client: Pick<ZiggieClient, 'chat'>,
  request: ToolRunRequest,
  options: ToolRunOptions = {},
): ToolRun {
  const tools = byName(request.tools);
  const { maxRounds, maxParallel, toolTimeoutMs, maxResultCharacters } = options;
  checkNumbers('options', { toolTimeoutMs, maxResultCharacters });
  for (const [name, value] of Object.entries({ maxRounds, maxParallel })) {
    if (value !== undefined && !(value >= 1)) throw new TypeError(`Reading options.${name}: at least 1.`);
  }
  if (!Array.isArray(request.messages)) {
    throw new TypeError('Reading the request: "messages" is missing or of another type.');
  }
  const stream = new DerivedStream<ToolRunEvent, ToolRunResult>(options.signal, async (signal) => {
    const asked = { ...request, messages: [...request.messages] };
    const { ToolLoop } = await part(() => import('./tool-loop.ts'));
    return new ToolLoop(client, asked, tools, options, signal).events();
  });
  return Object.assign(stream, {
    final: () => stream.result(),
    text: async () => (await stream.result()).text,
  });
}
