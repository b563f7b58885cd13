import {
  type ErrorEvent,
  HEARTBEAT_INTERVAL_MS,
  ProtocolError,
  SSE_CONTENT_TYPE,
  type SseSplitter,
  type StreamEventBody,
} from '@ziggie/llm-protocol';
import type { CallScope } from '../call/call-scope.ts';
import type { Interrupt } from '../call/interrupt.ts';
import { PhaseTimer } from '../call/phase-timer.ts';
import { StreamError } from '../errors/stream-error.ts';
import { TimeoutError } from '../errors/timeout-error.ts';
import { isZiggieError, withCallDetails, type ZiggieError } from '../errors/ziggie-error.ts';
import { connectLimitMs } from '../http/connect-limit.ts';
import { loadFailures } from '../http/failures.ts';
import { type Answer, send } from '../http/send.ts';
import { part } from '../part.ts';
import type { AnswerDecoder } from '../targets/target.ts';
import type { ChatEvent } from '../types.ts';
import { AnswerReader } from './answer-reader.ts';
import { drain } from './drain.ts';

/** What most small pieces bring. */
const none: ChatEvent[] = [];

/** What is asked, in its final form: an attempt only sends it. */
export interface AnswerRequest {
  operation: 'chat' | 'generate';
  path: string;
  body: string;
  model: string;
  decoder(): AnswerDecoder;
}

/** A run that goes on without its connection, and how far it was read. */
export interface ResumePoint {
  id: string;
  decoder: AnswerDecoder;
  /** Whether anything of the answer itself was read. */
  began: boolean;
  /** The token that it was asked with. */
  token: string | undefined;
}

