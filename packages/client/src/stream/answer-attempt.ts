import type { ErrorEvent, StreamEventBody } from '@ziggie/llm-protocol';
import { HEARTBEAT_INTERVAL_MS, ProtocolError } from '@ziggie/llm-protocol/native';
import type { CallScope } from '../call/call-scope.ts';
import { StreamError } from '../errors/stream-error.ts';
import { isZiggieError, requestIdOf, withCallDetails, type ZiggieError } from '../errors/ziggie-error.ts';
import { connectLimitMs } from '../http/connect-limit.ts';
import { loadFailures } from '../http/failures.ts';
import { type Answer, send } from '../http/send.ts';
import { given } from '../settings.ts';
import type { AnswerDecoder } from '../targets/target.ts';
import type { ChatEvent } from '../types.ts';
import { type AnswerReader, answerReader } from './answer-reader.ts';
import { drain } from './drain.ts';
import { loadEventStream } from './framings.ts';

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

/**
 * One try at an answer, on demand: sends the request, hands the pieces of the body to an {@link AnswerReader}, and keeps
 * the clocks.
 *
 * Its clocks: `connect` until the connection stands, then `first-token`, which begins anew with every `queued`; `load`
 * from the first `loading` until something else comes; `idle` from the first piece of the answer. Only events move them,
 * so heartbeats and blank lines do not, and once the answer has begun only pieces of it do.
 */
export interface AnswerAttempt {
  /**
   * Where the answer can be picked up, once its server said that it can; `undefined` after the server's own last word.
   * Also before anything of it came: the first token may be lost on its way, and the run goes on for whoever comes back.
   */
  resumePoint(): ResumePoint | undefined;
  /** The network came back: a connection that was silent for longer than a heartbeat may be one in name only. */
  wake(): void;
  requestId(): string | undefined;
  /**
   * Brings the next events, at least one; the last of all is `done`: do not read on after it.
   *
   * @returns What `take` makes of them, or `fail` of the failure: a promise more per token would cost.
   */
  read<T>(
    take: (events: ChatEvent[], attempt: AnswerAttempt) => T | Promise<T>,
    fail: (error: unknown, attempt: AnswerAttempt) => T | Promise<T>,
  ): Promise<T>;
  /** After `done`: reads the end of the body, so that the connection can be used again. */
  finish(): void;
  /** After a failure: closes the connection, and tells the error where it happened. */
  fail(error: ZiggieError): void;
}

