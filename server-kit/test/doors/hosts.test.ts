import { createServer, type Server } from 'node:http';
import { type ClientHttp2Session, connect, createServer as createHttp2 } from 'node:http2';
import { createServer as createHttps, request as requestHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { say, stall } from '@ziggie/llm-testing';
import compression from 'compression';
import express from 'express';
// @ts-expect-error Express 4 under another name has no types of its own; it is used as Express 5's.
import express4Untyped from 'express4';
import Fastify from 'fastify';
import { describe, expect, test } from 'vitest';
import { ziggieExpress } from '../../src/express.ts';
import { ziggieFastify } from '../../src/fastify.ts';
import type { ServerKit } from '../../src/index.ts';
import { ziggieNode } from '../../src/node.ts';
import { closeLater, leaveLater, question, startWithFake, token } from '../stream-harness.ts';
import { certificate } from './certificate.ts';
import { listen } from './hosts.ts';
import { RawClient, requestText } from './raw-client.ts';

const express4 = express4Untyped as typeof express;
const prefix = '/api/llm';

/** One answer as it arrives. */
interface Arriving {
  status: Promise<number>;
  headers: Promise<Record<string, unknown>>;
  text(): string;
  ended: Promise<void>;
  leave(): void;
}

type Ask = (
  port: number,
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: string,
) => Arriving;

const overHttp1: Ask = (port, method, path, headers, body) => {
  const left = new AbortController();
  let text = '';
  const response = fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers,
    body: body ?? null,
    signal: left.signal,
  });
  const ended = response.then(async (answer) => {
    const decoder = new TextDecoder();
    for await (const chunk of answer.body ?? []) text += decoder.decode(chunk, { stream: true });
  });
  ended.catch(() => {});
  return {
    status: response.then(({ status }) => status),
    headers: response.then((answer) => Object.fromEntries(answer.headers)),
    text: () => text,
    ended,
    leave: () => left.abort(),
  };
};

const overTls: Ask = (port, method, path, headers, body) => {
  const request = requestHttps({
    port,
    host: '127.0.0.1',
    method,
    path,
    headers,
    ca: certificate.cert,
    agent: false,
  });
  let text = '';
  const response = new Promise<{ status: number; headers: Record<string, unknown> }>((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (answer) => {
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => {
        text += chunk;
      });
      answer.on('error', () => {});
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers });
    });
  });
  response.catch(() => {});
  const ended = new Promise<void>((resolve) => request.on('close', resolve));
  request.end(body);
  return {
    status: response.then(({ status }) => status),
    headers: response.then(({ headers: given }) => given),
    text: () => text,
    ended,
    leave: () => request.destroy(),
  };
};

const overHttp2: Ask = (port, method, path, headers, body) => {
  const session: ClientHttp2Session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => {});
  leaveLater(() => session.destroy());
  const lower = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const stream = session.request({ ':method': method, ':path': path, ...lower });
  let text = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    text += chunk;
  });
  stream.on('error', () => {});
  const response = new Promise<Record<string, unknown>>((resolve) => stream.on('response', resolve));
  const ended = new Promise<void>((resolve) => stream.on('close', () => resolve()));
  stream.end(body);
  return {
    status: response.then((given) => Number(given[':status'])),
    headers: response,
    text: () => text,
    ended,
    leave: () => stream.close(8),
  };
};

const onServer = async (server: Server): Promise<number> => {
  const running = await listen(server);
  closeLater(running.close);
  return running.port;
};

const compressed = (make: typeof express) => (kit: ServerKit) => {
  const app = make();
  app.use(compression({ threshold: 0 }));
  app.get('/host', (_req, res) => void res.send('x'.repeat(5000)));
  app.use(prefix, ziggieExpress(kit));
  return onServer(createServer(app));
};

const onFastify = async (app: ReturnType<typeof Fastify>, kit: ServerKit): Promise<number> => {
  await app.register(ziggieFastify, { kit, prefix });
  await app.listen({ port: 0, host: '127.0.0.1' });
  closeLater(() => app.close());
  return (app.server.address() as AddressInfo).port;
};

