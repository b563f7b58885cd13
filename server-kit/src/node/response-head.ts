import type { ServerResponse } from 'node:http';
import { Socket } from 'node:net';

/** Fields of one connection, which HTTP/2 has none of (RFC 9113 §8.2.2): Node refuses them there. */
const ofConnection: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
]);
/** Fields that add up with what the host's middleware has set already; of all others the answer's own counts. */
const additive: ReadonlySet<string> = new Set(['set-cookie', 'vary']);

/**
 * Puts status and headers of a web response on a Node response, to go out with the first byte.
 *
 * @throws Error when Node refuses a value; some of the headers may be set by then.
 */
export function writeHead(response: Response, res: ServerResponse, httpVersionMajor: number): void {
  if (response.status < 200) throw new RangeError(`${response.status} is not the status of an answer`);
  const isHttp1 = httpVersionMajor === 1;
  res.statusCode = response.status;
  if (response.statusText !== '' && isHttp1) res.statusMessage = response.statusText;
  for (const [name, value] of response.headers) {
    if (!isHttp1 && ofConnection.has(name)) continue;
    if (additive.has(name)) res.appendHeader(name, value);
    else res.setHeader(name, value);
  }
  // A token is one small packet: Nagle's algorithm would hold it back until the last one is acknowledged.
  if (isHttp1 && res.socket instanceof Socket) res.socket.setNoDelay(true);
}
