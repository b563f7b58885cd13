import {
  MAX_ANSWER_BYTES,
  NdjsonSplitter,
  ProtocolError,
  parseJson,
  SseSplitter,
} from '@ziggie/llm-protocol';
import { asFailure, type KitFailure } from '../failure.ts';
import type { Lease } from '../lease.ts';
import type { StopSignal } from '../stop.ts';
import { recordFailure, statusFailure, transportFailure, upstreamFailure } from '../upstream/failures.ts';
import type { BodyPiece, Transport, UpstreamBody } from '../upstream/transport.ts';
import { type Arrival, endOfBody, type RecordDecoder } from '../upstreams/record-decoder.ts';
import type { UpstreamCall } from '../upstreams/upstream-call.ts';
import type { UpstreamDialect } from '../upstreams/upstream-settings.ts';
import type { Waiter } from '../waiter.ts';
import type { PhaseClock } from './phase-clock.ts';
import { Utf8Text } from './utf8-text.ts';

/** How long the end of an answer is waited for after its last record, so that the connection can be used again. */
const tailMs = 50;
/** Bytes that are taken together at most when several pieces wait. */
const togetherBytes = 64 * 1024;

const lineEnd = 0x0a;
/** How many line ends close a record: it is a line, or an event with an empty line behind it. */
const lineEnds: Record<UpstreamDialect, number> = { ollama: 1, openai: 2 };

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
 * The records of one answer as text, pulled from the model server: lines of Ollama, data of the events of OpenAI's dialect.
 * What its decoder can tell from the bytes comes as events.
 * Everything that goes wrong is a `KitFailure`. A token costs no promise and no timer here.
 */
export class UpstreamRecords implements Waiter {
  readonly #from: RecordSource;
  readonly #call: UpstreamCall;
  readonly #decoder: RecordDecoder | undefined;
  readonly #lease: Pick<Lease, 'signal' | 'setTimer'>;
  readonly #signal: StopSignal;
  readonly #clock: PhaseClock;
  #splitter: Splitter;
  readonly #waiter: Waiter;
  readonly #text = new Utf8Text();
  #source: UpstreamBody | undefined;
  #state: 'new' | 'opening' | 'open' | 'ending' | 'over' = 'new';
  /** What went wrong behind records that are handed out first. */
  #failure: KitFailure | undefined;
  #bytes = 0;
  #isFinished = false;
  /** Whether the next byte begins a record. Not at the very beginning, where a byte order mark may be. */
  #isAtStart = false;
  #isDry = false;

  /** @param waiter Told when it is worth asking again after there were none. */
  constructor(
    from: RecordSource,
    call: UpstreamCall,
    decoder: RecordDecoder | undefined,
    lease: Pick<Lease, 'signal' | 'setTimer'>,
    clock: PhaseClock,
    waiter: Waiter,
  ) {
    this.#from = from;
    this.#call = call;
    this.#decoder = decoder;
    this.#lease = lease;
    this.#clock = clock;
    this.#signal = lease.signal;
    this.#waiter = waiter;
    this.#splitter = from.dialect === 'ollama' ? new NdjsonSplitter() : new SseSplitter();
  }