const hosts: [string, (kit: ServerKit) => Promise<number>, Ask][] = [
  [
    'node:https',
    (kit) => onServer(createHttps(certificate, ziggieNode(kit, { prefix })) as unknown as Server),
    overTls,
  ],
  [
    'Express 5 over TLS',
    (kit) =>
      onServer(createHttps(certificate, express().use(prefix, ziggieExpress(kit))) as unknown as Server),
    overTls,
  ],
  ['Fastify over TLS', (kit) => onFastify(Fastify({ https: certificate }) as never, kit), overTls],
  [
    'node:http2',
    async (kit) => {
      const server = createHttp2((req, res) => ziggieNode(kit, { prefix })(req as never, res as never));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      closeLater(async () => void server.close());
      return (server.address() as AddressInfo).port;
    },
    overHttp2,
  ],
  ['Fastify over HTTP/2', (kit) => onFastify(Fastify({ http2: true }) as never, kit), overHttp2],
  ['Express 5 behind compression()', compressed(express), overHttp1],
  ['Express 4 behind compression()', compressed(express4), overHttp1],
];

describe.each(hosts)('the kit in %s', (name, start, ask) => {
  const begin = async () => {
    const bench = await startWithFake();
    const port = await start(bench.kit);
    const headers = {
      authorization: `Bearer ${await token()}`,
      'content-type': 'application/json',
      'accept-encoding': 'gzip',
    };
    const chat = () => ask(port, 'POST', `${prefix}/chat`, headers, JSON.stringify(question()));
    return { ...bench, port, headers, chat };
  };

  test('brings each token before the next is written, and frees the model when its reader leaves', async () => {
    const { ollama, chat } = await begin();
    ollama.fake.script([say('first'), stall()]);
    const answer = chat();
    expect(await answer.status).toBe(200);
    expect((await answer.headers)['content-encoding']).toBeUndefined();
    await expect.poll(() => answer.text()).toContain('"first"');
    expect(ollama.fake.report().openGenerations).toBe(1);
    answer.leave();
    await ollama.fake.waitFor(({ openGenerations }) => openGenerations === 0);
  });

  test('answers whole, complete JSON and refusals too', async () => {
    const { ollama, chat, port, headers } = await begin();
    ollama.fake.script([say('Grüße')]);
    const answer = chat();
    await answer.ended;
    expect(answer.text()).toContain('"type":"done"');
    ollama.fake.script([say('Grüße')]);
    const whole = ask(
      port,
      'POST',
      `${prefix}/chat`,
      headers,
      JSON.stringify({ ...question(), stream: false }),
    );
    expect(await whole.status).toBe(200);
    await whole.ended;
    expect(JSON.parse(whole.text())).toMatchObject({ message: { content: 'Grüße' }, done: true });
    const refused = ask(port, 'POST', `${prefix}/chat`, { 'content-type': 'application/json' }, '{}');
    expect(await refused.status).toBe(401);
    await refused.ended;
    expect(JSON.parse(refused.text())).toMatchObject({ code: 'unauthorized' });
  });

  if (name.includes('compression')) {
    test('leaves the host’s own answers compressed', async () => {
      const { port, headers } = await begin();
      const answer = ask(port, 'GET', '/host', headers);
      expect((await answer.headers)['content-encoding']).toBe('gzip');
      await answer.ended;
    });
  }
});

test('two kits in one app are two, and one kit can be mounted twice', async () => {
  const [first, second] = [await startWithFake(), await startWithFake()];
  const app = express();
  app.use('/one', ziggieExpress(first.kit));
  app.use('/two', ziggieExpress(second.kit));
  app.use('/again', ziggieExpress(second.kit));
  const fastify = Fastify();
  fastify.register(ziggieFastify, { kit: first.kit, prefix: '/one' });
  fastify.register(ziggieFastify, { kit: second.kit, prefix: '/two' });
  fastify.register(ziggieFastify, { kit: second.kit, prefix: '/again' });
  await fastify.listen({ port: 0, host: '127.0.0.1' });
  closeLater(() => fastify.close());
  const ports = [await onServer(createServer(app)), (fastify.server.address() as AddressInfo).port];
  const headers = { authorization: `Bearer ${await token()}`, 'content-type': 'application/json' };
  for (const port of ports) {
    first.ollama.fake.script([say('from one')]);
    for (const _ of [1, 2]) second.ollama.fake.script([say('from two')]);
    for (const [path, text] of [
      ['/one', 'from one'],
      ['/two', 'from two'],
      ['/again', 'from two'],
    ]) {
      const body = JSON.stringify({ ...question(), stream: false });
      const response = await fetch(`http://127.0.0.1:${port}${path}/chat`, { method: 'POST', headers, body });
      expect(await response.json()).toMatchObject({ message: { content: text } });
    }
  }
});

