import { errorKinds, ProtocolError, type StreamEventBody } from '@ziggie/llm-protocol';
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
import type { Piece } from '../http/transport.ts';
import type { ChatEvent } from '../types.ts';
import { AnswerReader } from './answer-reader.ts';
import { drain } from './drain.ts';

/** What is asked, in its final form: an attempt only sends it. */
export interface AnswerRequest {
  path: string;
  body: string;
  model: string;
}

/**
 * One try at an answer, on demand: sends the request, hands the pieces of the body to an {@link AnswerReader}, and keeps
 * the clocks.
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
  readonly #startedAt: number;
  #answer: Answer | undefined;
  #reader: AnswerReader | undefined;
  /** The read that waits, if one does. */
  #waiting: { resolve: (events: ChatEvent[]) => void; reject: (error: unknown) => void } | undefined;
  readonly #onPiece = ({ value }: Piece): void => this.#receive(value);
  readonly #onBroken = (error: unknown): void => this.#settle(this.#brokenBy(error));
  #status: number | undefined;
  #events = 0;
  #length = 0;
  #committed = false;
  #failure: ZiggieError | undefined;

  constructor(scope: CallScope, request: AnswerRequest) {
    const { clock } = scope.settings;
    this.#scope = scope;
    this.#request = request;
    this.#interrupt = scope.newInterrupt();
    this.#startedAt = clock.now();
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
  read(): Promise<ChatEvent[]> {
    this.#timer.resume();
    // Written with callbacks: streams come in pieces of a few bytes, and every promise in between costs per piece.
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      if (this.#answer) this.#next();
      else this.#open().then(() => this.#next(), this.#onBroken);
    });
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

  async #open(): Promise<void> {
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
      { method: 'POST', path, body, accept: settings.target.accept, headers: options.headers },
      this.#interrupt,
      connected,
    );
    connected();
    this.#status = answer.status;
    this.#answer = answer;
    this.#reader = new AnswerReader(settings.target.decoder(this.#request.model), answer.contentType);
    // One for the whole attempt: a wait of its own for every piece would be most of the cost of a small piece.
    const { signal } = this.#interrupt;
    if (signal.aborted) throw signal.reason;
    signal.addEventListener('abort', () => this.#settle(signal.reason), { once: true });
  }

  #next(): void {
    if (this.#failure) this.#settle(this.#failure);
    else if (this.#waiting) this.#answer?.body.read().then(this.#onPiece, this.#onBroken);
  }

  #receive(piece: Uint8Array | string | undefined): void {
    const waiting = this.#waiting;
    if (!waiting) return;
    // A failure in this piece ends the connection, but the events before it still go out.
    this.#waiting = undefined;
    const events = this.#decode(piece);
    this.#waiting = waiting;
    if (events.length > 0) this.#settle(undefined, events);
    else this.#next();
  }

  /** Ends the read that waits: with these events, or with a failure. */
  #settle(error: unknown, events?: ChatEvent[]): void {
    const waiting = this.#waiting;
    if (!waiting) return;
    this.#waiting = undefined;
    this.#timer.pause();
    if (events) waiting.resolve(events);
    else waiting.reject(error);
  }

  #brokenBy(error: unknown): unknown {
    // Wrong arguments that only a platform sees are told as they are.
    if (isZiggieError(error) || !this.#answer) return error;
    return this.#streamError('truncated', 'the connection broke', error);
  }

  /** A failure inside a piece waits until the events before it were handed out. */
  #decode(piece: Uint8Array | string | undefined): ChatEvent[] {
    const reader = this.#reader as AnswerReader;
    const found: StreamEventBody[] = [];
    try {
      if (piece === undefined) reader.end(found);
      else reader.push(piece, found);
      if (piece === undefined && !reader.ended)
        this.#failure = this.#streamError('truncated', 'it ends without a last record');
    } catch (error) {
      // After the last record nothing can spoil the answer. An unfinished record at the end of the bytes is a broken
      // stream, not a wrong one.
      if (!reader.ended) {
        this.#failure =
          piece === undefined
            ? this.#streamError('truncated', 'it ends inside a record', error)
            : this.#unreadable(error);
      }
    }
    const events = this.#accept(found);
    // Whatever the reader still has to take: nothing more is wanted from this connection.
    if (this.#failure) this.#interrupt.fire(this.#failure);
    return events;
  }

  /** Moves the clocks by the events, and keeps an `error` back as the failure it is. */
  #accept(events: StreamEventBody[]): ChatEvent[] {
    let goesOn = false;
    for (let at = 0; at < events.length; at++) {
      const event = events[at] as StreamEventBody;
      switch (event.type) {
        case 'text-delta':
        case 'thinking-delta':
        case 'tool-call':
          if (!this.#committed) this.#commit();
          goesOn = true;
          break;
        case 'usage':
          goesOn = true;
          break;
        case 'queued':
        case 'loading':
          this.#wait(event.type);
          break;
        case 'done':
          events[at] = { ...event, timings: { ...this.#scope.measured(), ...event.timings } };
          break;
        case 'error':
          this.#failure = this.#reported(event);
          events.length = at;
          break;
        default:
      }
    }
    if (goesOn) this.#timer.restart();
    this.#events += events.length;
    return events as ChatEvent[];
  }

  #commit(): void {
    this.#committed = true;
    this.#scope.firstToken();
    this.#timer.enter('idle', this.#scope.timeouts.idleMs);
  }

  #wait(type: 'queued' | 'loading'): void {
    const { timeouts } = this.#scope;
    if (this.#committed) return;
    if (type === 'queued') this.#timer.enter('first-token', timeouts.firstTokenMs);
    else if (this.#timer.phase !== 'load') this.#timer.enter('load', timeouts.loadMs);
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
