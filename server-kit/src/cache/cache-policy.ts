import { isNamedBy } from '../upstream/model-pattern.ts';
import type { CacheSettings } from './cache-options.ts';

/** What a request may have of answers of others, and what others may have of its. */
export interface CacheTerms {
  /** It may get an answer that is kept, or join one that is being written. */
  mayTake: boolean;
  /** Its answer may be kept. */
  mayKeep: boolean;
}

/** What the decision looks at. */
export interface CacheCase {
  /** The model that answers, by its name on the upstreams. */
  model: string;
  isRepeatable: boolean;
  /** `Cache-Control` of the request. */
  control: string | null;
}

/**
 * What a request may do with the cache; `undefined` is nothing at all.
 *
 * @see RFC 9111 §5.2.1: `no-store` keeps nothing, `no-cache` (and an age of 0) wants a new answer, which may be kept.
 */
export function cacheTerms(
  { models, sampled, keep }: CacheSettings,
  { model, isRepeatable, control }: CacheCase,
): CacheTerms | undefined {
  if (!isRepeatable && !sampled) return undefined;
  if (!models.some((name) => isNamedBy(name, model))) return undefined;
  const wishes = (control ?? '')
    .toLowerCase()
    .split(',')
    .map((wish) => wish.trim());
  if (wishes.includes('no-store')) return undefined;
  const wantsNew = wishes.includes('no-cache') || wishes.some((wish) => /^max-age="?0+"?$/.test(wish));
  if (wantsNew && !keep) return undefined;
  return { mayTake: !wantsNew, mayKeep: keep };
}