const plain: [string, (kit: ServerKit) => Promise<{ port: number; server: Server }>][] = [
  ['node:http', async (kit) => withPort(createServer(ziggieNode(kit, { prefix })))],
  ['Express 5', async (kit) => withPort(createServer(express().use(prefix, ziggieExpress(kit))))],
  ['Express 4', async (kit) => withPort(createServer(express4().use(prefix, ziggieExpress(kit))))],
  [
    'Fastify 5',
    async (kit) => {
      const app = Fastify();
      return { port: await onFastify(app, kit), server: app.server };
    },
  ],
];

async function withPort(server: Server): Promise<{ port: number; server: Server }> {
  return { port: await onServer(server), server };
}

describe.each(plain)('uploads to %s', (_name, start) => {
  const body = JSON.stringify(question());
  const begin = async () => {
    const bench = await startWithFake();
    const { port, server } = await start(bench.kit);
    const client = await RawClient.open(port);
    leaveLater(() => client.leave());
    return { bench, client, server, auth: `Authorization: Bearer ${await token()}` };
  };
  const head = (headers: readonly string[]) =>
    requestText('POST', `${prefix}/chat`, { headers: ['Content-Type: application/json', ...headers] });

  test('that wait for 100 Continue get it and are answered', async () => {
    const { client, auth } = await begin();
    client.send(head([auth, 'Expect: 100-continue', `Content-Length: ${body.length}`]));
    await client.untilText('HTTP/1.1 100 Continue\r\n\r\n');
    client.send(body);
    await client.untilText('"type":"done"');
    expect(client.received.match(/HTTP\/1\.1/g)).toHaveLength(2);
  });

  test('of a host that leaves 100 Continue to the kit get it only when the body is wanted', async () => {
    const { client, auth, server } = await begin();
    server.on('checkContinue', (req, res) => server.emit('request', req, res));
    client.send(head(['Expect: 100-continue', `Content-Length: ${body.length}`]));
    await client.untilText('"unauthorized"');
    expect(client.received).not.toContain('100 Continue');
    const other = await RawClient.open((server.address() as AddressInfo).port);
    leaveLater(() => other.leave());
    other.send(head([auth, 'Expect: 100-continue', `Content-Length: ${body.length}`]));
    await other.untilText('HTTP/1.1 100 Continue\r\n\r\n');
    other.send(body);
    await other.untilText('"type":"done"');
  });

  test.each([
    ['announced too large', ['Content-Length: 50000000'], true, '413'],
    ['of somebody without a token', ['Content-Length: 50000000'], false, '401'],
    ['that are not JSON', ['Content-Length: 50000000', 'Content-Type: text/plain'], true, '415'],
  ])('%s are refused before they arrive', async (_why, headers, signedIn, status) => {
    const { client, auth, bench } = await begin();
    const all = [...(signedIn ? [auth] : []), ...headers];
    const text = head(all);
    client.send(headers.length > 1 ? text.replace('Content-Type: application/json\r\n', '') : text);
    await client.untilText(`HTTP/1.1 ${status}`);
    // Nothing of the body was sent, and nothing waits for it.
    expect(bench.ollama.fake.report().requests).toEqual([]);
    await client.until(({ closed }) => closed);
  });

  test('that grow too large are cut off while they arrive', async () => {
    const { client, auth } = await begin();
    client.send(head([auth, 'Transfer-Encoding: chunked']));
    const piece = `10000\r\n${'x'.repeat(65536)}\r\n`;
    let sent = 0;
    while (sent < 60 * 1024 * 1024 && !client.received.includes('413') && !client.closed) {
      client.send(piece);
      sent += piece.length;
      if (client.socket.writableNeedDrain) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await client.untilText('413');
    expect(sent).toBeLessThan(40 * 1024 * 1024);
  });
});
