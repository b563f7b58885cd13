import * as z from 'zod';
import { modelPattern } from '../upstream/model-pattern.ts';
import { limitScopes, limitUnits } from './limit-rules.ts';
import { windowUnits } from './window.ts';
import { isTimeZone } from './zone.ts';

const timeZone = z.string().refine(isTimeZone, { error: 'must be a time zone such as "Europe/Berlin"' });

/** A limit on things that are counted. Whole: half a request can never be given out, so such a limit would refuse everything. */
export const count = z.union([z.int().min(1), z.literal(Number.POSITIVE_INFINITY)], {
  error: 'must be a whole number of at least 1, or Infinity for no limit',
});

const rule = z
  .strictObject({
    per: z.enum(limitScopes),
    unit: z.enum(limitUnits),
    limit: z.number().positive().max(1_000_000_000_000),
    window: z.enum(windowUnits).optional(),
    burst: z.int().min(1).optional(),
    timeZone: timeZone.optional(),
    roles: z.array(z.string().min(1)).min(1).optional(),
    models: z.array(modelPattern).min(1).optional(),
    name: z
      .string()
      .regex(/^[A-Za-z0-9-]{1,64}$/, { error: 'must be letters, digits and dashes, at most 64' })
      .optional(),
  })
  .superRefine(({ per, unit, limit, window, burst, roles }, context) => {
    const fault = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (unit === 'inFlight' && window !== undefined)
      fault('window', 'must be left out: inFlight counts one moment');
    if (unit !== 'inFlight' && window === undefined)
      fault('window', 'is missing: minute, hour, day or month');
    if (!['gpuSeconds', 'cost'].includes(unit) && !Number.isInteger(limit))
      fault('limit', 'must be a whole number');
    const smooth = unit === 'requests' && (window === 'minute' || window === 'hour');
    if (burst !== undefined && !smooth) fault('burst', 'is for requests per minute or hour');
    if (per === 'address' && unit === 'requests' && roles) {
      fault('roles', 'must be left out: requests of an address are counted before anybody is known');
    }
  });

/** `limits` of the kit's options. */
export const limitsSchema = z.strictObject({
  requestsPerMinute: count.optional(),
  requestsPerMinutePerAddress: count.optional(),
  failedSignInsPerMinute: count.optional(),
  maxInFlight: count.optional(),
  maxBodyBytes: z.number().int().positive().optional(),
  maxImageBodyBytes: z.number().int().positive().optional(),
  timeZone: timeZone.optional(),
  rules: z.array(rule).max(64).optional(),
});

/** `prices` of the kit's options. */
export const pricesSchema = z.record(
  modelPattern,
  z.strictObject({
    inputPerMillion: z.number().min(0).max(1_000_000),
    outputPerMillion: z.number().min(0).max(1_000_000),
  }),
);
