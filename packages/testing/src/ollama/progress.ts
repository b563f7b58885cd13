import { goJson } from './go-json.ts';
import { ClientLeft, Cut, HttpFailure } from './http-failure.ts';
import type { RequestBody } from './request-body.ts';
import type { Incoming, Outgoing, Pieces } from './world.ts';

/** One line of pull, push or create. Members that are 0 are left out, as `omitempty` does. */
export interface ProgressRecord {
  status: string;
  digest?: string | undefined;
  total?: number | undefined;
  completed?: number | undefined;
}

export type ProgressRecords = AsyncGenerator<ProgressRecord, void, void>;

/** Ollama reports a download about so often. */
export const PROGRESS_EVERY_MS = 60;

/**
 * Answers with progress, or with the last record alone when it is not streamed. A failure after the first record is a
 * line with status 200 in a stream, and 500 without one.
 */
export async function answerProgress(
  incoming: Incoming,
  body: RequestBody,
  records: ProgressRecords,
): Promise<Outgoing> {
  const contentType = { 'content-type': 'application/json' };
  if (body.bool('stream') ?? true) {
    const first = await nextOf(records);
    return {
      status: 200,
      headers: { 'content-type': 'application/x-ndjson' },
      body: lines(incoming, first, records),
    };
  }
  let last: ProgressRecord = { status: '' };
  for await (const record of wrapped(records)) last = record;
  incoming.onRecord();
  incoming.onComplete();
  return { status: 200, headers: contentType, body: goJson(lineOf(last)) };
}

/** A failure before any record keeps its own status. */
async function nextOf(records: ProgressRecords) {
  try {
    return await records.next();
  } catch (cause) {
    throw asStreaming(cause);
  }
}

async function* wrapped(records: ProgressRecords): ProgressRecords {
  try {
    yield* records;
  } catch (cause) {
    throw asStreaming(cause);
  }
}

function asStreaming(cause: unknown): unknown {
  if (!(cause instanceof HttpFailure)) return cause;
  return new HttpFailure(cause.status, cause.message, { fromRunner: true });
}

async function* lines(
  incoming: Incoming,
  first: IteratorResult<ProgressRecord, void>,
  rest: ProgressRecords,
): Pieces {
  try {
    for (let next = first; !next.done; next = await rest.next()) {
      incoming.onRecord();
      if (next.value.status === 'success') incoming.onComplete();
      yield `${goJson(lineOf(next.value))}\n`;
    }
  } catch (cause) {
    if (!(cause instanceof ClientLeft)) incoming.onComplete();
    if (cause instanceof ClientLeft || cause instanceof Cut || !(cause instanceof HttpFailure)) throw cause;
    incoming.onRecord();
    yield `${goJson({ error: cause.message })}\n`;
  } finally {
    // Whoever downloads for a reader that is gone lets go.
    await rest.return();
  }
}

function lineOf({ status, digest, total, completed }: ProgressRecord): ProgressRecord {
  return {
    status,
    digest: digest || undefined,
    total: total || undefined,
    completed: completed || undefined,
  };
}
