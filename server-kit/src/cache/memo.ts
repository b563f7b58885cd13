import type { StreamEventBody, UsageEvent } from '@ziggie/llm-protocol';
import * as z from 'zod';
import type { EmbedBody } from '../embed/embed-body.ts';
import { canonicalJson } from '../streams/canonical-json.ts';
import { readKept } from './read-kept.ts';

/** One vector for each text. */
export type Vectors = readonly (readonly number[])[];

/** What is asked for vectors, and how they are kept and given again: no sampling, and nothing that is written piece by piece. */
export interface VectorMemo {
  /** Everything that is asked, in one form. */
  readonly question: string;
  /** The vectors of this request, wherever they come from, once its answer has ended. */
  vectors(): Vectors;
  /** Those that a model has made for this request itself, or for all who share its run. */
  readonly made: () => Vectors;
  /** They are made for another request, which asks the same. */
  shareOf(made: () => Vectors): void;
  /** Reads what was kept; `undefined` for what is broken or of another key. */
  read(key: string, text: string): Omit<UsageEvent, 'type'> | undefined;
}

const count = z.number().int().min(0);
const keptSchema = z.strictObject({
  key: z.string(),
  vectors: z.array(z.array(z.number()).min(1)),
  usage: z.strictObject({
    inputTokens: count,
    outputTokens: count,
    source: z.enum(['upstream', 'estimated']),
  }),
});

/** How the vectors of some texts are kept and shared. */
export function vectorMemo({ input, dimensions, truncate }: EmbedBody, made: () => Vectors): VectorMemo {
  let source = made;
  return {
    question: canonicalJson({ kind: 'embed', input, dimensions, truncate }),
    made,
    vectors: () => source(),
    shareOf(others) {
      source = others;
    },
    read(key, text) {
      const kept = readKept(keptSchema, key, text);
      if (kept === undefined) return undefined;
      const { vectors, usage } = kept;
      const length = vectors[0]?.length;
      if (vectors.length !== input.length || vectors.some((one) => one.length !== length)) return undefined;
      source = () => vectors;
      return usage;
    },
  };
}

/** The text under which vectors are kept. */
export function keptVectors(
  key: string,
  vectors: Vectors,
  events: readonly StreamEventBody[],
): string | undefined {
  const usage = events.find((event) => event.type === 'usage');
  if (usage === undefined || vectors.length === 0) return undefined;
  const { inputTokens, outputTokens, source } = usage;
  return JSON.stringify({ key, vectors, usage: { inputTokens, outputTokens, source } });
}
