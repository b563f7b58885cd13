import * as z from 'zod';
import { KitFailure } from '../failure.ts';
import { parseChat, parseGenerate } from '../request/chat-shape.ts';
import { modelPattern } from '../upstream/model-pattern.ts';
import type { CacheBounds } from './cache-store.ts';
import { type Question, questionOf } from './question.ts';

/** How answers are kept and shared. Nothing is unless these options are given. */
export interface CacheOptions {
  /** Models whose answers may be kept and shared: names, or beginnings such as `llama3*`. Default all. */
  models?: readonly string[] | undefined;
  /** Who shares an answer: all of one `tenant`, or one `user` with nobody. Never two tenants. Default `tenant`. */
  scope?: 'tenant' | 'user' | undefined;
  /** Whether finished answers are kept; `false` only shares those that are being written. Default true. */
  keep?: boolean | undefined;
  /** Whether equal requests at the same time share one generation. Default true. */
  coalesce?: boolean | undefined;
  /** Also requests that sample (a temperature above 0 and no seed): all get the same answer then. Default false. */
  sampled?: boolean | undefined;
  /** How long an answer is kept. Default 1 h. */
  ttlMs?: number | undefined;
  /** Answers that are kept; beyond that the ones least wanted go. Default 10,000. */
  maxEntries?: number | undefined;
  /** Of all answers that are kept together. Default 64 MiB. */
  maxBytes?: number | undefined;
  /** Of one answer; a longer one is not kept. Default 1 MiB. */
  maxEntryBytes?: number | undefined;
  /** Also answers to questions that mean the same. Default none. */
  semantic?: SemanticOptions | undefined;
  /** Questions that are asked when the kit starts, in the class `batch`, so that their answers are kept. Default none. */
  warm?: readonly WarmRequest[] | undefined;
}

/** A question that is asked before anybody does. */
export interface WarmRequest {
  /** For whose members the answer is kept. Default for principals without a tenant. */
  tenant?: string | undefined;
  /** A body of `/chat` or of `/generate`. */
  request: Readonly<Record<string, unknown>>;
}

/**
 * How questions are compared by what they mean: the last words of the user, while everything else must be equal. A model
 * that finds two of them near may be wrong; that is for the operator to judge.
 */
export interface SemanticOptions {
  /** The embedding model. */
  model: string;
  /** The least cosine of the angle between two vectors that counts as the same; depends on the model. Default 0.95. */
  threshold?: number | undefined;
  /** Questions that are compared, in the memory of each process. Default 1,000, at most 10,000. */
  maxEntries?: number | undefined;
  /** Longest that a vector is waited for; then it is a miss. Default 2 s. */
  timeoutMs?: number | undefined;
}

/** The same with every default in place. */
export type SemanticSettings = { [Name in keyof SemanticOptions]-?: NonNullable<SemanticOptions[Name]> };

/** The options with every default in place. */
export interface CacheSettings {
  models: readonly string[];
  scope: 'tenant' | 'user';
  keep: boolean;
  coalesce: boolean;
  sampled: boolean;
  maxEntryBytes: number;
  semantic: SemanticSettings | undefined;
  warm: readonly WarmRequest[];
  bounds: CacheBounds;
}

const name = z.string().min(1).max(256);
const bytes = z.int().min(1024);

/** What may stand in the options of the kit. */
export const cacheSchema = z.strictObject({
  models: z.array(modelPattern).max(1000).optional(),
  scope: z.enum(['tenant', 'user']).optional(),
  keep: z.boolean().optional(),
  coalesce: z.boolean().optional(),
  sampled: z.boolean().optional(),
  ttlMs: z.number().min(1000).max(2_592_000_000).optional(),
  maxEntries: z.int().min(1).max(1_000_000).optional(),
  maxBytes: bytes.optional(),
  maxEntryBytes: bytes.max(16 * 1024 * 1024).optional(),
  semantic: z
    .strictObject({
      model: name,
      threshold: z.number().gt(0).max(1).optional(),
      maxEntries: z.int().min(1).max(10_000).optional(),
      timeoutMs: z.number().positive().max(60_000).optional(),
    })
    .optional(),
  warm: z
    .array(z.strictObject({ tenant: z.string().optional(), request: z.record(z.string(), z.unknown()) }))
    .max(1000)
    .optional(),
});

/** `undefined` when nothing is kept or shared. @throws {TypeError} for questions to be asked whose answers would not be kept. */
export function cacheSettings(given: CacheOptions | undefined): CacheSettings | undefined {
  if (given === undefined) return undefined;
  checkWarm(given);
  return {
    models: given.models ?? ['*'],
    scope: given.scope ?? 'tenant',
    keep: given.keep ?? true,
    coalesce: given.coalesce ?? true,
    sampled: given.sampled ?? false,
    maxEntryBytes: given.maxEntryBytes ?? 1024 * 1024,
    semantic: given.semantic && {
      model: given.semantic.model,
      threshold: given.semantic.threshold ?? 0.95,
      maxEntries: given.semantic.maxEntries ?? 1000,
      timeoutMs: given.semantic.timeoutMs ?? 2000,
    },
    warm: given.warm ?? [],
    bounds: {
      ttlMs: given.ttlMs ?? 3_600_000,
      maxEntries: given.maxEntries ?? 10_000,
      maxBytes: given.maxBytes ?? 64 * 1024 * 1024,
    },
  };
}

function checkWarm({ warm = [], keep, scope, sampled }: CacheOptions): void {
  const wrong = (where: string, why: string) =>
    new TypeError(`createServerKit(): the options are not valid.\n  cache.${where}: ${why}`);
  if (warm.length > 0 && keep === false) throw wrong('warm', 'keeps nothing while keep is false');
  if (warm.length > 0 && scope === 'user') throw wrong('warm', 'is nobody’s while scope is user');
  for (const [at, { request }] of warm.entries()) {
    const where = `warm.${at}.request`;
    let question: Question;
    try {
      question = questionOf('messages' in request ? parseChat(request) : parseGenerate(request));
    } catch (thrown) {
      throw wrong(where, thrown instanceof KitFailure ? thrown.message : 'is no body of /chat or /generate');
    }
    if (!question.isRepeatable && !sampled) {
      throw wrong(where, 'must have a temperature of 0 or a seed, or its answer is not kept');
    }
  }
}
