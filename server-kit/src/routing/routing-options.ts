import * as z from 'zod';

/** Why a request may go to another model than the one it asked for. */
export const fallbackReasons = [
  /** No upstream has the model. */
  'missing',
  /** Every upstream that has it is down, or failed before its first event. */
  'unavailable',
  /** Every place for it is taken. */
  'busy',
  /** It would have to be loaded first. */
  'cold',
  /** A limit that belongs to it is used up. */
  'quota',
] as const;

/** One of those reasons. */
export type FallbackReason = (typeof fallbackReasons)[number];

/** A model behind an alias. */
export interface AliasTarget {
  model: string;
  /** Its share beside the others. Default 1. */
  weight?: number | undefined;
  /** Only for callers with one of these roles. Default everybody. */
  roles?: readonly string[] | undefined;
}

/** A model to go to instead. */
export interface Fallback {
  model: string;
  /** When. Default `missing`, `unavailable`, `busy` and `quota`. */
  on?: readonly FallbackReason[] | undefined;
}

/** Which model answers to which name. */
export interface RoutingOptions {
  /**
   * Names of your own for models: one, or several with shares. Who gets which of several stays the same for a principal as
   * long as the shares do.
   */
  aliases?: Readonly<Record<string, string | readonly AliasTarget[]>> | undefined;
  /** The same for kinds of work; callers write `task:code`. */
  tasks?: Readonly<Record<string, string | readonly AliasTarget[]>> | undefined;
  /** Where a request goes when its model cannot take it, in this order. Only to models that the caller may use. */
  fallbacks?: Readonly<Record<string, readonly Fallback[]>> | undefined;
}

const name = z.string().min(1).max(256);
const targets = z.union([
  name,
  z
    .array(
      z.strictObject({
        model: name,
        weight: z.number().positive().max(1e6).optional(),
        roles: z.array(z.string().min(1).max(64)).min(1).optional(),
      }),
    )
    .min(1)
    .max(32),
]);

/** Checks the routing options. */
export const routingSchema = z.strictObject({
  aliases: z.record(name, targets).optional(),
  tasks: z
    .record(
      z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, { error: 'must be letters, digits, ".", "_" or "-"' }),
      targets,
    )
    .optional(),
  fallbacks: z
    .record(
      name,
      z
        .array(z.strictObject({ model: name, on: z.array(z.enum(fallbackReasons)).min(1).optional() }))
        .min(1)
        .max(8),
    )
    .optional(),
});
