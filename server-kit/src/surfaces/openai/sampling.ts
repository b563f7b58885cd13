import * as z from 'zod';
import { present } from '../read-parts.ts';

const number = z.number().nullish();

/** Members of both completion routes that say how tokens are chosen. */
export const sampling = {
  temperature: number,
  top_p: number,
  frequency_penalty: number,
  presence_penalty: number,
  seed: z.number().int().nullish(),
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
  max_tokens: z.number().int().min(1).nullish(),
};

/** Whether the counts are wanted at the end of a stream. */
export const streamOptions = z.object({ include_usage: z.boolean().nullish() }).nullish();

type Sampling = z.infer<z.ZodObject<typeof sampling>>;

/**
 * The same by Ollama's names. What is left out stays the model's own choice; Ollama's `/v1` sets temperature and top_p
 * to 1 then, which overrides what the model's author chose.
 */
export function samplingOptions(
  { temperature, top_p, frequency_penalty, presence_penalty, seed, stop, max_tokens }: Sampling,
  maxTokens: number | null | undefined,
): { options?: Record<string, unknown>; max_tokens?: number } {
  const options = present({
    temperature,
    top_p,
    frequency_penalty,
    presence_penalty,
    seed,
    stop: typeof stop === 'string' ? [stop] : stop,
  });
  const most = maxTokens ?? max_tokens;
  return {
    ...(Object.keys(options).length > 0 ? { options } : {}),
    ...(typeof most === 'number' ? { max_tokens: most } : {}),
  };
}
