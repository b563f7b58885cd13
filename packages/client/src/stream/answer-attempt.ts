import {
  errorKinds,
  MAX_ANSWER_BYTES,
  NDJSON_CONTENT_TYPE,
  NdjsonSplitter,
  ProtocolError,
  parseJson,
  type StreamEventBody,
} from '@ziggie/llm-protocol';
import type { CallScope } from '../call/call-scope.ts';
import type { Interrupt } from '../call/interrupt.ts';
import { PhaseTimer } from '../call/phase-timer.ts';
import { HttpError } from '../errors/http-error.ts';
import { StreamError } from '../errors/stream-error.ts';
import { TimeoutError } from '../errors/timeout-error.ts';
import { type ErrorPhase, isZiggieError, withCallDetails, type ZiggieError } from '../errors/ziggie-error.ts';
import { connectLimitMs } from '../http/connect-limit.ts';
import { quotable } from '../http/quotable.ts';
import { type Answer, send } from '../http/send.ts';
import type { RecordDecoder } from '../targets/target.ts';
import type { ChatEvent } from '../types.ts';
import { drain } from './drain.ts';

/** What is asked, in its final form: an attempt only sends it. */
export interface AnswerRequest {
  path: string;
  body: string;
  model: string;
}

/**
 * One try at an answer: bytes to text to lines to records to events, on demand.
 *
 * Its clocks: `connect` until the connection stands, then `first-token`, which begins anew with every `queued`; `load`
 * from the first `loading` until something else comes; `idle` from the first piece of the answer. Only events move them,
 * so heartbeats and blank lines do not, and once the answer has begun only pieces of it do.
 */
