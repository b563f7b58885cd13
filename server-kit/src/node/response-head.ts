import { OutgoingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Answer } from '../answer/answer.ts';

/** Fields of one connection, which HTTP/2 has none of (RFC 9113 §8.2.2): Node refuses them there. */
const ofConnection: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
]);
/** Fields that add up with what the host's middleware has set already; of all others the answer's own counts. */
const additive: ReadonlySet<string> = new Set(['set-cookie', 'vary']);

// As they are when this is loaded: what replaces them later, on one response or on all, is somebody who wants to see.
const { writeHead: nodeWriteHead } = ServerResponse.prototype;
const { write: nodeWrite, end: nodeEnd } = OutgoingMessage.prototype;

/** Whether no middleware stands between us and the socket: no compression, nothing that watches what is written. */
export function isUntouched(res: ServerResponse): boolean {
  return res.writeHead === nodeWriteHead && res.write === nodeWrite && res.end === nodeEnd;
}

/**
 * Puts status and headers of a web response on a Node response, to go out with the first byte.
 *
 * @throws Error when Node refuses a value; some of the headers may be set by then.
 */
export function writeHead(response: Response, res: ServerResponse, httpVersionMajor: number): void {
  if (response.status < 200) throw new RangeError(`${response.status} is not the status of an answer`);
  res.statusCode = response.status;
  if (response.statusText !== '' && httpVersionMajor === 1) res.statusMessage = response.statusText;
  for (const [name, value] of response.headers) putHeader(res, name, value, httpVersionMajor);
  sendAtOnce(res, httpVersionMajor);
}

/**
 * The same for an answer of the kit; `bytes` is the length of its body when that is known. All headers in one call where
 * that is possible.
 */
export function writeAnswerHead(
  { status, headers }: Answer,
  res: ServerResponse,
  httpVersionMajor: number,
  bytes: number | undefined,
): void {
  const { pairs } = headers;
  if (bytes !== undefined && isUntouched(res) && res.getHeaderNames().length === 0) {
    pairs.push('content-length', String(bytes));
    res.writeHead(status, pairs);
  } else {
    res.statusCode = status;
    for (let at = 0; at < pairs.length; at += 2)
      putHeader(res, pairs[at] as string, pairs[at + 1] as string, httpVersionMajor);
  }
  sendAtOnce(res, httpVersionMajor);
}

function putHeader(res: ServerResponse, name: string, value: string, httpVersionMajor: number): void {
  if (httpVersionMajor !== 1 && ofConnection.has(name)) return;
  if (additive.has(name)) res.appendHeader(name, value);
  else res.setHeader(name, value);
}

/** A token is one small packet: Nagle's algorithm would hold it back until the last one is acknowledged. */
function sendAtOnce(res: ServerResponse, httpVersionMajor: number): void {
  if (httpVersionMajor === 1 && res.socket instanceof Socket) res.socket.setNoDelay(true);
}
