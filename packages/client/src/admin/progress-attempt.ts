import { NDJSON_CONTENT_TYPE, NdjsonSplitter, ProtocolError, parseJson } from '@ziggie/llm-protocol';
import type { CallScope } from '../call/call-scope.ts';
import type { Interrupt } from '../call/interrupt.ts';
import type { PhaseTimer } from '../call/phase-timer.ts';
import { HttpError } from '../errors/http-error.ts';
import { StreamError } from '../errors/stream-error.ts';
import { isZiggieError, type ZiggieError } from '../errors/ziggie-error.ts';
import { connectLimitMs } from '../http/connect-limit.ts';
import { quotable } from '../http/quotable.ts';
import { type Answer, send } from '../http/send.ts';
import type { ProgressRecord } from './progress-tracker.ts';

/** What differs between streams of records. */
export interface RecordForm {
  isLast(record: Readonly<Record<string, unknown>>): boolean;
  maxRecordBytes: number;
  /** How long the first record may take after the connection. Default: as any other. */
  firstMs?: number | undefined;
}

const progress: RecordForm = {
  isLast: (record) => record['status'] === 'success',
  maxRecordBytes: 64 * 1024,
};

/** One try at a pull, push or create, or at another stream of records: records on demand. */
export class ProgressAttempt {
  readonly #scope: CallScope;
  readonly #path: string;
  readonly #body: string;
  readonly #interrupt: Interrupt;
  readonly #timer: PhaseTimer;
  readonly #utf8 = new TextDecoder();
  readonly #form: RecordForm;
  readonly #lines: NdjsonSplitter;
  #answer: Answer | undefined;
  #records = 0;
  #ended = false;
  #failure: ZiggieError | undefined;
  /** The record that reports an error. */
  #report: string | undefined;

  constructor(scope: CallScope, path: string, body: string, form: RecordForm = progress) {
    this.#form = form;
    this.#lines = new NdjsonSplitter(form.maxRecordBytes);
    this.#scope = scope;
    this.#path = path;
    this.#body = body;
    const { interrupt, timer } = scope.newAttempt();
    this.#interrupt = interrupt;
    this.#timer = timer;
  }

  /** The next records, at least one; the last has the status `success`. */
  async read(): Promise<ProgressRecord[]> {
    this.#timer.resume();
    try {
      this.#answer ??= await this.#open();
      for (;;) {
        if (this.#report !== undefined) throw await this.#reported(this.#report);
        if (this.#failure) throw this.#failure;
        const records = this.#decode((await this.#interrupt.wait(this.#answer.body.read())).value);
        if (records.length > 0) return records;
      }
    } catch (error) {
      throw isZiggieError(error) || !this.#answer ? error : this.#broken('the connection broke', error);
    } finally {
      this.#timer.pause();
    }
  }

  /** @param error Why it failed; left out when it succeeded. */
  close(error?: ZiggieError): void {
    this.#timer.stop();
    this.#scope.record(this.#answer?.status ?? error?.status, error?.code);
    this.#answer?.body.close();
  }

  async #open(): Promise<Answer> {
    const { settings, timeouts, options, tell } = this.#scope;
    const connected = (): void => {
      if (this.#timer.phase === 'idle' || this.#timer.phase === 'first-token') return;
      const { firstMs } = this.#form;
      if (firstMs === undefined) this.#timer.enter('idle', timeouts.idleMs);
      else this.#timer.enter('first-token', firstMs);
      if (settings.transport.reportsConnection) tell('connect');
    };
    const limitMs = connectLimitMs(settings, timeouts, this.#body.length);
    if (limitMs === undefined) connected();
    else this.#timer.enter('connect', limitMs);
    const answer = await send(
      settings,
      {
        method: 'POST',
        path: this.#path,
        body: this.#body,
        accept: NDJSON_CONTENT_TYPE,
        headers: options.headers,
      },
      this.#interrupt,
      connected,
    );
    connected();
    const { status, requestId } = answer;
    tell('firstByte', { status, requestId });
    return answer;
  }

  #decode(piece: Uint8Array | string | undefined): ProgressRecord[] {
    const records: ProgressRecord[] = [];
    const onLine = (line: string): void => this.#line(line, records);
    try {
      if (piece === undefined) this.#lines.end(onLine);
      else
        this.#lines.push(
          typeof piece === 'string' ? piece : this.#utf8.decode(piece, { stream: true }),
          onLine,
        );
      if (piece === undefined && !this.#ended)
        this.#failure ??= this.#broken('it ends without its last record');
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#failure ??=
        piece === undefined
          ? this.#broken('it ends inside a record', error)
          : new StreamError(
              'malformed_record',
              `Reading the answer to POST ${this.#path}: a record could not be read.`,
              {
                receivedEvents: this.#records,
                cause: error,
              },
            );
    }
    if (records.length > 0) {
      if (this.#timer.phase === 'first-token') this.#timer.enter('idle', this.#scope.timeouts.idleMs);
      else this.#timer.restart();
    }
    return records;
  }

  #line(line: string, records: ProgressRecord[]): void {
    if (this.#ended || this.#failure || this.#report !== undefined) return;
    const record = parseJson(line) as (ProgressRecord & { error?: unknown }) | null;
    if (typeof record !== 'object' || record === null) {
      throw new ProtocolError('malformed_record', 'Reading a stream of records: one is not a JSON object.');
    }
    if (record.error !== undefined) this.#report = line;
    else {
      this.#ended = this.#form.isLast(record as Readonly<Record<string, unknown>>);
      this.#records++;
      records.push(record);
    }
  }

  /** An error inside the stream is read as one in its place would have been; it has no status of its own. */
  async #reported(line: string): Promise<HttpError> {
    const { code, text, retryable } = (await this.#scope.settings.target.dialect()).readFailure(500, line);
    return new HttpError(
      code,
      `POST ${this.#path} failed: ${quotable(text, this.#body, this.#answer?.token) ?? 'the server gave no reason'}`,
      { status: 500, retryable, requestId: this.#answer?.requestId },
    );
  }

  #broken(found: string, cause?: unknown): StreamError {
    return new StreamError('truncated', `Reading the answer to POST ${this.#path}: ${found}.`, {
      receivedEvents: this.#records,
      cause,
    });
  }
}
