import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
// @ts-expect-error Express 4 under another name has no types of its own; it is used as Express 5's.
import express4 from 'express4';
import Fastify from 'fastify';
import { describe, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { ziggieExpress, ziggieSockets } from '../../src/express.ts';
import { ziggieFastify } from '../../src/fastify.ts';
import type { ServerKit } from '../../src/index.ts';
import { ziggieNode } from '../../src/node.ts';
import { listen } from '../doors/hosts.ts';
import { closeLater, startWithFake, token } from '../stream-harness.ts';
import { chatFrame } from './socket-bench.ts';
import { refusalOf, SocketClient } from './socket-client.ts';

type Start = (kit: ServerKit) => Promise<Server>;

const hosts: [string, Start][] = [
  [
    'node:http',
    async (kit) => {
      const server = createServer(ziggieNode(kit, { prefix: '/api/llm' }));
      ziggieSockets(server, kit, { prefix: '/api/llm' });
      const running = await listen(server);
      closeLater(running.close);
      return server;
    },
  ],
  ...([express, express4 as typeof express] as const).map((make, at): [string, Start] => [
    `Express ${at === 0 ? 5 : 4}`,
    async (kit) => {
      const app = make();
      app.use('/api/llm', ziggieExpress(kit));
      const server = createServer(app);
      ziggieSockets(server, kit, { prefix: '/api/llm' });
      const running = await listen(server);
      closeLater(running.close);
      return server;
    },
  ]),
  [
    'Fastify 5',
    async (kit) => {
      const app = Fastify();
      await app.register(ziggieFastify, { kit, prefix: '/api/llm' });
      await app.listen({ port: 0, host: '127.0.0.1' });
      closeLater(() => app.close());
      return app.server;
    },
  ],
];

describe.each(hosts)('sockets in %s', (_name, start) => {
  const begin = async () => {
    const bench = await startWithFake();
    const server = await start(bench.kit);
    const origin = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const headers = { authorization: `Bearer ${await token()}` };
    return { ...bench, server, origin, headers };
  };

  test('the kit’s answer; an upgrade elsewhere is a 404 and does not hang', async () => {
    const { origin, headers } = await begin();
    const client = await SocketClient.open(`${origin}/api/llm/ws`, ['ziggie.v1'], headers);
    client.send(chatFrame('one'));
    expect((await client.ended('one')).type).toBe('done');
    client.socket.terminate();
    for (const path of [
      '/',
      '/api/llm',
      '/api/llm/ws/',
      '/api/llm/w%73',
      '/api/llm/chat',
      '/api/llm//ws',
      '/API/llm/ws',
    ]) {
      expect((await refusalOf(SocketClient.open(`${origin}${path}`, ['ziggie.v1'], headers))).status).toBe(
        404,
      );
    }
  });

  test('beside the host’s own: each gets its own, unknown paths are left alone', async () => {
    const { origin, headers, server } = await begin();
    const own = new WebSocketServer({ noServer: true });
    const left: string[] = [];
    server.on('upgrade', (req, socket, head) => {
      if (req.url === '/own') own.handleUpgrade(req, socket, head, (one) => one.send('"from the host"'));
      else if (req.url !== '/api/llm/ws') {
        left.push(req.url ?? '');
        socket.end('HTTP/1.1 410 Gone\r\n\r\n');
      }
    });
    const hosts = await SocketClient.open(`${origin}/own`);
    await hosts.until(() => hosts.frames.length === 1);
    expect(hosts.frames).toEqual(['from the host']);
    const ours = await SocketClient.open(`${origin}/api/llm/ws`, ['ziggie.v1'], headers);
    ours.send(chatFrame('one'));
    expect((await ours.ended('one')).type).toBe('done');
    expect((await refusalOf(SocketClient.open(`${origin}/elsewhere`))).status).toBe(410);
    expect((await refusalOf(SocketClient.open(`${origin}/api/llm/other`))).status).toBe(410);
    expect(left).toEqual(['/elsewhere', '/api/llm/other']);
    for (const one of [hosts, ours]) one.socket.terminate();
  });

  test('a kit without sockets has no such address', async () => {
    const bench = await startWithFake({ sockets: { enabled: false } });
    const server = await start(bench.kit);
    const origin = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const headers = { authorization: `Bearer ${await token()}` };
    expect((await refusalOf(SocketClient.open(`ws://${origin}/api/llm/ws`, [], headers))).status).toBe(404);
    const response = await fetch(`http://${origin}/api/llm/ws/ticket`, { method: 'POST', headers });
    expect(response.status).toBe(404);
  });
});

test('two kits on one server each have their own sockets, and one can be taken away', async () => {
  const [first, second] = [await startWithFake(), await startWithFake()];
  const server = createServer((_req, res) => res.end());
  const detach = ziggieSockets(server, first.kit, { prefix: '/one' });
  ziggieSockets(server, second.kit, { prefix: '/two' });
  const running = await listen(server);
  closeLater(running.close);
  const headers = { authorization: `Bearer ${await token()}` };
  const open = (path: string) =>
    SocketClient.open(`ws://127.0.0.1:${running.port}${path}`, ['ziggie.v1'], headers);
  const [one, two] = [await open('/one/ws'), await open('/two/ws')];
  expect(first.kit.gauges().sockets).toBe(1);
  expect(second.kit.gauges().sockets).toBe(1);
  detach();
  expect((await one.untilClosed()).code).toBe(4503);
  expect((await refusalOf(open('/one/ws'))).status).toBe(404);
  two.send(chatFrame('x'));
  expect((await two.ended('x')).type).toBe('done');
  two.socket.terminate();
});
