import * as z from 'zod';
import { parse } from '../request/parse.ts';
import { present } from '../surfaces/read-parts.ts';

/** Most texts of one request. A client sends more in several; ours does so by itself. */
export const maxInputs = 512;

/** Texts to be turned into vectors, checked. */
export interface EmbedBody {
  model: string;
  input: string[];
  dimensions?: number | undefined;
  truncate?: boolean | undefined;
}

const text = z.string().min(1);
const input = z.union([text, z.array(text).min(1).max(maxInputs)]);
const dimensions = z.number().int().min(1).max(65_536).nullish();
const model = z.string().min(1).max(256);

// `keep_alive` and `options` decide about memory that all users share: they are taken and dropped.
const nativeSchema = z.strictObject({
  model,
  input,
  dimensions,
  truncate: z.boolean().nullish(),
  keep_alive: z.union([z.number(), z.string()]).nullish(),
  options: z.record(z.string(), z.unknown()).nullish(),
});
const ollamaSchema = z.object(nativeSchema.shape);
const oldSchema = z.object({ model, prompt: text });
const openAiSchema = z.object({
  model,
  input,
  dimensions,
  encoding_format: z.enum(['float', 'base64']).nullish(),
});

/** `/embed`. @throws {KitFailure} `bad_request` */
export function parseEmbed(value: unknown): EmbedBody {
  return bodyOf(parse(nativeSchema, value));
}

/** `/api/embed`. @throws {KitFailure} `bad_request` */
export function parseOllamaEmbed(value: unknown): EmbedBody {
  return bodyOf(parse(ollamaSchema, value));
}

/** `/api/embeddings`: one text. @throws {KitFailure} `bad_request` */
export function parseOldEmbed(value: unknown): EmbedBody {
  const { model: name, prompt } = parse(oldSchema, value);
  return { model: name, input: [prompt] };
}

/** `/v1/embeddings`, and whether the vectors are wanted as base64. @throws {KitFailure} `bad_request` */
export function parseOpenAiEmbed(value: unknown): { body: EmbedBody; asBase64: boolean } {
  const wire = parse(openAiSchema, value);
  return { body: bodyOf(wire), asBase64: wire.encoding_format === 'base64' };
}

function bodyOf(wire: {
  model: string;
  input: string | string[];
  dimensions?: number | null | undefined;
  truncate?: boolean | null | undefined;
}): EmbedBody {
  const { model: name, input: texts, dimensions: size, truncate } = wire;
  return {
    model: name,
    input: typeof texts === 'string' ? [texts] : texts,
    ...present({ dimensions: size, truncate }),
  };
}
