import type { DoneEvent, UsageEvent } from '@ziggie/llm-protocol';
import {
  type EmbedBody,
  parseEmbed,
  parseOldEmbed,
  parseOllamaEmbed,
  parseOpenAiEmbed,
} from './embed-body.ts';

/** Vectors in the order of their texts. */
export interface Embedded {
  /** As the caller named it. */
  model: string;
  vectors: readonly (readonly number[])[];
  usage: UsageEvent;
  done: DoneEvent;
}

/** A checked body and how its answer is written. */
export interface EmbedAsked {
  body: EmbedBody;
  write: (embedded: Embedded) => unknown;
}

/** Reads a body in the form of its path. @throws {KitFailure} `bad_request` */
export function readEmbed(path: string, value: unknown): EmbedAsked {
  switch (path) {
    case '/api/embeddings':
      return { body: parseOldEmbed(value), write: ({ vectors }) => ({ embedding: vectors[0] }) };
    case '/api/embed':
      return { body: parseOllamaEmbed(value), write: ollamaVectors };
    case '/v1/embeddings': {
      const { body, asBase64 } = parseOpenAiEmbed(value);
      return { body, write: (embedded) => openAiVectors(embedded, asBase64) };
    }
    default:
      return { body: parseEmbed(value), write: ollamaVectors };
  }
}

function ollamaVectors({ model, vectors, usage, done }: Embedded): unknown {
  const { totalMs, loadMs } = done.timings;
  return {
    model,
    embeddings: vectors,
    ...(totalMs === undefined ? {} : { total_duration: Math.round(totalMs * 1e6) }),
    ...(loadMs === undefined ? {} : { load_duration: Math.round(loadMs * 1e6) }),
    ...(usage.source === 'upstream' ? { prompt_eval_count: usage.inputTokens } : {}),
  };
}

function openAiVectors({ model, vectors, usage }: Embedded, asBase64: boolean): unknown {
  return {
    object: 'list',
    data: vectors.map((vector, index) => ({
      object: 'embedding',
      index,
      embedding: asBase64 ? base64Of(vector) : vector,
    })),
    model,
    usage: { prompt_tokens: usage.inputTokens, total_tokens: usage.inputTokens },
  };
}

/** Little-endian float32, as OpenAI documents `encoding_format`. */
function base64Of(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [at, value] of vector.entries()) bytes.writeFloatLE(value, at * 4);
  return bytes.toString('base64');
}
