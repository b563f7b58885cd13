import type * as z from 'zod';

/** What a kept text says; `undefined` for one that is broken, of an older version, or kept under another key: it is nobody's. */
export function readKept<T extends { key: string }>(
  schema: z.ZodType<T>,
  key: string,
  text: string,
): T | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = schema.safeParse(value);
  return parsed.success && parsed.data.key === key ? parsed.data : undefined;
}
