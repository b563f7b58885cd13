import * as z from 'zod';
import { canonicalName } from './model-name.ts';

/**
 * Whether a model is named by an entry of a list that allows something: its name, a beginning, or `*` for all.
 *
 * A beginning goes over tags and not over a slash: `llama3*` is `llama3:8b` and `llama3.2`, and not `llama3-friends/model`,
 * since anybody may call their namespace so. Right behind a slash `*` is all that is below: `team/*`, `hf.co/*`.
 */
export function isNamedBy(pattern: string, model: string): boolean {
  if (pattern === '*') return true;
  if (!pattern.endsWith('*')) return canonicalName(pattern) === canonicalName(model);
  const beginning = pattern.slice(0, -1).toLowerCase();
  const name = canonicalName(model);
  if (!name.startsWith(beginning)) return false;
  return beginning.endsWith('/') || !name.includes('/', beginning.length);
}

/**
 * Whether an entry of a list that limits or prices something is about a model: as {@link isNamedBy}, but a beginning goes
 * over slashes, too. Where it is not clear what was meant, too much is limited rather than too little.
 */
export function isCoveredBy(pattern: string, model: string): boolean {
  if (!pattern.endsWith('*')) return isNamedBy(pattern, model);
  return canonicalName(model).startsWith(pattern.slice(0, -1).toLowerCase());
}

/** An entry of such a list. A `*` in another place would stand for itself, and no model has one in its name. */
export const modelPattern = z
  .string()
  .min(1)
  .max(350)
  .regex(/^[^*]*\*?$/, { error: 'may have a "*" only at its end: "llama3*", "team/*" or "*"' });
