import type { Eventually } from '../streams/stream-store.ts';

/**
 * Under which name an answer is kept. All three are hashes: neither a tenant nor a prompt can be read from them. The first
 * two are there so that what is kept can be thrown away by tenant and by model.
 */
export interface CacheKey {
  readonly tenant: string;
  readonly model: string;
  /** Of everything that the answer depends on, tenant and model included. */
  readonly digest: string;
}

/** How much is kept, and for how long. */
export interface CacheBounds {
  ttlMs: number;
  maxEntries: number;
  /** Of all answers together, counted as two bytes per character. */
  maxBytes: number;
}

/** What to throw away: answers of this tenant and of this model; what is left out does not matter. */
export interface CachePurge {
  tenant?: string | undefined;
  model?: string | undefined;
}

/** Whether a purge means what is kept under this key. */
export function isPurged(key: CacheKey, { tenant, model }: CachePurge): boolean {
  return (tenant ?? key.tenant) === key.tenant && (model ?? key.model) === key.model;
}

/** What a store has under a key. */
export interface CacheFound {
  /** What was put there; `undefined` when there is nothing (any more). */
  text: string | undefined;
  /** To be given back when something is put: a purge in between makes it worthless. */
  ticket: string;
}

/**
 * Where answers are kept. Methods may throw when the store is away; then it is as if there were nothing. Texts are not
 * looked into here.
 */
export interface CacheStore {
  find(key: CacheKey): Eventually<CacheFound>;
  /** Keeps a text, in place of what is there. Not at all after a purge since the ticket was given. */
  put(key: CacheKey, text: string, ticket: string, bounds: CacheBounds): Eventually<void>;
  drop(key: CacheKey): Eventually<void>;
  /** Throws away what is kept, and what is on its way. @returns How many answers that were. */
  purge(which: CachePurge): Eventually<number>;
  /** How much is kept. What is too old counts until it is stumbled over. */
  size(): Eventually<{ entries: number; bytes: number }>;
}

/** What an entry takes beside its text, in bytes. */
const entryBytes = 256;

/** What a kept text takes, in bytes, as far as a bound needs to know: the same in every store. */
export function sizeOfText(text: string): number {
  return entryBytes + 2 * text.length;
}
