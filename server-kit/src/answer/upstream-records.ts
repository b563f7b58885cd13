import {
  MAX_ANSWER_BYTES,
  NdjsonSplitter,
  ProtocolError,
  parseJson,
  SseSplitter,
} from '@ziggie/llm-protocol';
import type { Lease } from '../lease.ts';
import { recordFailure, statusFailure, transportFailure, upstreamFailure } from '../upstream/failures.ts';
import type { Transport, UpstreamBody } from '../upstream/transport.ts';
import { endOfBody, type UpstreamCall } from '../upstreams/upstream-call.ts';
import type { UpstreamDialect } from '../upstreams/upstream-settings.ts';
import type { PhaseClock } from './phase-clock.ts';

/** How long the end of an answer is waited for after its last record, so that the connection can be used again. */
const tailMs = 50;

/** Cuts a body into records. */
interface Splitter {
  push(text: string, onRecord: (text: string) => void): void;
  end(onRecord: (text: string) => void): void;
}

/** Where an answer comes from. */
export interface RecordSource {
  readonly transport: Transport;
  readonly dialect: UpstreamDialect;
}

/**
 * The records of one answer, pulled from the model server: parsed lines of Ollama, texts of events of OpenAI's dialect.
 * Everything that goes wrong is a `KitFailure`.
 */
export class UpstreamRecords {
  readonly #from: RecordSource;
  readonly #call: UpstreamCall;
  readonly #lease: Lease;
  readonly #clock: PhaseClock;
  #splitter: Splitter;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  #source: UpstreamBody | undefined;
  #bytes = 0;
  #isFinished = false;

  constructor(from: RecordSource, call: UpstreamCall, lease: Lease, clock: PhaseClock) {
    this.#from = from;
    this.#call = call;
    this.#lease = lease;
    this.#clock = clock;
    this.#splitter = from.dialect === 'ollama' ? new NdjsonSplitter() : new SseSplitter();
  }

  /**
   * The records that the next bytes complete, maybe none. Never an end: only a record can say that an answer is whole.
   *
   * @throws {KitFailure} `truncated` when the bytes end.
   */
  async next(): Promise<unknown[]> {
    const { signal } = this.#lease;
    // Bytes may wait that were read before the end: they belong to nobody any more.
    if (signal.aborted) throw signal.reason;
    this.#clock.resume();
    try {
      this.#source ??= await this.#open();
      const chunk = await this.#source.read();
      return chunk === null ? this.#finish() : this.#take(chunk);
    } catch (thrown) {
      if (signal.aborted) throw signal.reason;
      if (thrown instanceof ProtocolError) throw recordFailure(thrown);
      // A byte sequence that is not UTF-8.
      if (thrown instanceof TypeError && this.#source) throw upstreamFailure('malformed_record', 'not UTF-8');
      throw transportFailure(thrown, this.#source ? 'body' : 'head');
    } finally {
      this.#clock.pause();
    }
  }

  /** Waits a moment for the end that follows the last record. A broken end does not matter any more. */
  async tail(): Promise<void> {
    const source = this.#source;
    if (!source) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#lease.setTimer(resolve, tailMs);
      const done = () => {
        cancel();
        resolve();
      };
      source.read().then(done, done);
    });
  }

  /** Lets go of an answer that is not wanted any more. */
  cancel(): void {
    this.#source?.cancel();
  }

  async #open(): Promise<UpstreamBody> {
    const { transport, dialect } = this.#from;
    const { path, body } = this.#call;
    const answer = await transport.send({ method: 'POST', path, body, signal: this.#lease.signal });
    // Kept before it is judged: what is refused here must be closed as well.
    this.#source = answer.body;
    if (answer.status !== 200) throw await statusFailure(answer, dialect);
    if (/^text\/html/i.test(answer.contentType))
      throw upstreamFailure('malformed_record', 'HTML instead of records');
    // Some servers answer a request for a stream with one whole answer, or an error, under 200.
    if (dialect === 'openai' && /^application\/json/i.test(answer.contentType)) {
      this.#splitter = new WholeBody();
    }
    return answer.body;
  }

  #take(chunk: Uint8Array): unknown[] {
    this.#bytes += chunk.byteLength;
    if (this.#bytes > MAX_ANSWER_BYTES) throw upstreamFailure('response_too_large', 'answer above 64 MiB');
    const records: unknown[] = [];
    const text = this.#decoder.decode(chunk, { stream: true });
    this.#splitter.push(text, (record) => records.push(this.#parsed(record)));
    return records;
  }

  #parsed(text: string): unknown {
    return this.#from.dialect === 'ollama' ? parseJson(text) : text;
  }

  #finish(): unknown[] {
    const records: unknown[] = [];
    try {
      if (!this.#isFinished) this.#splitter.end((record) => records.push(this.#parsed(record)));
    } catch {
      throw upstreamFailure('truncated', 'ended within a record');
    }
    if (this.#from.dialect === 'openai' && !this.#isFinished) records.push(endOfBody);
    this.#isFinished = true;
    if (records.length === 0) throw upstreamFailure('truncated', 'ended without a last record');
    return records;
  }
}

/** A body that is one record. */
class WholeBody implements Splitter {
  #text = '';

  push(text: string): void {
    this.#text += text;
  }

  end(onRecord: (text: string) => void): void {
    if (this.#text.trim() !== '') onRecord(this.#text);
  }
}
