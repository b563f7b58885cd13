import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createFakeOllama, innerDoorOf } from '../create-fake-ollama.ts';
import { ClientLeft, Cut } from '../ollama/http-failure.ts';
import type { Handle, Outgoing } from '../ollama/world.ts';
import type { FakeOllamaOptions, FakeOllamaServer } from '../types.ts';
import { isAllowedHost, isLoopback } from './host-guard.ts';

/** Where the stand-in listens, and its settings. */
export interface StartFakeOllamaOptions extends FakeOllamaOptions {
  /** Default 0: any free port. */
  port?: number | undefined;
  /** Default `127.0.0.1`. */
  host?: string | undefined;
}

/**
 * Starts the stand-in on a socket.
 *
 * @throws {Error} `EADDRINUSE` when the port is taken, as node:http reports it.
 */
export async function startFakeOllama(options: StartFakeOllamaOptions = {}): Promise<FakeOllamaServer> {
  const { port = 0, host = '127.0.0.1', ...settings } = options;
  const fake = createFakeOllama(settings);
  const { handle, stop } = innerDoorOf(fake);
  let guarded = false;
  const server = createServer(
    { noDelay: true, keepAliveTimeout: 0, requestTimeout: 0 },
    (request, response) => {
      const hostAllowed = !guarded || isAllowedHost(request.headers.host);
      void serve(handle, hostAllowed, request, response);
    },
  );
  // Ollama waits for ever, and so does this.
  server.headersTimeout = 0;
  server.listen(port, host);
  await once(server, 'listening');
  const bound = server.address() as AddressInfo;
  guarded = isLoopback(bound.address);
  const name = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  return {
    url: `http://${name}:${bound.port}`,
    port: bound.port,
    fake,
    close: () => close(server, stop),
  };
}

async function close(server: Server, stop: () => void): Promise<void> {
  const closed = server.listening ? once(server, 'close') : undefined;
  stop();
  server.close();
  server.closeAllConnections();
  await closed;
}

async function serve(
  handle: Handle,
  hostAllowed: boolean,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const left = new AbortController();
  // Also comes for a half-closed connection, which Go takes for a client that left too.
  response.once('close', () => left.abort());
  // A reset connection is the client leaving, which the close event tells.
  response.on('error', () => {});
  const target = request.url ?? '/';
  const queryAt = target.indexOf('?');
  try {
    const outgoing = await handle({
      method: request.method ?? 'GET',
      path: queryAt === -1 ? target : target.slice(0, queryAt),
      query: queryAt === -1 ? '' : target.slice(queryAt),
      headers: headersOf(request),
      hostAllowed,
      readText: () => readText(request),
      signal: left.signal,
    });
    await send(outgoing, request, response, left.signal);
  } catch {
    // A cut, or a client that is gone: the connection ends without an answer's end.
    request.socket.resetAndDestroy();
  }
}

async function send(
  { status, headers, body }: Outgoing,
  request: IncomingMessage,
  response: ServerResponse,
  left: AbortSignal,
): Promise<void> {
  if (typeof body === 'string') {
    const length = Buffer.byteLength(body);
    response.writeHead(status, {
      ...headers,
      ...(status === 204 ? {} : { 'content-length': String(length) }),
    });
    response.end(request.method === 'HEAD' ? undefined : body);
    return;
  }
  response.writeHead(status, headers);
  let flushed: Promise<unknown> = Promise.resolve();
  try {
    for await (const piece of body) {
      if (left.aborted) throw new ClientLeft();
      let mayGoOn = true;
      flushed = new Promise((resolve) => {
        mayGoOn = response.write(piece, resolve);
      });
      if (!mayGoOn) await drained(response, left);
    }
  } catch (cause) {
    // What was written before a scripted cut belongs to the client; a reset would take it back.
    if (cause instanceof Cut) await flushed;
    throw cause;
  }
  response.end();
}

/** Resolves when more may be written, or nobody reads any more. */
function drained(response: ServerResponse, left: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done);
      left.removeEventListener('abort', done);
      resolve();
    };
    response.once('drain', done);
    left.addEventListener('abort', done, { once: true });
  });
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function headersOf(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
}
