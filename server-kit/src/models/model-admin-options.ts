import * as z from 'zod';
import { modelPattern } from '../upstream/model-pattern.ts';
import { type PullRules, partsOfName } from './pullable-name.ts';

/** How administrators change the models of the servers. */
export interface ModelAdminOptions {
  /**
   * What may be pulled: names, beginnings such as `llama3*`, or `*`. A beginning does not go over a slash: `llama3*` is not
   * `llama3-friends/model`, and `team/*` is all of `team`. Default `['*']`; `[]` for nothing.
   */
  pull?: readonly string[] | undefined;
  /**
   * Hosts that the name of a model may begin with, such as `hf.co`: the model servers will call them. Default none, so that
   * models come from the registry that each server has by itself.
   */
  registries?: readonly string[] | undefined;
  /** Pulls that go on at once. Default 4. */
  maxPulls?: number | undefined;
}

/** The options with every default in place. */
export interface ModelAdminSettings extends PullRules {
  maxPulls: number;
}

/** The zod schema of {@link ModelAdminOptions}; `false` serves none of it. */
export const modelAdminSchema = z.union([
  z.literal(false),
  z.strictObject({
    pull: z.array(modelPattern).max(1000).optional(),
    registries: z
      .array(
        z.string().refine((host) => partsOfName(`${host}/a/b`)?.host === host.toLowerCase(), {
          error: 'must be a host, with a port if need be, such as "hf.co"',
        }),
      )
      .max(100)
      .optional(),
    maxPulls: z.int().min(1).max(100).optional(),
  }),
]);

/** @returns `undefined` when models are not changed through the kit. */
export function modelAdminSettings(
  options: ModelAdminOptions | false | undefined,
): ModelAdminSettings | undefined {
  if (options === false) return undefined;
  return {
    pull: options?.pull ?? ['*'],
    registries: (options?.registries ?? []).map((host) => host.toLowerCase()),
    maxPulls: options?.maxPulls ?? 4,
  };
}
