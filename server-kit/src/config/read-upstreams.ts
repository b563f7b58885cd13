import * as z from 'zod';
import { type UpstreamOptions, upstreamSchema } from '../upstreams/upstream-settings.ts';

const numbers: ReadonlySet<string> = new Set(['slots', 'maxInFlight', 'weight']);
const words: ReadonlySet<string> = new Set(['name', 'dialect', 'cacheSalt']);
const form =
  'must be URLs such as http://gpu-1:11434?slots=4, comma-separated, or a JSON list such as [{"url":"http://gpu-1:11434","slots":4}]';

/**
 * Model servers: URLs with a comma between them, each with its settings as a query (`name`, `dialect`, `cacheSalt`, `slots`,
 * `maxInFlight`, `weight`), or the option itself as a JSON list, which may have keys too.
 *
 * @throws {Error} that says which one and which member is wrong, and repeats no value: an address may hold a secret.
 */
export function upstreams(text: string): UpstreamOptions[] {
  const given = text.startsWith('[')
    ? listOf(text)
    : text
        .split(',')
        .map((one) => one.trim())
        .filter(Boolean)
        .map(urlOf);
  const parsed = z.array(upstreamSchema).min(1).safeParse(given);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const [at, member] = issue?.path ?? [];
  if (typeof at !== 'number') throw new Error(form);
  throw new Error(
    `${given.length > 1 ? `(number ${at + 1}) ` : ''}${member === undefined ? '' : `${String(member)}: `}${issue?.message ?? form}`,
  );
}

function listOf(text: string): unknown[] {
  try {
    return JSON.parse(text) as unknown[];
  } catch {
    throw new Error(form);
  }
}

function urlOf(text: string, at: number): Record<string, unknown> {
  const url = URL.parse(text);
  if (url === null) return { url: text };
  const settings: Record<string, unknown> = {};
  for (const [name, value] of url.searchParams) {
    if (name === 'apiKey') {
      throw new Error(
        `(number ${at + 1}) apiKey: must not stand in an address. Use the JSON form, in a file that UPSTREAMS_FILE names`,
      );
    }
    if ((!numbers.has(name) && !words.has(name)) || Object.hasOwn(settings, name)) {
      throw new Error(
        `(number ${at + 1}) must have each of ${[...words, ...numbers].join(', ')} at most once as its query, and nothing else`,
      );
    }
    settings[name] = numbers.has(name) ? Number(value === '' ? Number.NaN : value) : value;
    if (name === 'cacheSalt' && value === 'false') settings[name] = false;
  }
  return { url: text.replace(/\?[^#]*/, ''), ...settings };
}