async function newSplitter(): Promise<SseSplitter> {
  const { SseSplitter } = await part(() => import('./sse-splitter.ts'));
  return new SseSplitter();
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
  readonly #signal: AbortSignal;
  readonly #timer: PhaseTimer;
  readonly #decoder: AnswerDecoder;
  readonly #startedAt: number;
  readonly #from: ResumePoint | undefined;
  #resumableId: string | undefined;
  #byteAt = 0;
  #answer: Answer | undefined;
  #reader: AnswerReader | undefined;
  #status: number | undefined;
  #events = 0;
  #committed: boolean;
  #failure: ZiggieError | undefined;
  #reported: ErrorEvent | undefined;
  /** A list that the last piece left empty: most small pieces do. */
  #unused: StreamEventBody[] | undefined;

  /** @param from Picks up this run where it broke, instead of asking anew: `path` of the request is that of its stream. */
  constructor(scope: CallScope, request: AnswerRequest, from?: ResumePoint) {
    const { clock } = scope.settings;
    this.#scope = scope;
    this.#request = request;
    this.#from = from;
    this.#committed = from?.began ?? false;
    this.#decoder = from?.decoder ?? request.decoder();
    this.#interrupt = scope.newAttempt();
    this.#signal = this.#interrupt.signal;
    this.#startedAt = clock.now();
    this.#timer = new PhaseTimer(clock, {
      expired: (phase, limitMs) => this.#interrupt.fire(new TimeoutError(phase, limitMs)),
      slow: (phase, limitMs) => scope.observer.slow(phase, limitMs),
    });
  }

  /**
   * Where the answer can be picked up, once its server said that it can; `undefined` after the server's own last word.
   * Also before anything of it came: the first token may be lost on its way, and the run goes on for whoever comes back.
   */
  get resumePoint(): ResumePoint | undefined {
    const id = this.#from?.id ?? this.#resumableId;
    if (id === undefined || this.#decoder.ended) return undefined;
    const { token } = this.#answer ?? this.#from ?? {};
    return { id, decoder: this.#decoder, began: this.#committed, token };
  }

  /** The network came back: a connection that was silent for longer than a heartbeat may be one in name only. */
  wake(): void {
    if (this.#answer && this.#scope.settings.clock.now() - this.#byteAt > HEARTBEAT_INTERVAL_MS) {
      this.#interrupt.fire(this.#broken('it was silent when the network came back'));
    }
  }

  get requestId(): string | undefined {
    return this.#answer?.requestId;
  }

  /**
   * Brings the next events, at least one; the last of all is `done`: do not read on after it.
   *
   * @returns What `take` makes of them, or `fail` of the failure: a promise more per token would cost.
   */
  async read<T>(
    take: (events: ChatEvent[], attempt: AnswerAttempt) => T | Promise<T>,
    fail: (error: unknown, attempt: AnswerAttempt) => T | Promise<T>,
  ): Promise<T> {
    const signal = this.#signal;
    let events: ChatEvent[];
    this.#timer.resume();
    try {
      const { body } = this.#answer ?? (await this.#open());
      // One promise per piece, that of the body: streams come in pieces of a few bytes.
      do {
        if (this.#failure) throw this.#failure;
        if (this.#reported) throw await this.#reportedError(this.#reported);
        const { value } = await body.read();
        if (signal.aborted) throw signal.reason;
        events = this.#receive(value);
        if (this.#reader?.held) events = await this.#receiveHeld(value === undefined);
      } while (events.length === 0);
    } catch (error) {
      this.#timer.pause();
      return fail(signal.aborted ? (this.#failure ?? signal.reason) : this.#brokenBy(error), this);
    }
    this.#timer.pause();
    return take(events, this);
  }

  /** After `done`: reads the end of the body, so that the connection can be used again. */
  finish(): void {
    this.#timer.stop();
    this.#scope.record(this.#startedAt, this.#status, undefined, this.#from && true);
    if (this.#answer) drain(this.#answer.body, this.#scope.settings.clock);
  }

  /** After a failure: closes the connection, and tells the error where it happened. */
  fail(error: ZiggieError): void {
    const { phase = 'connect' } = this.#timer;
    withCallDetails(error, {
      phase: error.phase ?? (phase === 'idle' ? 'stream' : phase),
      requestId: error.requestId ?? this.requestId,
    });
    this.#timer.stop();
    this.#scope.record(this.#startedAt, this.#status ?? error.status, error.code, this.#from && true);
    // The interrupt has ended the wait already; a fetch that ignores its signal is told here.
    this.#answer?.body.close();
  }

  async #open(): Promise<Answer> {
    const { settings, timeouts, options, observer } = this.#scope;
    const { path, body } = this.#request;
    const connected = (): void => {
      const phase = this.#committed ? 'idle' : 'first-token';
      if (this.#timer.phase === phase) return;
      this.#timer.enter(phase, this.#committed ? timeouts.idleMs : timeouts.firstTokenMs);
      if (settings.transport.reportsConnection) {
        observer.tell('connect', { elapsedMs: this.#scope.elapsedMs });
      }
    };
    // While the connection is made.
    if (settings.target.accept === SSE_CONTENT_TYPE) newSplitter().catch(() => {});
    const limitMs = connectLimitMs(settings, timeouts, body.length);
    if (limitMs === undefined) connected();
    else this.#timer.enter('connect', limitMs);
    const answer = await send(
      settings,
      {
        ...(this.#from ? { method: 'GET' } : { method: 'POST', body }),
        path,
        accept: settings.target.accept,
        headers: options.headers,
      },
      this.#interrupt,
      connected,
    );
    connected();
    const { status, requestId } = answer;
    this.#status = status;
    this.#byteAt = settings.clock.now();
    observer.tell('firstByte', { elapsedMs: this.#scope.elapsedMs, status, requestId });
    this.#answer = answer;
    this.#reader = new AnswerReader(this.#decoder, answer.contentType);
    // Ends the read that waits, also where a fetch ignores its signal. One listener for the whole attempt: a race for
    // every piece would be most of the cost of a small piece.
    const { signal } = this.#interrupt;
    if (signal.aborted) throw signal.reason;
    signal.addEventListener('abort', () => answer.body.close(), { once: true });
    return answer;
  }

  #receive(piece: Uint8Array | string | undefined): ChatEvent[] {
    // Asked for only where a run can be picked up again; a clock per piece is not free.
    if (this.#resumableId !== undefined) this.#byteAt = this.#scope.settings.clock.now();
    if (piece !== undefined) {
      this.#scope.chunks++;
      this.#scope.bytes += piece.length;
    }
    return this.#decode(piece);
  }

  /** An event stream, the first time: what splits it is here by now, or soon. */
  async #receiveHeld(isLast: boolean): Promise<ChatEvent[]> {
    const splitter = await this.#interrupt.wait(newSplitter());
    const events = this.#decode('', splitter);
    return isLast && !this.#failure ? [...events, ...this.#decode(undefined)] : events;
  }

  #brokenBy(error: unknown): unknown {
    // Wrong arguments that only a platform sees are told as they are.
    if (isZiggieError(error) || !this.#answer) return error;
    return this.#broken('the connection broke', error);
  }

  /**
   * A failure inside a piece waits until the events before it were handed out.
   *
   * @param splitter Reads what was held instead.
   */
  #decode(piece: Uint8Array | string | undefined, splitter?: SseSplitter): ChatEvent[] {
    const reader = this.#reader as AnswerReader;
    const found = this.#unused ?? [];
    this.#unused = undefined;
    try {
      if (splitter) reader.splitWith(splitter, found);
      else if (piece !== undefined) reader.push(piece, found);
      else {
        reader.end(found);
        if (!reader.ended && !reader.held) this.#failure = this.#broken('it ends without a last record');
      }
    } catch (error) {
      // After the last record nothing can spoil the answer. An unfinished record at the end of the bytes is a broken
      // stream, not a wrong one.
      if (!reader.ended)
        this.#failure =
          piece === undefined ? this.#broken('it ends inside a record', error) : this.#unreadable(error);
    }
    if (found.length === 0) this.#unused = found;
    const events = found.length === 0 ? none : this.#accept(found);
    // Whatever the reader still has to take: nothing more is wanted from this connection.
    if (this.#failure) this.#interrupt.fire(this.#failure);
    else if (this.#reported) this.#answer?.body.close();
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
          if (!this.#committed) this.#commit(event.type);
          goesOn = true;
          break;
        case 'usage':
          goesOn = true;
          break;
        case 'start':
          if (event.resumable && /^[\w.:-]{1,128}$/.test(event.id)) this.#resumableId = event.id;
          break;
        case 'queued':
        case 'loading':
          this.#wait(event.type);
          break;
        case 'done':
          events[at] = { ...event, timings: { ...this.#scope.measured(), ...event.timings } };
          break;
        case 'error':
          this.#reported = event;
          events.length = at;
          break;
        default:
      }
    }
    if (goesOn) this.#timer.rewind();
    this.#events += events.length;
    return events as ChatEvent[];
  }

  #commit(type: StreamEventBody['type']): void {
    this.#committed = true;
    this.#scope.saw(type);
    this.#scope.observer.tell('firstToken', { elapsedMs: this.#scope.elapsedMs });
    this.#timer.enter('idle', this.#scope.timeouts.idleMs);
  }

  #wait(type: 'queued' | 'loading'): void {
    const { timeouts } = this.#scope;
    if (this.#committed) return;
    this.#scope.saw(type);
    if (type === 'queued') this.#timer.enter('first-token', timeouts.firstTokenMs);
    else if (this.#timer.phase !== 'load') this.#timer.enter('load', timeouts.loadMs);
  }

  async #reportedError(event: ErrorEvent): Promise<ZiggieError> {
    const { reportedError } = await loadFailures();
    const { path, body } = this.#request;
    return reportedError(event, `POST ${path} ${this.#committed ? 'broke off' : 'failed'}`, body);
  }

  #unreadable(error: unknown): StreamError {
    const isTooLarge = error instanceof ProtocolError && error.code === 'response_too_large';
    return this.#broken('a record could not be read', error, isTooLarge ? error.code : 'malformed_record');
  }

  #broken(found: string, cause?: unknown, code: StreamError['code'] = 'truncated'): StreamError {
    const message = `Reading the answer to POST ${this.#request.path}: ${found}.`;
    return new StreamError(code, message, { receivedEvents: this.#events, cause });
  }
}
