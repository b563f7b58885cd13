import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import type { Transport } from './transport.ts';
import { unpacked } from './unpacked.node.ts';

/**
 * Node: plain node:http(s), without a time limit of its own.
 *
 * Node's `fetch` gives up after 300 s without a byte, and that cannot be lifted from outside; reading a long prompt or
 * loading a large model takes longer. Idle connections are kept by Node's global agents, which do not hold a process.
 */
export const platformTransport: Transport = {
  reportsConnection: true,
  send: ({ method, url, headers, body, signal, onConnected }) =>
    new Promise((resolve, reject) => {
      // A listener would never hear of it, and the request would go out.
      signal.throwIfAborted();
      const open = url.startsWith('https:') ? requestHttps : requestHttp;
      // Always a length: Node sends none with DELETE, and then the body reads like the next request.
      const length = body === undefined ? {} : { 'content-length': String(sizeOf(body)) };
      const outgoing = open(url, { method, headers: { ...headers, ...length } });
      // Without an error: the socket may already be idle in the agent, where nobody listens for one.
      const abort = (): void => void outgoing.destroy();
      signal.addEventListener('abort', abort, { once: true });
      outgoing.on('socket', (socket) => {
        if (!socket.connecting) onConnected();
        else socket.once(url.startsWith('https:') ? 'secureConnect' : 'connect', onConnected);
      });
      // Stays for the life of the request: an error after the answer began is also reported by the body.
      outgoing.on('error', reject);
      outgoing.on('close', () => {
        signal.removeEventListener('abort', abort);
        reject(new Error('The connection was closed without an answer.'));
      });
      outgoing.on('upgrade', (_, socket) => {
        socket.destroy();
        reject(Object.assign(new Error('Another protocol was switched to.'), { code: 'HPE_UPGRADE' }));
      });
      outgoing.on('response', (incoming) => {
        incoming.on('error', () => {});
        const bytes = unpacked(incoming);
        if (!bytes) {
          incoming.destroy();
          reject(
            Object.assign(new Error('The body is packed in a way nobody asked for.'), {
              code: 'HPE_ENCODING',
            }),
          );
          return;
        }
        const chunks: AsyncIterator<Uint8Array> = bytes[Symbol.asyncIterator]();
        resolve({
          status: incoming.statusCode ?? 0,
          header(name) {
            const value = incoming.headers[name.toLowerCase()];
            return Array.isArray(value) ? value.join(', ') : value;
          },
          body: {
            read: () => chunks.next(),
            close: () => void bytes.destroy(),
          },
        });
      });
      if (body instanceof Blob)
        pipeline(Readable.fromWeb(body.stream() as ReadableStream), outgoing).catch(reject);
      else outgoing.end(body);
    }),
};

function sizeOf(body: string | Uint8Array | Blob): number {
  return body instanceof Blob ? body.size : Buffer.byteLength(body);
}
