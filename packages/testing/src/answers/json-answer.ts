import type { Format } from '../ollama/format.ts';
import { isObject } from '../ollama/request-body.ts';
import { textFor } from './json-string.ts';

type Schema = Record<string, unknown>;

/** From this depth on only what is required is filled in; a schema that refers to itself ends there. */
const OPTIONAL_DEPTH = 4;
/** Deepest nesting of all. */
const MAX_DEPTH = 24;
/** Longest array it writes, whatever `minItems` wants. */
const MOST_ITEMS = 100;

/**
 * JSON text that satisfies a schema: types, `required`, `enum`, `const`, `anyOf`, `oneOf`, `allOf`, local `$ref`, bounds of
 * numbers, lengths, formats and simple patterns of strings, `prefixItems`, `minItems`, `uniqueItems`. Texts say what the
 * answer is about. The same schema gives the same JSON.
 */
export function jsonAnswer(format: Exclude<Format, undefined>, subject: string): string {
  if (format === 'json')
    return JSON.stringify({ subject, answer: 'prepared text of a stand-in', isModel: false });
  return JSON.stringify(new Filler(format, subject).fill(format, 0, 0));
}

class Filler {
  readonly #root: Schema;
  readonly #subject: string;

  constructor(root: Schema, subject: string) {
    this.#root = root;
    this.#subject = subject;
  }

  /** @param variant Counts up where values must differ. */
  fill(given: unknown, depth: number, variant: number): unknown {
    if (given === true || !isObject(given) || depth > MAX_DEPTH) return null;
    const schema = this.#resolved(given);
    if ('const' in schema) return schema['const'];
    const { enum: values } = schema;
    if (Array.isArray(values)) return values[variant % values.length] ?? null;
    const choices = schema['anyOf'] ?? schema['oneOf'];
    if (Array.isArray(choices)) {
      const { anyOf: _, oneOf: __, ...rest } = schema;
      return this.fill(this.#merged([rest, this.#simplest(choices, depth)]), depth + 1, variant);
    }
    switch (typeOf(schema)) {
      case 'object':
        return this.#object(schema, depth, variant);
      case 'array':
        return this.#array(schema, depth);
      case 'number':
      case 'integer':
        return numberFor(schema, variant);
      case 'boolean':
        return variant % 2 === 1;
      case 'null':
        return null;
      default:
        return textFor(schema, this.#subject, variant);
    }
  }

  #object(schema: Schema, depth: number, variant: number): object {
    const properties = isObject(schema['properties']) ? schema['properties'] : {};
    const required = Array.isArray(schema['required']) ? schema['required'] : [];
    const names = [...new Set([...Object.keys(properties), ...required.map(String)])];
    const wanted = names.filter((name) => required.includes(name) || depth < OPTIONAL_DEPTH);
    const entries = wanted
      .filter((name) => properties[name] !== false)
      .map((name) => [
        name,
        this.fill(properties[name] ?? schema['additionalProperties'] ?? {}, depth + 1, variant),
      ]);
    const more = Math.max(0, (numberOf(schema, 'minProperties') ?? 0) - entries.length);
    const others = Array.from({ length: more }, (_, at) => [
      `member${at + 1}`,
      this.fill(schema['additionalProperties'], depth + 1, variant),
    ]);
    return Object.fromEntries([...entries, ...others]);
  }

  #array(schema: Schema, depth: number): unknown[] {
    const prefix = Array.isArray(schema['prefixItems']) ? schema['prefixItems'] : [];
    const least = numberOf(schema, 'minItems') ?? 0;
    const usual = depth < OPTIONAL_DEPTH && isObject(schema['items']) ? 1 : 0;
    const most = Math.min(numberOf(schema, 'maxItems') ?? MOST_ITEMS, MOST_ITEMS);
    const length = Math.min(most, Math.max(least, prefix.length, usual));
    const differ = schema['uniqueItems'] === true;
    return Array.from({ length }, (_, at) =>
      this.fill(prefix[at] ?? schema['items'] ?? {}, depth + 1, differ ? at : 0),
    );
  }

  /** References followed and `allOf` merged in. */
  #resolved(schema: Schema, hops = 0): Schema {
    const { $ref: reference, allOf: all, ...rest } = schema;
    const parts: Schema[] = [rest];
    if (typeof reference === 'string' && hops < MAX_DEPTH) {
      const target = this.#at(reference);
      if (isObject(target)) parts.push(this.#resolved(target, hops + 1));
    }
    for (const part of Array.isArray(all) ? all : []) {
      if (isObject(part)) parts.push(this.#resolved(part, hops + 1));
    }
    return this.#merged(parts);
  }

  #merged(parts: readonly Schema[]): Schema {
    const whole: Schema = {};
    for (const part of parts) {
      for (const [name, value] of Object.entries(part)) {
        const before = whole[name];
        if (name === 'properties' && isObject(before) && isObject(value))
          whole[name] = { ...before, ...value };
        else if (name === 'required' && Array.isArray(before) && Array.isArray(value)) {
          whole[name] = [...before, ...value];
        } else whole[name] = value;
      }
    }
    return whole;
  }

  /** The first choice, or deep down the one that ends the nesting. */
  #simplest(choices: readonly unknown[], depth: number): Schema {
    const schemas = choices.filter(isObject);
    const leaf = schemas.find((schema) => !['object', 'array'].includes(typeOf(this.#resolved(schema))));
    return (depth >= OPTIONAL_DEPTH ? leaf : undefined) ?? schemas[0] ?? {};
  }

  /** Follows `#/a/b` inside the schema. */
  #at(reference: string): unknown {
    if (!reference.startsWith('#')) return undefined;
    let found: unknown = this.#root;
    for (const step of reference.slice(1).split('/').filter(Boolean)) {
      const name = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
      found = isObject(found) && Object.hasOwn(found, name) ? found[name] : undefined;
    }
    return found;
  }
}

function typeOf(schema: Schema): string {
  const { type } = schema;
  if (Array.isArray(type)) return String(type[0]);
  if (typeof type === 'string') return type;
  if (isObject(schema['properties']) || Array.isArray(schema['required'])) return 'object';
  return 'items' in schema || 'prefixItems' in schema ? 'array' : 'string';
}

function numberOf(schema: Schema, name: string): number | undefined {
  const value = schema[name];
  return typeof value === 'number' ? value : undefined;
}

function numberFor(schema: Schema, variant: number): number {
  const step = numberOf(schema, 'multipleOf') ?? 1;
  const above = numberOf(schema, 'exclusiveMinimum');
  const below = numberOf(schema, 'exclusiveMaximum');
  const least = Math.max(
    numberOf(schema, 'minimum') ?? Number.NEGATIVE_INFINITY,
    above ?? Number.NEGATIVE_INFINITY,
  );
  const most = Math.min(
    numberOf(schema, 'maximum') ?? Number.POSITIVE_INFINITY,
    below ?? Number.POSITIVE_INFINITY,
  );
  const fits = (value: number) => value >= least && value <= most && value !== above && value !== below;
  const from = Number.isFinite(least) ? least : Number.isFinite(most) ? Math.min(1, most) : 1;
  const first = Math.ceil(from / step) * step;
  for (const start of [first, first + step, Math.floor(most / step) * step, (least + most) / 2]) {
    const value = start + variant * step;
    if (fits(value) && (schema['type'] !== 'integer' || Number.isInteger(value))) return value;
  }
  return first;
}
