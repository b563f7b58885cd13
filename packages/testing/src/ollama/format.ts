import { goJson } from './go-json.ts';
import { HttpFailure } from './http-failure.ts';
import { isObject } from './request-body.ts';

/** What the answer must be: any JSON, JSON of a schema, or free text. */
export type Format = 'json' | Record<string, unknown> | undefined;

/** @throws {HttpFailure} 500 for anything else, which Ollama reports as its own mistake. */
export function readFormat(value: unknown): Format {
  if (value === undefined || value === '') return undefined;
  if (value === 'json' || isObject(value)) return value;
  throw new HttpFailure(
    500,
    `invalid format: ${goJson(value)}; expected "json" or a valid JSON Schema object`,
  );
}