export class AnswerAttempt {
  readonly #scope: CallScope;
  readonly #request: AnswerRequest;
  readonly #interrupt: Interrupt;
  readonly #timer: PhaseTimer;
  readonly #decoder: RecordDecoder;
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true });
  readonly #lines = new NdjsonSplitter();
  readonly #startedAt: number;
  #answer: Answer | undefined;
  #status: number | undefined;
  #events = 0;
  #length = 0;
  #committed = false;
  #failure: ZiggieError | undefined;

  constructor(scope: CallScope, request: AnswerRequest) {
    const { clock, target } = scope.settings;
    this.#scope = scope;
    this.#request = request;
    this.#interrupt = scope.newInterrupt();
    this.#startedAt = clock.now();
    this.#decoder = target.decoder(request.model);
    this.#timer = new PhaseTimer(clock, (phase, limitMs) =>
      this.#interrupt.fire(new TimeoutError(phase, limitMs)),
    );
  }

  /** Whether a piece of the answer came: from there on another attempt could tell a different story. */
  get committed(): boolean {
    return this.#committed;
  }

  get requestId(): string | undefined {
    return this.#answer?.requestId;
  }

  /** The next events, at least one. The last is `done`; do not read on after it. */
  async read(): Promise<ChatEvent[]> {
    this.#timer.resume();
    try {
      this.#answer ??= await this.#open();
      for (;;) {
        if (this.#failure) throw this.#failure;
        const events = this.#decode(await this.#nextChunk(this.#answer));
        if (events.length > 0) return events;
      }
    } finally {
      this.#timer.pause();
    }
  }

  /** After `done`: reads the end of the body, so that the connection can be used again. */
  finish(): void {
    this.#timer.stop();
    this.#scope.record(this.#startedAt, this.#status, undefined);
    if (this.#answer) drain(this.#answer.body, this.#scope.settings.clock);
  }

  /** After a failure: closes the connection, and tells the error where it happened. */
  fail(error: ZiggieError): void {
    withCallDetails(error, {
      phase: error.phase ?? this.#errorPhase(),
      requestId: error.requestId ?? this.requestId,
    });
    this.#timer.stop();
    this.#scope.record(this.#startedAt, this.#status ?? error.status, error.code);
    // The interrupt has ended the wait already; a fetch that ignores its signal is told here.
    this.#answer?.body.close();
  }

  async #open(): Promise<Answer> {
    const { settings, timeouts, options } = this.#scope;
    const { path, body } = this.#request;
    const connected = (): void => {
      if (this.#timer.phase !== 'first-token') this.#timer.enter('first-token', timeouts.firstTokenMs);
    };
    const limitMs = connectLimitMs(settings, timeouts, body.length);
    if (limitMs === undefined) connected();
    else this.#timer.enter('connect', limitMs);
    const answer = await send(
      settings,
      { method: 'POST', path, body, accept: NDJSON_CONTENT_TYPE, headers: options.headers },
      this.#interrupt,
      connected,
    );
    connected();
    this.#status = answer.status;
    return answer;
  }

  async #nextChunk(answer: Answer): Promise<Uint8Array | string | undefined> {
    try {
      return await this.#interrupt.wait(answer.body.read());
    } catch (error) {
      if (isZiggieError(error)) throw error;
      throw this.#streamError('truncated', 'the connection broke', error);
    }
  }

  /** A failure inside a chunk waits until the events before it were handed out. */
  #decode(chunk: Uint8Array | string | undefined): ChatEvent[] {
    const events: ChatEvent[] = [];
    const onLine = (line: string): void => this.#line(line, events);
    try {
      if (chunk) this.#push(chunk, onLine);
      else {
        this.#lines.push(this.#utf8.decode(), onLine);
        this.#lines.end(onLine);
        if (!this.#decoder.ended)
          this.#failure ??= this.#streamError('truncated', 'it ends without a last record');
      }
    } catch (error) {
      // After the last record nothing can spoil the answer. An unfinished record at the end of the bytes is a broken
      // stream, not a wrong one.
      if (!this.#decoder.ended) {
        this.#failure ??= chunk
          ? this.#unreadable(error)
          : this.#streamError('truncated', 'it ends inside a record', error);
      }
    }
    // Whatever the reader still has to take: nothing more is wanted from this connection.
    if (this.#failure) this.#interrupt.fire(this.#failure);
    return events;
  }

  #push(chunk: Uint8Array | string, onLine: (line: string) => void): void {
    if (typeof chunk === 'string') {
      this.#lines.push(chunk, onLine);
      return;
    }
    let text: string;
    try {
      text = this.#utf8.decode(chunk, { stream: true });
    } catch (error) {
      // The lines before the bad bytes are whole, and still delivered.
      const shown = new TextDecoder().decode(chunk);
      this.#lines.push(shown.slice(0, shown.lastIndexOf('\n', shown.indexOf('\ufffd')) + 1), onLine);
      throw error;
    }
    this.#lines.push(text, onLine);
  }

  #line(line: string, events: ChatEvent[]): void {
    if (this.#decoder.ended || this.#failure) return;
    this.#length += line.length;
    if (this.#length > MAX_ANSWER_BYTES) {
      throw new ProtocolError(
        'response_too_large',
        `the answer is longer than ${MAX_ANSWER_BYTES} characters`,
      );
    }
    for (const event of this.#decoder.decode(parseJson(line))) this.#accept(event, events);
  }

  #accept(event: StreamEventBody, events: ChatEvent[]): void {
    const { timeouts } = this.#scope;
    switch (event.type) {
      case 'error':
        this.#failure = this.#reported(event);
        return;
      case 'queued':
        if (!this.#committed) this.#timer.enter('first-token', timeouts.firstTokenMs);
        break;
      case 'loading':
        if (!this.#committed && this.#timer.phase !== 'load') this.#timer.enter('load', timeouts.loadMs);
        break;
      case 'text-delta':
      case 'thinking-delta':
      case 'tool-call':
        if (this.#committed) this.#timer.restart();
        else {
          this.#committed = true;
          this.#scope.firstToken();
          this.#timer.enter('idle', timeouts.idleMs);
        }
        break;
      case 'usage':
        this.#timer.restart();
        break;
      case 'done':
        event = { ...event, timings: { ...this.#scope.measured(), ...event.timings } };
        break;
      default:
    }
    this.#events++;
    events.push(event);
  }

  #reported(event: Extract<StreamEventBody, { type: 'error' }>): HttpError {
    const { path, body } = this.#request;
    return new HttpError(
      event.code,
      `POST ${path} ${this.#committed ? 'broke off' : 'failed'}: ${quotable(event.message, body) ?? errorKinds[event.code].title}`,
      {
        status: event.status,
        retryable: event.retryable,
        retryAfterMs: event.retryAfterMs,
        requestId: event.requestId,
      },
    );
  }

  #unreadable(error: unknown): StreamError {
    const code =
      error instanceof ProtocolError && error.code === 'response_too_large' ? error.code : 'malformed_record';
    return this.#streamError(code, 'a record could not be read', error);
  }

  #streamError(
    code: ConstructorParameters<typeof StreamError>[0],
    found: string,
    cause?: unknown,
  ): StreamError {
    return new StreamError(code, `Reading the answer to POST ${this.#request.path}: ${found}.`, {
      receivedEvents: this.#events,
      cause,
    });
  }

  #errorPhase(): ErrorPhase {
    const { phase } = this.#timer;
    return phase === 'idle' ? 'stream' : (phase ?? 'connect');
  }
}
