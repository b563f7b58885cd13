import * as z from 'zod';

/** How requests wait for a free place. */
export interface QueueOptions {
  /** Requests that may wait for one model. Default 100; 0 refuses at once. */
  maxPerModel?: number | undefined;
  /** Longest wait in ms; the time in which the model is being loaded does not count. Default 5 min. */
  maxWaitMs?: number | undefined;
  /** How long `batch` requests can go without a turn while others are served, in ms. Default 60 s. */
  batchGuardMs?: number | undefined;
}

/** The options of the queue with every default in place. */
export type QueueSettings = Required<{ [Name in keyof QueueOptions]: number }>;

const milliseconds = z.number().positive().max(86_400_000);

/** What the options of the queue may be. */
export const queueSchema = z.strictObject({
  maxPerModel: z.int().min(0).max(100_000).optional(),
  maxWaitMs: milliseconds.optional(),
  batchGuardMs: milliseconds.optional(),
});

/** Settings of checked options. */
export function queueSettings(options: QueueOptions = {}): QueueSettings {
  return {
    maxPerModel: options.maxPerModel ?? 100,
    maxWaitMs: options.maxWaitMs ?? 300_000,
    batchGuardMs: options.batchGuardMs ?? 60_000,
  };
}
