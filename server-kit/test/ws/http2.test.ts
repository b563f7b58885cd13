import { connect, createSecureServer, createServer, type IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import { connect as connectTls } from 'node:tls';
import Fastify from 'fastify';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { ziggieFastify } from '../../src/fastify.ts';
import type { ServerKit } from '../../src/index.ts';
import { ziggieNode, ziggieSockets } from '../../src/node.ts';
import { certificate } from '../doors/certificate.ts';
import { closeLater, leaveLater, startWithFake, token } from '../stream-harness.ts';

const prefix = '/api/llm';

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closeLater(async () => void server.close());
  return (server.address() as AddressInfo).port;
}

/** One stream of HTTP/2 and its answer. */
async function ask(
  origin: string,
  headers: Record<string, string>,
): Promise<{ headers: IncomingHttpHeaders; text: string }> {
  const session = connect(origin, { ca: certificate.cert });
  leaveLater(() => session.destroy());
  // An extended CONNECT may be sent once the server has said that it takes it.
  await new Promise<void>((resolve) => session.once('remoteSettings', () => resolve()));
  const stream = session.request(headers, { endStream: true });
  const answer = new Promise<IncomingHttpHeaders>((resolve, reject) => {
    stream.on('response', resolve);
    stream.on('error', reject);
  });
  let text = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    text += chunk;
  });
  const ended = new Promise((resolve) => stream.on('close', resolve));
  const given = await answer;
  await ended;
  return { headers: given, text };
}

const extendedConnect = async (path: string): Promise<Record<string, string>> => ({
  ':method': 'CONNECT',
  ':protocol': 'websocket',
  ':scheme': 'http',
  ':authority': '127.0.0.1',
  ':path': path,
  'sec-websocket-version': '13',
  'sec-websocket-protocol': 'ziggie.v1',
  authorization: `Bearer ${await token()}`,
});

const settings = { enableConnectProtocol: true };
const hosts: [string, (kit: ServerKit) => Promise<string>][] = [
  [
    'node:http2',
    async (kit) => {
      const server = createServer({ settings }, ziggieNode(kit, { prefix }) as never);
      ziggieSockets(server as never, kit, { prefix });
      return `http://127.0.0.1:${await listening(server)}`;
    },
  ],
  [
    'node:http2 over TLS that also speaks HTTP/1.1',
    async (kit) => {
      const server = createSecureServer(
        { ...certificate, settings, allowHTTP1: true },
        ziggieNode(kit, { prefix }) as never,
      );
      ziggieSockets(server as never, kit, { prefix });
      return `https://127.0.0.1:${await listening(server)}`;
    },
  ],
  [
    'Fastify over HTTP/2',
    async (kit) => {
      const app = Fastify({
        serverFactory: (handler) => createServer({ settings }, handler as never) as never,
      });
      await app.register(ziggieFastify, { kit, prefix });
      await app.listen({ port: 0, host: '127.0.0.1' });
      closeLater(() => app.close());
      return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
    },
  ],
];

describe.each(hosts)('a WebSocket over HTTP/2 (RFC 8441) on %s', (_name, start) => {
  test('is refused with an answer that says how to open one', async () => {
    const bench = await startWithFake();
    const origin = await start(bench.kit);
    for (const path of [`${prefix}/ws`, `${prefix}/ws?token=x`]) {
      const { headers, text } = await ask(origin, await extendedConnect(path));
      expect(headers[':status']).toBe(405);
      expect(headers['content-type']).toBe('application/problem+json');
      expect(JSON.parse(text)).toMatchObject({
        code: 'method_not_allowed',
        detail: expect.stringContaining('over HTTP/1.1'),
      });
    }
    expect(bench.kit.gauges().sockets).toBe(0);
    expect(bench.ollama.fake.report().requests).toEqual([]);
  });

  test('elsewhere, and a plain CONNECT, are answered too', async () => {
    const { kit } = await startWithFake();
    const origin = await start(kit);
    const elsewhere = await ask(origin, await extendedConnect('/other'));
    expect(elsewhere.headers[':status']).toBe(405);
    const plain = await ask(origin, { ':method': 'CONNECT', ':authority': 'internal:80' });
    expect(plain.headers[':status']).toBe(405);
  });

  test('a GET of the address says that it is a WebSocket', async () => {
    const { kit } = await startWithFake();
    const origin = await start(kit);
    const { headers, text } = await ask(origin, {
      ':path': `${prefix}/ws`,
      authorization: `Bearer ${await token()}`,
    });
    expect(headers[':status']).toBe(400);
    expect(headers['upgrade']).toBeUndefined();
    expect(JSON.parse(text)).toMatchObject({ code: 'bad_request' });
  });
});

test('on one port of HTTP/2 and HTTP/1.1 a socket opens by upgrade, and a CONNECT of HTTP/1.1 is cut off', async () => {
  const { kit } = await startWithFake();
  const origin = await (hosts[1] as (typeof hosts)[number])[1](kit);
  const socket = new WebSocket(`${origin.replace('https', 'wss')}${prefix}/ws`, ['ziggie.v1'], {
    ca: certificate.cert,
    headers: { authorization: `Bearer ${await token()}` },
  });
  leaveLater(() => socket.terminate());
  await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
  const wire = connectTls({
    port: Number(new URL(origin).port),
    host: '127.0.0.1',
    ca: certificate.cert,
    ALPNProtocols: ['http/1.1'],
  });
  wire.write(`CONNECT ${prefix}/ws HTTP/1.1\r\nHost: x\r\n\r\n`);
  let text = '';
  wire.on('data', (chunk) => {
    text += chunk;
  });
  await new Promise((resolve) => wire.on('close', resolve).on('error', () => {}));
  expect(text).toBe('');
});

test('a host that listens for CONNECT itself keeps those that are not the kit’s', async () => {
  const { kit } = await startWithFake();
  const server = createServer({ settings }, ziggieNode(kit, { prefix }) as never);
  server.on('connect' as never, (req: { url: string }, res: { statusCode: number; end(): void }) => {
    if (req.url.startsWith(prefix)) return;
    res.statusCode = 418;
    res.end();
  });
  const detach = ziggieSockets(server as never, kit, { prefix });
  const origin = `http://127.0.0.1:${await listening(server)}`;
  expect((await ask(origin, await extendedConnect('/mine'))).headers[':status']).toBe(418);
  expect((await ask(origin, await extendedConnect(`${prefix}/ws`))).headers[':status']).toBe(405);
  detach();
  expect(server.listenerCount('connect')).toBe(1);
});
