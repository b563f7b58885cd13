import { ProtocolError, parseJson } from '@ziggie/llm-protocol';
import { StreamError } from '../errors/stream-error.ts';
import { isZiggieError, withCallDetails, type ZiggieError } from '../errors/ziggie-error.ts';
import { connectLimitMs } from '../http/connect-limit.ts';
import { readText } from '../http/read-text.ts';
import { type Answer, send } from '../http/send.ts';
import type { Method } from '../http/transport.ts';
import type { Settings } from '../settings.ts';
import type { Attempt, CallOptions } from '../types.ts';
import { type CallScope, newScope } from './call-scope.ts';
import { waitForRetry } from './wait-for-retry.ts';

/** A list of a thousand models is well below. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;

/** A request whose whole answer is one JSON value, or nothing. */
export interface JsonRequest {
  /** Default `GET`. */
  method?: Method | undefined;
  path: string;
  /** Sent as JSON; bytes and blobs as they are. */
  body?: object | Uint8Array | Blob | undefined;
  /** For hooks. Default: the path. */
  operation?: string | undefined;
  model?: string | undefined;
  /** How long the answer may take after the connection. Default `timeouts.idleMs`. */
  answerMs?: number | undefined;
  /** Longest answer. Default 8 MiB. */
  maxBytes?: number | undefined;
}

/**
 * Asks for a path whose whole answer is one JSON value. Retried like a stream before its first token. The connect clock
 * runs until the connection stands, the idle clock from there to the end of the answer.
 *
 * @param read Makes the value out of the parsed body (`undefined` when it is empty), or throws a `ProtocolError`.
 * @param onAttempts Told at the end of the tries it took.
 */
export async function callJson<T>(
  settings: Settings,
  request: JsonRequest,
  options: CallOptions,
  read: (body: unknown) => T,
  onAttempts: (attempts: readonly Attempt[]) => void = () => {},
): Promise<T> {
  const { operation = request.path, model } = request;
  const scope = newScope(settings, options, { operation, model });
  const { tell } = scope;
  try {
    await scope.begin();
    for (;;) {
      try {
        const value = await attempt(scope, request, read);
        tell('done', { attempts: scope.attempts });
        return value;
      } catch (error) {
        if (!isZiggieError(error)) throw error;
        await waitForRetry(scope, error);
      }
    }
  } catch (error) {
    if (!isZiggieError(error)) throw error;
    withCallDetails(error, { attempts: scope.attempts });
    tell('error', { error });
    throw error;
  } finally {
    scope.end();
    onAttempts(scope.attempts);
  }
}

async function attempt<T>(scope: CallScope, request: JsonRequest, read: (body: unknown) => T): Promise<T> {
  const { settings, timeouts, options } = scope;
  const { method = 'GET', path, answerMs = timeouts.idleMs } = request;
  const body = encode(request.body);
  const { interrupt, timer } = scope.newAttempt();
  const connected = (): void => {
    if (timer.phase === 'idle') return;
    timer.enter('idle', answerMs);
    if (settings.transport.reportsConnection) scope.tell('connect');
  };
  const connectMs = connectLimitMs(settings, timeouts, sizeOf(body));
  if (connectMs === undefined) connected();
  else timer.enter('connect', connectMs);
  let answer: Answer | undefined;
  try {
    answer = await send(
      settings,
      { method, path, body, accept: 'application/json', headers: options.headers },
      interrupt,
      connected,
    );
    connected();
    const { status, requestId } = answer;
    scope.tell('firstByte', { status, requestId });
    const text = await readBody(answer, interrupt.wait, request.maxBytes ?? MAX_BODY_BYTES);
    const value = read(text === '' ? undefined : parseJson(text));
    scope.record(answer.status, undefined);
    return value;
  } catch (error) {
    const failure = asZiggieError(error, `${method} ${path}`, answer);
    scope.record(answer?.status ?? failure.status, failure.code);
    interrupt.fire(failure);
    answer?.body.close();
    throw withCallDetails(failure, {
      phase: failure.phase ?? (timer.phase === 'connect' ? 'connect' : 'stream'),
    });
  } finally {
    timer.stop();
  }
}

function encode(body: JsonRequest['body']): string | Uint8Array | Blob | undefined {
  return body === undefined || body instanceof Uint8Array || body instanceof Blob
    ? body
    : JSON.stringify(body);
}

function sizeOf(body: string | Uint8Array | Blob | undefined): number {
  return body === undefined ? 0 : body instanceof Blob ? body.size : body.length;
}

async function readBody(
  answer: Answer,
  wait: <V>(work: Promise<V>) => Promise<V>,
  maxBytes: number,
): Promise<string> {
  const text = await wait(readText(answer.body, maxBytes + 1));
  if (text.length > maxBytes) throw new ProtocolError('response_too_large', 'The answer is too long.');
  return text;
}

function asZiggieError(error: unknown, what: string, answer: Answer | undefined): ZiggieError {
  if (isZiggieError(error)) return error;
  const found =
    error instanceof ProtocolError
      ? ({
          code: error.code === 'response_too_large' ? error.code : 'malformed_record',
          text: 'it could not be read',
        } as const)
      : ({ code: 'truncated', text: 'the connection broke' } as const);
  return new StreamError(found.code, `Reading the answer to ${what}: ${found.text}.`, {
    receivedEvents: 0,
    requestId: answer?.requestId,
    cause: error,
  });
}
