import type { ModelOptions, Usage } from '@ziggie/llm-protocol';
import type { Attempt } from '../types.ts';

/** Texts to be turned into vectors. */
export interface EmbedRequest {
  model: string;
  input: string | readonly string[];
  /** Shortens each vector to so many numbers, where the model allows that. */
  dimensions?: number | undefined;
  /** `false`: a text longer than the model's context is an error (`context_overflow`) instead of being cut. */
  truncate?: boolean | undefined;
  options?: ModelOptions | undefined;
  keepAlive?: number | string | undefined;
  /** Texts in one request. Default 32: one bad text fails its whole batch on the server. */
  batchSize?: number | undefined;
  /** Requests at once. Default 4. */
  concurrency?: number | undefined;
}

/** Vectors, in the order of the texts. */
export interface EmbedResult {
  /** One for each text, all of one length. */
  embeddings: number[][];
  model: string;
  usage: Usage;
  /** Tries of all batches together. */
  attempts: Attempt[];
}
