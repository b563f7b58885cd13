import type { Format } from '../ollama/format.ts';
import { isObject } from '../ollama/request-body.ts';

/** Deepest nesting it fills in; a schema that refers to itself ends here. */
const MAX_DEPTH = 12;

/**
 * JSON text that fits a schema as far as types, `properties`, `items`, `enum`, `const`, `anyOf`, `oneOf`, local `$ref`,
 * `minItems` and `minimum` go. Strings say what the answer is about.
 */
export function jsonAnswer(format: Exclude<Format, undefined>, subject: string): string {
  if (format === 'json')
    return JSON.stringify({ subject, answer: 'prepared text of a stand-in', isModel: false });
  return JSON.stringify(fill(format, format, subject, 0));
}

function fill(schema: unknown, root: Record<string, unknown>, subject: string, depth: number): unknown {
  if (!isObject(schema) || depth > MAX_DEPTH) return null;
  if ('const' in schema) return schema['const'];
  if (Array.isArray(schema['enum'])) return schema['enum'][0] ?? null;
  if (typeof schema['$ref'] === 'string')
    return fill(resolve(schema['$ref'], root), root, subject, depth + 1);
  const choices = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(choices)) return fill(choices[0], root, subject, depth + 1);
  const { type } = schema;
  switch (Array.isArray(type) ? type[0] : (type ?? (isObject(schema['properties']) ? 'object' : 'string'))) {
    case 'object': {
      const properties = isObject(schema['properties']) ? schema['properties'] : {};
      return Object.fromEntries(
        Object.entries(properties).map(([name, member]) => [name, fill(member, root, subject, depth + 1)]),
      );
    }
    case 'array': {
      const length = typeof schema['minItems'] === 'number' ? Math.min(schema['minItems'], 100) : 1;
      return Array.from({ length }, () => fill(schema['items'], root, subject, depth + 1));
    }
    case 'number':
    case 'integer':
      return typeof schema['minimum'] === 'number' ? schema['minimum'] : 1;
    case 'boolean':
      return false;
    case 'null':
      return null;
    default:
      return subject;
  }
}

/** Follows `#/a/b` inside the schema. */
function resolve(reference: string, root: Record<string, unknown>): unknown {
  if (!reference.startsWith('#')) return undefined;
  let found: unknown = root;
  for (const name of reference.slice(1).split('/').filter(Boolean)) {
    found = isObject(found) && Object.hasOwn(found, name) ? found[name] : undefined;
  }
  return found;
}
