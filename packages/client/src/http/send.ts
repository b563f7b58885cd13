import type { Interrupt } from '../call/interrupt.ts';
import { checkToken } from '../check-arguments.ts';
import { ConnectionError } from '../errors/connection-error.ts';
import { isZiggieError, requestIdOf, ZiggieError } from '../errors/ziggie-error.ts';
import type { Settings } from '../settings.ts';
import type { Credentials } from '../types.ts';
import { loadFailures } from './failures.ts';
import type { ByteSource, Method, TransportResponse } from './transport.ts';

/** One request of ours. */
export interface OutgoingRequest {
  method: Method;
  path: string;
  accept: string;
  body?: string | Uint8Array | Blob | undefined;
  headers: Readonly<Record<string, string>> | undefined;
}

/** A good answer, its body not read yet. */
export interface Answer {
  status: number;
  requestId: string | undefined;
  /** Empty where the server gave none. */
  contentType: string;
  body: ByteSource;
  /** What it was asked with. */
  token: string | undefined;
}

/**
 * Sends one request, once: the only place that calls a transport.
 *
 * @throws {ConnectionError} when the server cannot be reached.
 * @throws {HttpError} for every status but 2xx, redirects included, and for a web page in place of an answer.
 */
export async function send(
  settings: Settings,
  request: OutgoingRequest,
  interrupt: Interrupt,
  onConnected: () => void,
): Promise<Answer> {
  const { baseUrl, target, transport } = settings;
  const headers: Record<string, string> = {};
  if (target.takesOwnHeaders) {
    // In one case: fetch would join "accept" and "Accept" into a list.
    for (const [name, value] of Object.entries({ ...settings.headers, ...request.headers })) {
      headers[name.toLowerCase()] = value;
    }
    headers['accept'] = request.accept;
  }
  if (typeof request.body === 'string') headers['content-type'] = 'application/json';
  else if (request.body !== undefined) headers['content-type'] = 'application/octet-stream';
  const token = await interrupt.wait(readToken(settings.credentials));
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`;

  const { signal } = interrupt;
  let response: TransportResponse;
  try {
    const { method, path, body } = request;
    const onHost = (host: string): void => {
      interrupt.host = host;
    };
    const url = baseUrl + path;
    const sending = transport.send({ method, url, headers, body, signal, onConnected, onHost });
    // A fetch that ignores its signal may still answer after the call is over.
    sending.then(
      (late) => signal.aborted && late.body.close(),
      () => {},
    );
    response = await interrupt.wait(sending);
  } catch (error) {
    if (isZiggieError(error)) throw error;
    throw await loadFailures().then(
      ({ noAnswer }) => noAnswer(baseUrl, request, error),
      // Where not even that can be loaded, there is no network.
      () => new ConnectionError(`Cannot reach the server at ${baseUrl}.`, { cause: error }),
    );
  }
  const { status } = response;
  const contentType = response.header('Content-Type') ?? '';
  const requestId = requestIdOf(response.header('X-Request-Id'));
  // A web page is no answer.
  if (status >= 200 && status < 300 && !/\bhtml\b/i.test(contentType)) {
    return { status, requestId, contentType, body: response.body, token };
  }
  const { failureOf } = await interrupt.wait(loadFailures()).catch((cause: unknown) => {
    response.body.close();
    if (signal.aborted) throw cause;
    // The status at least is worth telling.
    const details = { status, requestId, cause };
    throw new ZiggieError('upstream_error', `${request.method} ${request.path} answered ${status}.`, details);
  });
  throw await failureOf(settings, request, response, requestId, interrupt, token);
}

async function readToken(credentials: Credentials | undefined): Promise<string | undefined> {
  if (credentials === undefined) return undefined;
  try {
    const token: unknown = typeof credentials === 'string' ? credentials : await credentials();
    checkToken(token);
    // No token: the server decides what a stranger may do.
    return token === '' ? undefined : token;
  } catch (cause) {
    throw new ZiggieError('unauthorized', 'Getting a token: the credentials function failed.', { cause });
  }
}
