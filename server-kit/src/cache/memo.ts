import type { UsageEvent } from '@ziggie/llm-protocol';
import * as z from 'zod';
import type { EmbedBody } from '../embed/embed-body.ts';
import { canonicalJson } from '../streams/canonical-json.ts';
import { readKept } from './read-kept.ts';

/** What is asked for vectors, and how they are kept and given again: no sampling, and nothing that is written piece by piece. */
export interface VectorMemo {
  /** Everything that is asked, in one form. */
  readonly question: string;
  /** Reads what was kept; `undefined` for what is broken or of another key. */
  read(key: string, text: string): Omit<UsageEvent, 'type'> | undefined;
  /** Set when vectors that come from a model are to be kept. */
  keep: ((textFor: (key: string) => string) => void) | undefined;
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

/** How the vectors of some texts are kept. `onRead` gets them when they were. */
export function vectorMemo(
  { input, dimensions, truncate }: EmbedBody,
  onRead: (vectors: readonly (readonly number[])[]) => void,
): VectorMemo {
  return {
    question: canonicalJson({ kind: 'embed', input, dimensions, truncate }),
    read(key, text) {
      const kept = readKept(keptSchema, key, text);
      if (kept === undefined) return undefined;
      const { vectors, usage } = kept;
      const length = vectors[0]?.length;
      if (vectors.length !== input.length || vectors.some((one) => one.length !== length)) return undefined;
      onRead(vectors);
      return usage;
    },
    keep: undefined,
  };
}

/** The text under which vectors are kept. */
export function keptVectors(
  key: string,
  vectors: readonly (readonly number[])[],
  { inputTokens, outputTokens, source }: UsageEvent,
): string {
  return JSON.stringify({ key, vectors, usage: { inputTokens, outputTokens, source } });
}
