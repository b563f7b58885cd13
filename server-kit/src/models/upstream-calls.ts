import { NdjsonSplitter, ProtocolError, parseJson } from '@ziggie/llm-protocol';
import { classifyOllamaError } from '@ziggie/llm-protocol/ollama';
import { KitFailure } from '../failure.ts';
import type { StopSignal } from '../stop.ts';
import {
  recordFailure,
  statusFailure,
  streamFailure,
  transportFailure,
  upstreamFailure,
} from '../upstream/failures.ts';
import type { Transport, UpstreamBody } from '../upstream/transport.ts';
import { type Patience, TimedWait } from './patience.ts';

const maxRecordBytes = 64 * 1024;

interface AdminCall {
  method: 'POST' | 'DELETE';
  path: string;
  body: object;
}

/**
 * Asks a model server for something that answers in records, and hands each on.
 *
 * @throws {KitFailure} also for an error inside the stream, and when it takes longer than the patience for it.
 */
export async function recordsOf(
  transport: Transport,
  { method, path, body }: AdminCall,
  left: StopSignal,
  patience: Patience,
  onRecord: (record: Readonly<Record<string, unknown>>) => void = () => {},
): Promise<void> {
  const waiting = new TimedWait(left, patience);
  const { signal } = waiting;
  let phase: 'head' | 'body' = 'head';
  let source: UpstreamBody | undefined;
  try {
    const answer = await transport.send({ method, path, body: JSON.stringify(body), signal });
    source = answer.body;
    if (answer.status !== 200) throw await statusFailure(answer);
    phase = 'body';
    const decoder = new TextDecoder();
    const lines = new NdjsonSplitter(maxRecordBytes);
    const onLine = (line: string) => onRecord(recordIn(line));
    for (let chunk = await answer.body.read(); chunk !== null; chunk = await answer.body.read()) {
      waiting.heard();
      lines.push(decoder.decode(chunk, { stream: true }), onLine);
    }
    lines.end(onLine);
  } catch (thrown) {
    if (signal.aborted) {
      throw signal.reason instanceof KitFailure
        ? signal.reason
        : new KitFailure('aborted', 'The caller left before this was done.');
    }
    throw thrown instanceof ProtocolError ? recordFailure(thrown) : transportFailure(thrown, phase);
  } finally {
    // A server that goes on after what was refused is not listened to.
    source?.cancel();
    waiting.end();
  }
}

function recordIn(line: string): Readonly<Record<string, unknown>> {
  const record = parseJson(line);
  if (typeof record !== 'object' || record === null) {
    throw upstreamFailure('malformed_record', 'a record is not an object');
  }
  const { error } = record as { error?: unknown };
  if (typeof error !== 'string') return record as Readonly<Record<string, unknown>>;
  // What the registry does not have comes as a failure of the server.
  if (/file does not exist|manifest unknown|not found/i.test(error)) {
    throw upstreamFailure('model_not_found', 'the registry does not have it');
  }
  const { code, retryable } = classifyOllamaError(undefined, error, error);
  throw streamFailure(code, retryable);
}
