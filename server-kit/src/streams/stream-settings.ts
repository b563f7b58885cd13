import * as z from 'zod';
import type { StreamBounds } from './stream-store.ts';

/** How answers survive a lost connection. */
export interface ResumeOptions {
  /** How long an answer is written on after its last reader has gone. Default 30 s. */
  graceMs?: number | undefined;
  /** How long a finished answer can be read again. Default 5 min. */
  keepMs?: number | undefined;
  /** Of one answer; beyond that its oldest events go. Default 4 MiB. */
  maxStreamBytes?: number | undefined;
  /** Of all answers in the memory of this process; beyond that the oldest finished ones go. Default 64 MiB. */
  maxBytes?: number | undefined;
  /** Of one principal; beyond that the oldest finished ones go. Default 32. */
  maxStreamsPerPrincipal?: number | undefined;
}

/** The options with every default in place. */
export interface ResumeSettings {
  bounds: StreamBounds;
  maxBytes: number;
}

const milliseconds = z.number().positive().max(86_400_000);
const bytes = z.int().min(64 * 1024);

/** What may stand in the options of the kit. */
export const resumeSchema = z.union(
  [
    z.literal(false),
    z.strictObject({
      graceMs: milliseconds.optional(),
      keepMs: milliseconds.optional(),
      maxStreamBytes: bytes.optional(),
      maxBytes: bytes.optional(),
      maxStreamsPerPrincipal: z.int().min(1).max(10_000).optional(),
    }),
  ],
  { error: 'must be false, or graceMs, keepMs, maxStreamBytes, maxBytes and maxStreamsPerPrincipal' },
);

/** `undefined` when answers end with their connection. */
export function resumeSettings(given: ResumeOptions | false = {}): ResumeSettings | undefined {
  if (given === false) return undefined;
  return {
    bounds: {
      graceMs: given.graceMs ?? 30_000,
      keepMs: given.keepMs ?? 300_000,
      maxBytes: given.maxStreamBytes ?? 4 * 1024 * 1024,
      maxPerOwner: given.maxStreamsPerPrincipal ?? 32,
    },
    maxBytes: given.maxBytes ?? 64 * 1024 * 1024,
  };
}