  /**
   * The records that the bytes which are here complete; `undefined` while there are none. Never an end: only a record can
   * say that an answer is whole.
   *
   * @throws {KitFailure} `truncated` when the bytes end.
   */
  take(): Arrival[] | undefined {
    const signal = this.#signal;
    // Bytes may wait that were read before the end: they belong to nobody any more.
    if (signal.aborted) throw signal.reason;
    this.#clock.resume();
    let records: Arrival[] | undefined;
    try {
      if (this.#failure) throw this.#failure;
      if (this.#state === 'open') records = this.#pull(this.#source as UpstreamBody);
      else if (this.#state === 'new') this.#start();
    } catch (thrown) {
      this.#clock.pause();
      if (signal.aborted) throw signal.reason;
      throw asFailure(thrown);
    }
    // While nothing is there the time that passes is the model server's.
    if (records !== undefined && !this.#isDry) this.#clock.pause();
    return records;
  }

  /** Whether all that is here has been taken: the waiter is told when it is worth asking again. */
  get isDry(): boolean {
    return this.#isDry;
  }

  /**
   * Whether the end that follows the last record is here, so that the connection can be used again. If not, the waiter is
   * told when it is or after a moment. A broken end does not matter any more.
   */
  isOver(): boolean {
    const source = this.#source;
    if (!source || this.#state === 'over') return true;
    if (this.#state === 'ending') return false;
    try {
      if (source.take() !== undefined) return true;
    } catch {
      return true;
    }
    this.#state = 'ending';
    const onEnd = () => {
      if (this.#state === 'over') return;
      this.#state = 'over';
      cancel();
      this.#waiter.onReady();
    };
    const cancel = this.#lease.setTimer(onEnd, tailMs);
    source.waiter = { onReady: onEnd };
    return false;
  }

  /** Lets go of an answer that is not wanted any more. */
  cancel(): void {
    this.#source?.cancel();
  }

  #start(): void {
    this.#state = 'opening';
    this.#open().then(
      (source) => {
        this.#state = 'open';
        source.waiter = this;
        this.#waiter.onReady();
      },
      (thrown: unknown) => {
        this.#failure = transportFailure(thrown, 'head');
        this.#waiter.onReady();
      },
    );
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

  /** More of the body is here. */
  onReady(): void {
    // Whoever takes all of it says so again.
    const wasDry = this.#isDry;
    this.#isDry = false;
    this.#waiter.onReady();
    // Nobody took it: from here on the time is the reader's.
    if (wasDry && !this.#isDry && this.#state === 'open') this.#clock.pause();
  }

  #pull(source: UpstreamBody): Arrival[] | undefined {
    const records: Arrival[] = [];
    const stopAt = this.#bytes + togetherBytes;
    this.#isDry = false;
    try {
      while (this.#bytes < stopAt) {
        const piece = source.take();
        if (piece === undefined) {
          this.#isDry = true;
          return records.length > 0 ? records : undefined;
        }
        if (piece === null) return records.length > 0 ? records : this.#finish();
        this.#cut(piece, records);
      }
    } catch (thrown) {
      const failure = this.#failureOf(thrown);
      // What came whole before it is passed on first.
      if (records.length === 0) throw failure;
      this.#failure = failure;
    }
    return records;
  }

  #failureOf(thrown: unknown): KitFailure {
    if (thrown instanceof ProtocolError) return recordFailure(thrown);
    // A byte sequence that is not UTF-8.
    if (thrown instanceof TypeError) return upstreamFailure('malformed_record', 'not UTF-8');
    return transportFailure(thrown, 'body');
  }

  #cut({ bytes, from, to }: BodyPiece, records: Arrival[]): void {
    this.#bytes += to - from;
    if (this.#bytes > MAX_ANSWER_BYTES) throw upstreamFailure('response_too_large', 'answer above 64 MiB');
    const end = to - lineEnds[this.#from.dialect];
    const endsRecord = end >= from && bytes[to - 1] === lineEnd && bytes[end] === lineEnd;
    // Not past records that are still to be read.
    if (this.#isAtStart && endsRecord && typeof (records.at(-1) ?? {}) === 'object') {
      const events = this.#decoder?.readBytes?.(bytes, from, end);
      if (events !== undefined) {
        for (const event of events) records.push(event);
        return;
      }
    }
    this.#isAtStart = endsRecord;
    this.#splitter.push(this.#text.of(bytes.subarray(from, to)), (record) => records.push(record));
  }

  /** A last line without its end is a record only if it is whole. */
  #whole(record: string): string {
    if (this.#from.dialect === 'ollama') parseJson(record);
    return record;
  }

  #finish(): Arrival[] {
    const records: Arrival[] = [];
    try {
      if (!this.#isFinished) this.#splitter.end((record) => records.push(this.#whole(record)));
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
