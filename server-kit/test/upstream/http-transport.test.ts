import { getEventListeners, once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer as createNetServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { HttpTransport } from '../../src/upstream/http-transport.ts';
import type { UpstreamAnswer } from '../../src/upstream/transport.ts';
import { ConnectFailed } from '../../src/upstream/transport.ts';
import { until } from '../stream-harness.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function serve(server: HttpServer): Promise<URL> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

function transportTo(url: URL, connectMs = 2000): HttpTransport {
  const transport = new HttpTransport(url, connectMs);
  closers.push(() => transport.close());
  return transport;
}

async function readAll({ body }: UpstreamAnswer): Promise<string> {
  let text = '';
  for (let chunk = await body.read(); chunk !== null; chunk = await body.read())
    text += Buffer.from(chunk).toString();
  return text;
}

test('5,000 requests leave no listener, no open request and few sockets', async () => {
  let sockets = 0;
  const server = createServer((_request, response) => void response.end('{"ok":true}'));
  server.on('connection', () => void sockets++);
  const transport = transportTo(await serve(server));
  const { signal } = new AbortController();
  for (let batch = 0; batch < 250; batch++) {
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        expect(await readAll(await transport.send({ method: 'GET', path: '/x', signal }))).toBe(
          '{"ok":true}',
        );
      }),
    );
  }
  expect(transport.open).toBe(0);
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  expect(sockets).toBeLessThanOrEqual(40);
});

test('a base path stands before every path, and nothing but our own headers is sent', async () => {
  const seen: { url: string | undefined; headers: Record<string, unknown> }[] = [];
  const server = createServer((request, response) => {
    seen.push({ url: request.url, headers: { ...request.headers } });
    response.end();
  });
  const url = await serve(server);
  const transport = transportTo(new URL('/gpu-1/', url));
  const { signal } = new AbortController();
  await readAll(await transport.send({ method: 'POST', path: '/api/chat', body: '{}', signal }));
  expect(seen[0]?.url).toBe('/gpu-1/api/chat');
  expect(Object.keys(seen[0]?.headers ?? {}).sort()).toEqual([
    'connection',
    'content-length',
    'content-type',
    'host',
  ]);
});

test('a connect in progress when the caller leaves never sends the request', async () => {
  const received: string[] = [];
  const server = createNetServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => void received.push(bytes.toString()));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => server.close());
  const transport = transportTo(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  const left = new AbortController();
  const sent = transport.send({ method: 'POST', path: '/api/chat', body: '{"a":1}', signal: left.signal });
  // The connect has begun in `send` and cannot have ended within this turn.
  left.abort();
  await expect(sent).rejects.toMatchObject({ name: 'AbortError' });
  expect(transport.open).toBe(0);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(received).toEqual([]);
});

test('an address that does not accept: given up at once by the caller, after connectMs by itself', async () => {
  // TEST-NET-1 (RFC 5737): nobody is there.
  const transport = transportTo(new URL('http://192.0.2.1:9'), 300);
  const left = new AbortController();
  const sent = transport.send({ method: 'POST', path: '/', body: '{}', signal: left.signal });
  const leftAt = performance.now();
  left.abort();
  await expect(sent).rejects.toMatchObject({ name: 'AbortError' });
  expect(performance.now() - leftAt).toBeLessThan(250);
  expect(transport.open).toBe(0);
  const { signal } = new AbortController();
  await expect(transport.send({ method: 'GET', path: '/', signal })).rejects.toBeInstanceOf(ConnectFailed);
});

test('a signal that has aborted already sends nothing', async () => {
  const accepted: Socket[] = [];
  const server = createNetServer((socket) => void accepted.push(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => server.close());
  const transport = transportTo(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  const sent = transport.send({ method: 'GET', path: '/', signal: AbortSignal.abort() });
  await expect(sent).rejects.toMatchObject({ name: 'AbortError' });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(accepted).toHaveLength(0);
  expect(transport.open).toBe(0);
});

test('a request after close() fails and stays not open', async () => {
  const transport = transportTo(await serve(createServer((_request, response) => void response.end())));
  await transport.close();
  const { signal } = new AbortController();
  await expect(transport.send({ method: 'GET', path: '/', signal })).rejects.toThrow();
  expect(transport.open).toBe(0);
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});

test('close() breaks what is being read', async () => {
  const server = createServer((_request, response) => void response.write('first'));
  const transport = transportTo(await serve(server));
  const { signal } = new AbortController();
  const { body } = await transport.send({ method: 'GET', path: '/', signal });
  expect(Buffer.from((await body.read()) as Uint8Array).toString()).toBe('first');
  const reading = body.read();
  const closing = transport.close();
  await expect(reading).rejects.toThrow();
  await closing;
  await until(() => transport.open === 0);
});
