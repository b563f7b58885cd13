import { callJson } from '../call/call-json.ts';
import { StreamError } from '../errors/stream-error.ts';
import { isZiggieError } from '../errors/ziggie-error.ts';
import type { Settings } from '../settings.ts';
import type { Attempt, CallOptions } from '../types.ts';
import { checkEmbedRequest } from './check-embed-request.ts';
import { inBatches } from './in-batches.ts';
import type { EmbedRequest, EmbedResult } from './types.ts';
import { type BatchVectors, type EmbedWire, embedWire, legacyWire, unreadable } from './wire.ts';

const BATCH_SIZE = 32;
const CONCURRENCY = 4;

/** Turns texts into vectors, in batches; each batch is retried for itself. */
export async function embed(
  settings: Settings,
  request: EmbedRequest,
  options: CallOptions,
): Promise<EmbedResult> {
  checkEmbedRequest(request);
  const { model, batchSize = BATCH_SIZE, concurrency = CONCURRENCY } = request;
  const texts = typeof request.input === 'string' ? [request.input] : [...request.input];
  const attempts: Attempt[] = [];
  let tokens: number | undefined = 0;
  let wire = embedWire(settings.target.name);
  // Batches that run when one fails end with it.
  const others = new AbortController();
  const stop = (): void => others.abort(options.signal?.reason);
  if (options.signal?.aborted) stop();
  options.signal?.addEventListener('abort', stop, { once: true });

  const ask = (by: EmbedWire, input: readonly string[]): Promise<BatchVectors> =>
    callJson(
      settings,
      { method: 'POST', path: by.path, body: by.body(request, input), operation: 'embed', model },
      { ...options, signal: others.signal },
      (body) => {
        const answer = by.read(body);
        if (answer.vectors.length !== input.length) throw unreadable('not one vector for each text');
        return answer;
      },
      (tries) => attempts.push(...tries),
    );

  async function batch(input: readonly string[]): Promise<number[][]> {
    if (wire === legacyWire) {
      const vectors: number[][] = [];
      for (const text of input) vectors.push(...(await ask(wire, [text])).vectors);
      tokens = undefined;
      return vectors;
    }
    try {
      const answer = await ask(wire, input);
      tokens = tokens === undefined || answer.tokens === undefined ? undefined : tokens + answer.tokens;
      return answer.vectors;
    } catch (error) {
      // No such route: an Ollama that is older than it.
      if (settings.target.name !== 'ollama' || !isZiggieError(error) || error.code !== 'not_found')
        throw error;
      wire = legacyWire;
      return batch(input);
    }
  }

  try {
    const embeddings = await inBatches(texts, { batchSize, concurrency }, batch);
    const length = embeddings[0]?.length;
    if (embeddings.some((vector) => vector.length !== length)) throw mixed();
    const source = tokens === undefined ? 'estimated' : 'upstream';
    return {
      embeddings,
      model,
      usage: { inputTokens: tokens ?? estimate(texts), outputTokens: 0, source },
      attempts: attempts.map((attempt, index) => ({ ...attempt, number: index + 1 })),
    };
  } catch (error) {
    others.abort(error);
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', stop);
  }
}

function mixed(): Error {
  return new StreamError('malformed_record', 'Reading vectors: they are not of one length.', {
    receivedEvents: 0,
  });
}

/** About four characters are one token of English. */
function estimate(texts: readonly string[]): number {
  return Math.ceil(texts.reduce((sum, text) => sum + text.length, 0) / 4);
}
