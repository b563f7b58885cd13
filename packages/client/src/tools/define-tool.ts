import { jsonSchemaOf } from '../schema/json-schema-of.ts';
import type { OutputOf, StandardSchema } from '../schema/standard-schema.ts';
import type { Tool, ToolContext } from './types.ts';

interface ToolBase<Args, Result> {
  /** What the model calls it: letters, digits, `_` and `-`, at most 64. */
  name: string;
  /** What it does and when it is of use. The model sees nothing else of it. */
  description: string;
  /** Default: `toolTimeoutMs` of the run. */
  timeoutMs?: number | undefined;
  /** Whether the run's `approve` is asked first. Default: no. */
  needsApproval?: boolean | ((args: Args) => boolean) | undefined;
  /** Whether the same call may be made again and again, to look whether something has changed. Default: no. */
  repeatable?: boolean | undefined;
  /** Does it. What it returns is sent to the model: strings as they are, everything else as JSON. */
  execute: (args: Args, context: ToolContext) => Result | Promise<Result>;
}

/** What a tool is made of when a schema checks its arguments. */
export interface CheckedToolDefinition<Schema extends StandardSchema, Result>
  extends ToolBase<OutputOf<Schema>, Result> {
  /** Any Standard Schema of an object. `execute` gets what it gives. */
  parameters: Schema;
  /** What the model is shown; needed when the schema's library cannot say it itself (valibot). */
  jsonSchema?: Record<string, unknown> | undefined;
}

/** What a tool is made of without a schema library. */
export interface PlainToolDefinition<Result> extends ToolBase<Record<string, unknown>, Result> {
  parameters?: undefined;
  /** Only shown to the model: `execute` must look at its arguments itself. Default: no arguments. */
  jsonSchema?: Record<string, unknown> | undefined;
}

/**
 * A tool that a model may call, for `runTools`.
 *
 * ```ts
 * const weather = defineTool({
 *   name: 'get_weather',
 *   description: 'The weather of today in a town.',
 *   parameters: z.object({ town: z.string() }),
 *   execute: ({ town }, { signal }) => fetchWeather(town, signal),
 * });
 * ```
 *
 * @throws {TypeError} for a name no server takes, or parameters that are no object.
 */
export function defineTool<Schema extends StandardSchema, Result>(
  definition: CheckedToolDefinition<Schema, Result>,
): Tool<OutputOf<Schema>, Result>;
export function defineTool<Result>(
  definition: PlainToolDefinition<Result>,
): Tool<Record<string, unknown>, Result>;
export function defineTool(
  definition: CheckedToolDefinition<StandardSchema, unknown> | PlainToolDefinition<unknown>,
): Tool {
  const { name, parameters, needsApproval = false, timeoutMs } = definition;
  if (typeof name !== 'string' || !/^[\w-]{1,64}$/.test(name)) {
    throw new TypeError('Defining a tool: a name is 1 to 64 letters, digits, "_" and "-".');
  }
  const what = `the parameters of tool "${name}"`;
  const jsonSchema =
    parameters === undefined
      ? (definition.jsonSchema ?? { type: 'object', properties: {} })
      : jsonSchemaOf(what, parameters, definition.jsonSchema);
  if (jsonSchema['type'] !== 'object') throw new TypeError(`Reading ${what}: models give objects only.`);
  if (timeoutMs !== undefined && !(timeoutMs > 0)) {
    throw new TypeError(`Defining tool "${name}": timeoutMs is a number above 0.`);
  }
  const execute = definition.execute as Tool['execute'];
  return {
    name,
    description: definition.description,
    jsonSchema,
    schema: parameters,
    timeoutMs,
    repeatable: definition.repeatable ?? false,
    needsApproval: (args) =>
      typeof needsApproval === 'function' ? needsApproval(args as never) : needsApproval,
    execute: (args, context) => execute(args, context),
  };
}
