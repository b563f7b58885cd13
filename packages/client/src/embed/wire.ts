import { ProtocolError } from '@ziggie/llm-protocol';
import type { EmbedRequest } from './types.ts';

/** The vectors of one batch and the tokens they took, where the server counted. */
export interface BatchVectors {
  vectors: number[][];
  tokens: number | undefined;
}

/** How a kind of server is asked for vectors. */
export interface EmbedWire {
  path: string;
  body(request: EmbedRequest, input: readonly string[]): object;
  read(body: unknown): BatchVectors;
}

/** `/api/embed`, and the same of the kit. */
function native(path: string): EmbedWire {
  return {
    path,
    body: ({ model, dimensions, truncate, options, keepAlive }, input) => ({
      model,
      input,
      dimensions,
      truncate,
      options,
      keep_alive: keepAlive,
    }),
    read(body) {
      const { embeddings, prompt_eval_count: tokens } = (body ?? {}) as Record<string, unknown>;
      return { vectors: vectorsOf(embeddings), tokens: typeof tokens === 'number' ? tokens : undefined };
    },
  };
}

/** `/embeddings` of OpenAI-compatible servers: each vector says which text it belongs to. */
const openai: EmbedWire = {
  path: '/embeddings',
  body: ({ model, dimensions }, input) => ({ model, input, dimensions, encoding_format: 'float' }),
  read(body) {
    const { data, usage } = (body ?? {}) as { data?: unknown; usage?: { prompt_tokens?: unknown } };
    if (!Array.isArray(data)) throw unreadable('there is no list');
    const vectors: unknown[] = [];
    for (const [position, entry] of data.entries()) {
      const { index = position, embedding } = (entry ?? {}) as { index?: unknown; embedding?: unknown };
      if (typeof index !== 'number' || !(index in data)) throw unreadable('an index is out of range');
      vectors[index] = embedding;
    }
    const tokens = usage?.prompt_tokens;
    return { vectors: vectorsOf(vectors), tokens: typeof tokens === 'number' ? tokens : undefined };
  },
};

export function embedWire(target: string): EmbedWire {
  return target === 'openai' ? openai : native(target === 'ollama' ? '/api/embed' : '/embed');
}

/** `/api/embeddings` of Ollama before 0.3: one text, one vector. */
export const legacyWire: EmbedWire = {
  path: '/api/embeddings',
  body: ({ model, options, keepAlive }, [prompt]) => ({ model, prompt, options, keep_alive: keepAlive }),
  read: (body) => ({
    vectors: vectorsOf([(body as { embedding?: unknown } | null)?.embedding]),
    tokens: undefined,
  }),
};

function vectorsOf(value: unknown): number[][] {
  if (!Array.isArray(value)) throw unreadable('there is no list');
  for (const vector of value) {
    const whole = Array.isArray(vector) && vector.length > 0 && vector.every((one) => Number.isFinite(one));
    if (!whole) throw unreadable('a vector is empty or not all numbers');
  }
  return value as number[][];
}

export function unreadable(found: string): ProtocolError {
  return new ProtocolError('malformed_record', `Reading vectors: ${found}.`);
}
