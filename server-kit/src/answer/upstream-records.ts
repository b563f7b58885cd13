import { MAX_ANSWER_BYTES, NdjsonSplitter, ProtocolError, parseJson } from '@ziggie/llm-protocol';
import type { Lease } from '../lease.ts';
import { recordFailure, statusFailure, transportFailure, upstreamFailure } from '../upstream/failures.ts';
import type { Transport, UpstreamBody } from '../upstream/transport.ts';
import type { PhaseClock } from './phase-clock.ts';

/** How long the end of an answer is waited for after its last record, so that the connection can be used again. */
const tailMs = 50;

/** The records of one answer, pulled from the model server. Everything that goes wrong is a `KitFailure`. */
export class UpstreamRecords {
  readonly #transport: Transport;
  readonly #path: string;
  readonly #body: string;
  readonly #lease: Lease;
  readonly #clock: PhaseClock;
  readonly #splitter = new NdjsonSplitter();
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  #source: UpstreamBody | undefined;
  #bytes = 0;

  constructor(transport: Transport, path: string, body: string, lease: Lease, clock: PhaseClock) {
    this.#transport = transport;
    this.#path = path;
    this.#body = body;
    this.#lease = lease;
    this.#clock = clock;
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

  async #open(): Promise<UpstreamBody> {
    const answer = await this.#transport.send({
      method: 'POST',
      path: this.#path,
      body: this.#body,
      signal: this.#lease.signal,
    });
    if (answer.status !== 200) throw await statusFailure(answer);
    if (/^text\/html/i.test(answer.contentType))
      throw upstreamFailure('malformed_record', 'HTML instead of records');
    return answer.body;
  }

  #take(chunk: Uint8Array): unknown[] {
    this.#bytes += chunk.byteLength;
    if (this.#bytes > MAX_ANSWER_BYTES) throw upstreamFailure('response_too_large', 'answer above 64 MiB');
    const records: unknown[] = [];
    this.#splitter.push(this.#decoder.decode(chunk, { stream: true }), (line) =>
      records.push(parseJson(line)),
    );
    return records;
  }

  #finish(): unknown[] {
    const records: unknown[] = [];
    try {
      this.#splitter.end((line) => records.push(parseJson(line)));
    } catch {
      throw upstreamFailure('truncated', 'ended within a record');
    }
    if (records.length === 0) throw upstreamFailure('truncated', 'ended without a last record');
    return records;
  }
}