/** @param from Picks up this run where it broke, instead of asking anew: `path` of the request is that of its stream. */
export function newAttempt(
  scope: CallScope,
  { path, body: asked, ...request }: AnswerRequest,
  from?: ResumePoint,
): AnswerAttempt {
  const { settings, timeouts, options, tell } = scope;
  const { clock, target, transport } = settings;
  const decoder = from?.decoder ?? request.decoder();
  const { interrupt, timer } = scope.newAttempt();
  const { signal } = interrupt;
  let resumableId = from?.id;
  let committed = from?.began ?? false;
  /** When the last bytes came, of an answer that can be picked up again. */
  let byteAt: number | undefined;
  let answer: Answer | undefined;
  let reader: AnswerReader;
  let received = 0;
  let failure: ZiggieError | undefined;
  let reported: ErrorEvent | undefined;
  /** A list that the last piece left empty: most small pieces do. */
  let unused: StreamEventBody[] | undefined;

  const broken = (found: string, cause?: unknown, code: StreamError['code'] = 'truncated'): StreamError =>
    new StreamError(code, `Reading the answer to POST ${path}: ${found}.`, {
      receivedEvents: received,
      cause,
    });

  async function open(): Promise<Answer> {
    const connected = (): void => {
      if (timer.phase && timer.phase !== 'connect') return;
      if (committed) timer.enter('idle', timeouts.idleMs);
      else timer.enter('first-token', timeouts.firstTokenMs);
      if (transport.reportsConnection) tell('connect');
    };
    const limitMs = connectLimitMs(settings, timeouts, asked.length);
    if (limitMs === undefined) connected();
    else timer.enter('connect', limitMs);
    const { accept } = target;
    const { headers } = options;
    answer = await send(
      settings,
      { ...(from ? { method: 'GET' } : { method: 'POST', body: asked }), path, accept, headers },
      interrupt,
      connected,
    );
    connected();
    const { status, requestId, contentType, body } = answer;
    tell('firstByte', { status, requestId });
    const isLines = /x-ndjson/i.test(contentType);
    const framing = isLines ? undefined : (await interrupt.wait(loadEventStream())).eventStream(contentType);
    reader = answerReader(decoder, framing);
    // Ends the read that waits, also where a fetch ignores its signal. One listener for the whole attempt: a race for
    // every piece would be most of the cost of a small piece.
    const close = (): void => body.close();
    signal.addEventListener('abort', close, { once: true });
    if (signal.aborted) close();
    return answer;
  }

  /** A failure inside a piece waits until the events before it were handed out. */
  function decode(piece: Uint8Array | string | undefined): ChatEvent[] {
    const found = unused ?? [];
    unused = undefined;
    try {
      if (piece === undefined) {
        reader.end(found);
        if (!decoder.ended) failure = broken('it ends without a last record');
      } else {
        scope.chunks++;
        scope.bytes += piece.length;
        reader.push(piece, found);
      }
    } catch (error) {
      // After the last record nothing can spoil the answer. An unfinished record at the end of the bytes is a broken
      // stream, not a wrong one.
      if (!decoder.ended) {
        failure =
          piece === undefined
            ? broken('it ends inside a record', error)
            : broken(
                'a record could not be read',
                error,
                error instanceof ProtocolError && error.code === 'response_too_large'
                  ? error.code
                  : 'malformed_record',
              );
      }
    }
    if (found.length === 0) unused = found;
    else accept(found);
    // After the events, which may be what says so. A clock per piece is not free where nobody asks.
    if (resumableId !== undefined) byteAt = clock.now();
    // Whatever the reader still has to take: nothing more is wanted from this connection.
    if (failure) interrupt.fire(failure);
    else if (reported) answer?.body.close();
    return unused ? none : (found as ChatEvent[]);
  }

  /** Moves the clocks by the events, and keeps an `error` back as the failure it is. */
  function accept(events: StreamEventBody[]): void {
    let goesOn = false;
    for (let at = 0; at < events.length; at++) {
      const event = events[at] as StreamEventBody;
      const { type } = event;
      switch (type) {
        case 'text-delta':
        case 'thinking-delta':
        case 'tool-call':
          if (!committed) {
            committed = true;
            scope.saw(type);
            tell('firstToken');
            timer.enter('idle', timeouts.idleMs);
          }
          goesOn = true;
          break;
        case 'usage':
          goesOn = true;
          break;
        case 'start':
          if (event.resumable) resumableId = requestIdOf(event.id);
          break;
        case 'queued':
        case 'loading':
          if (committed) break;
          scope.saw(type);
          if (type === 'queued') timer.enter('first-token', timeouts.firstTokenMs);
          else if (timer.phase !== 'load') timer.enter('load', timeouts.loadMs);
          break;
        case 'done': {
          const { ttftMs } = scope;
          events[at] = {
            ...event,
            timings: { ...given({ ttftMs }), ...event.timings },
          };
          break;
        }
        case 'error':
          reported = event;
          events.length = at;
          break;
        default:
      }
    }
    if (goesOn) timer.rewind();
    received += events.length;
  }

  async function reportedError(event: ErrorEvent): Promise<ZiggieError> {
    const failures = await loadFailures();
    return failures.reportedError(
      event,
      `POST ${path} ${committed ? 'broke off' : 'failed'}`,
      asked,
      answer?.token,
    );
  }

  const attempt: AnswerAttempt = {
    resumePoint: () =>
      resumableId === undefined || decoder.ended
        ? undefined
        : { id: resumableId, decoder, began: committed, token: (answer ?? from)?.token },
    wake() {
      if (byteAt !== undefined && clock.now() - byteAt > HEARTBEAT_INTERVAL_MS) {
        interrupt.fire(broken('it was silent when the network came back'));
      }
    },
    requestId: () => answer?.requestId,
    async read(take, fail) {
      let events: ChatEvent[];
      timer.resume();
      try {
        const { body } = answer ?? (await open());
        // One promise per piece, that of the body: streams come in pieces of a few bytes.
        do {
          if (failure) throw failure;
          if (reported) throw await reportedError(reported);
          const { value } = await body.read();
          if (signal.aborted) throw signal.reason;
          events = decode(value);
        } while (events.length === 0);
      } catch (error) {
        timer.pause();
        return fail(
          signal.aborted
            ? (failure ?? signal.reason)
            : // Wrong arguments that only a platform sees are told as they are.
              isZiggieError(error) || !answer
              ? error
              : broken('the connection broke', error),
          attempt,
        );
      }
      timer.pause();
      return take(events, attempt);
    },
    finish() {
      timer.stop();
      scope.record(answer?.status, undefined, from && true);
      if (answer) drain(answer.body, clock);
    },
    fail(error) {
      const { phase = 'connect' } = timer;
      withCallDetails(error, {
        phase: error.phase ?? (phase === 'idle' ? 'stream' : phase),
        requestId: error.requestId ?? answer?.requestId,
      });
      timer.stop();
      scope.record(answer?.status ?? error.status, error.code, from && true);
      // The interrupt has ended the wait already; a fetch that ignores its signal is told here.
      answer?.body.close();
    },
  };
  return attempt;
}
