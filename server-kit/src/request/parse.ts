import type * as z from 'zod';
import { KitFailure } from '../failure.ts';

/** A value that a schema accepts. @throws {KitFailure} `bad_request` that names each wrong member. Values are never repeated. */
export function parse<Output>(schema: z.ZodType<Output>, value: unknown): Output {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.slice(0, 5).map((issue) => {
    const path = issue.path.map(String).join('.') || 'body';
    return `${path}: ${issue.code === 'unrecognized_keys' ? `unknown member ${issue.keys.slice(0, 5).map(quoted).join(', ')}` : issue.message}`;
  });
  throw new KitFailure('bad_request', `The request is not valid. ${lines.join('; ')}.`);
}

/** A member name of the caller's, short and harmless: it goes into a message. */
function quoted(name: string): string {
  return `"${name.slice(0, 40).replace(/[^\w.-]/g, '?')}"`;
}
