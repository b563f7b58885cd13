import type { StandardSchema } from './standard-schema.ts';

/**
 * The JSON Schema to send to a model: the explicit one, else what the schema says of itself. Without its `$schema` line,
 * which would only cost tokens.
 *
 * @param what For the message: which schema is read.
 * @throws {TypeError} when there is none.
 */
export function jsonSchemaOf(
  what: string,
  schema: StandardSchema | undefined,
  explicit: Readonly<Record<string, unknown>> | undefined,
): Record<string, unknown> {
  const { $schema: _, ...found } = explicit ?? ownJsonSchema(what, schema);
  return found;
}

function ownJsonSchema(what: string, schema: StandardSchema | undefined): Record<string, unknown> {
  const standard = schema?.['~standard'];
  if (typeof standard?.validate !== 'function') {
    throw new TypeError(`Reading ${what}: give a Standard Schema (zod, valibot, arktype, …).`);
  }
  if (standard.jsonSchema === undefined) {
    throw new TypeError(
      `Reading ${what}: ${standard.vendor} gives no JSON Schema of its own here. Pass one as "jsonSchema".`,
    );
  }
  try {
    return standard.jsonSchema.input({ target: 'draft-2020-12' });
  } catch (cause) {
    throw new TypeError(`Reading ${what}: it cannot be said in JSON Schema. Pass one as "jsonSchema".`, {
      cause,
    });
  }
}
