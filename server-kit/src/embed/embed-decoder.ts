import { ProtocolError, parseJson, type StreamEventBody, type Timings } from '@ziggie/llm-protocol';
import { OllamaDecoder, type OllamaRecord, timingsOf } from '@ziggie/llm-protocol/ollama';
import { endOfBody, type RecordDecoder, type RecordText } from '../upstreams/record-decoder.ts';
import type { UpstreamDialect } from '../upstreams/upstream-settings.ts';

/** Reads the one record of an answer with vectors. */
export class EmbedDecoder implements RecordDecoder {
  readonly #dialect: UpstreamDialect;
  readonly #count: number;
  readonly #estimate: number;
  #vectors: number[][] | undefined;

  /** @param count How many vectors there must be. @param estimate Tokens of the texts, for when nobody counted. */
  constructor(dialect: UpstreamDialect, count: number, estimate: number) {
    this.#dialect = dialect;
    this.#count = count;
    this.#estimate = estimate;
  }

  get ended(): boolean {
    return this.#vectors !== undefined;
  }

  /** The vectors, in the order of their texts, once {@link EmbedDecoder.ended}. */
  get vectors(): readonly (readonly number[])[] {
    return this.#vectors ?? [];
  }

  /** @throws {ProtocolError} when it is not such a record, or its vectors cannot be right. */
  read(record: RecordText, events: StreamEventBody[]): void {
    if (record === endOfBody) return;
    const wire = parseJson(record);
    events.push(...(this.#dialect === 'ollama' ? this.#ollama(wire) : this.#openAi(wire)));
  }

  #ollama(record: unknown): StreamEventBody[] {
    const wire = object(record);
    // An error under 200 reads like one in a stream.
    if (wire['error'] !== undefined) return new OllamaDecoder().decode(record);
    this.#vectors = this.#checked(wire['embeddings']);
    return this.#end(wire['prompt_eval_count'], timingsOf(wire as OllamaRecord));
  }

  #openAi(record: unknown): StreamEventBody[] {
    const wire = object(record);
    const rows = Array.isArray(wire['data']) ? wire['data'].map(object) : [];
    const ordered = rows.toSorted((a, b) => Number(a['index']) - Number(b['index']));
    this.#vectors = this.#checked(ordered.map((row) => row['embedding']));
    return this.#end(object(wire['usage'])['prompt_tokens'], {});
  }

  #end(counted: unknown, timings: Timings): StreamEventBody[] {
    const isCounted = typeof counted === 'number' && Number.isSafeInteger(counted) && counted > 0;
    return [
      {
        type: 'usage',
        inputTokens: isCounted ? counted : this.#estimate,
        outputTokens: 0,
        source: isCounted ? 'upstream' : 'estimated',
      },
      { type: 'done', finishReason: 'stop', timings },
    ];
  }

  /** Too few, empty, of two lengths or with a hole: a search over such vectors would be wrong without a word. */
  #checked(value: unknown): number[][] {
    const vectors = Array.isArray(value) ? (value as unknown[]) : [];
    const length = Array.isArray(vectors[0]) ? vectors[0].length : 0;
    const isRight = (vector: unknown) =>
      Array.isArray(vector) && vector.length === length && vector.every((one) => Number.isFinite(one));
    if (vectors.length !== this.#count || length === 0 || !vectors.every(isRight)) {
      throw new ProtocolError(
        'malformed_record',
        'Reading vectors: they are not one of the same length for each text.',
      );
    }
    return vectors as number[][];
  }
}

function object(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
