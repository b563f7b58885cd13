import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { StreamEvent } from '@ziggie/llm-protocol';
import { cut, type FakeOllamaServer, say, stall } from '@ziggie/llm-testing';
import { startFakeOllama } from '@ziggie/llm-testing/node';
import express from 'express';
import Fastify from 'fastify';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ziggieExpress } from '../src/express.ts';
import { ziggieFastify } from '../src/fastify.ts';
import { createServerKit, type ServerKit } from '../src/index.ts';
import { ziggieNode } from '../src/node.ts';
import { listen } from './doors/hosts.ts';
import { RawClient, requestText } from './doors/raw-client.ts';

const secret = 'a secret for tests, longer than 32 bytes';
const prefix = '/api/llm';

function token(): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + 60;
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: 'ada', exp })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

interface Listening {
  port: number;
  close(): Promise<void>;
}

const doors: [string, (kit: ServerKit) => Promise<Listening>][] = [
  ['node:http', (kit) => listen(createServer(ziggieNode(kit, { prefix })))],
  [
    'Express 5',
    (kit) => {
      const app = express();
      app.use(express.json());
      app.use(prefix, ziggieExpress(kit));
      return listen(createServer(app));
    },
  ],
  [
    'Fastify 5',
    async (kit) => {
      const app = Fastify({ forceCloseConnections: true });
      app.register(ziggieFastify, { kit, prefix });
      await app.listen({ port: 0, host: '127.0.0.1' });
      const address = app.server.address();
      return { port: typeof address === 'object' ? (address?.port ?? 0) : 0, close: () => app.close() };
    },
  ],
];

// Everything is real: the kit, its door, the host app, the sockets. Only the model is the stand-in.
describe.each(doors)('the kit in %s in front of an Ollama', (_name, start) => {
  let ollama: FakeOllamaServer;
  let kit: ServerKit;
  let running: Listening;

  beforeEach(async () => {
    ollama = await startFakeOllama({ tokensPerSecond: Number.POSITIVE_INFINITY });
    kit = createServerKit({
      upstreams: [{ url: ollama.url, slots: 64 }],
      auth: { jwt: { secret, issuer: false, audience: false } },
    });
    running = await start(kit);
  });

  afterEach(async () => {
    await kit.close({ drainMs: 0 });
    await running.close();
    await ollama.close();
    expect(kit.gauges()).toEqual({ activeRequests: 0, openUpstream: 0, timers: 0, queued: 0, sockets: 0 });
  });

  const body = JSON.stringify({ model: 'stand-in', messages: [{ role: 'user', content: 'Hello' }] });
  const headers = { Authorization: `Bearer ${token()}`, 'Content-Type': 'application/json' };
  const url = (path: string) => `http://127.0.0.1:${running.port}${prefix}${path}`;
  const chat = () => fetch(url('/chat'), { method: 'POST', headers, body });
  const eventsOf = (text: string) =>
    text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => JSON.parse(line) as StreamEvent);
  const openChat = async () => {
    const client = await RawClient.open(running.port);
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    client.send(requestText('POST', `${prefix}/chat`, { headers: lines, body }));
    return client;
  };
  const idle = { activeRequests: 0, openUpstream: 0, timers: 0, queued: 0, sockets: 0 };

  test('a chat streams to its end and leaves nothing behind', async () => {
    ollama.fake.script([say('Grüße aus dem Modell')]);
    const response = await chat();
    expect(response.status).toBe(200);
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    const events = eventsOf(await response.text());
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_event, at) => at));
    expect(events[0]?.type).toBe('start');
    expect(events.at(-1)?.type).toBe('done');
    expect(events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('')).toBe(
      'Grüße aus dem Modell',
    );
    await expect.poll(() => kit.gauges()).toEqual(idle);
  });

  test('each token is on its way before the model writes the next', async () => {
    ollama.fake.script([say('first'), stall()]);
    const client = await openChat();
    await client.untilText('"first"');
    expect(ollama.fake.report().openGenerations).toBe(1);
    client.leave();
    await ollama.fake.waitFor(({ openGenerations }) => openGenerations === 0);
  });

  // Real times on a machine that others use: an attempt may be late, three in a row may not.
  test.each([
    ['before the first token', [stall()]],
    ['in the middle', [say('first'), stall()]],
  ])('a client that leaves %s frees the model', { retry: 2 }, async (when, script) => {
    ollama.fake.script(script);
    const client = await openChat();
    if (when === 'in the middle') await client.untilText('"first"');
    await ollama.fake.waitFor(({ openGenerations }) => openGenerations === 1);
    const left = performance.now();
    client.leave();
    await ollama.fake.waitFor(({ openGenerations }) => openGenerations === 0);
    expect(performance.now() - left).toBeLessThan(1000);
    await expect.poll(() => kit.gauges()).toEqual(idle);
  });

  test('a model server that dies midway ends the stream with an error', async () => {
    // A reset overtakes what was sent just before it.
    ollama.fake.script([say('the beginning'), stall(30), cut('reset')]);
    const events = eventsOf(await (await chat()).text());
    expect(events.some((event) => event.type === 'text-delta')).toBe(true);
    expect(events.at(-1)).toMatchObject({ type: 'error', retryable: true });
    expect(events.filter(({ type }) => type === 'done')).toEqual([]);
    await expect.poll(() => kit.gauges()).toEqual(idle);
  });

  test('nobody gets in without a token', async () => {
    const client = await RawClient.open(running.port);
    client.send(
      requestText('POST', `${prefix}/chat`, {
        headers: ['Content-Type: application/octet-stream', 'Content-Length: 1000000'],
      }),
    );
    await client.untilText('"unauthorized"');
    client.leave();
    expect(ollama.fake.report().requests).toEqual([]);
  });

  test('targets that two readers could read in two ways reach no route', async () => {
    for (const target of ['/%63hat', '//chat', '/./chat', '/x/../chat', '/chat;x', '/chat%00', '/chat/..']) {
      const client = await RawClient.open(running.port);
      client.send(
        requestText('POST', prefix + target, {
          headers: [`Authorization: ${headers.Authorization}`, 'Content-Type: application/json'],
          body,
        }),
      );
      await client.untilText('HTTP/1.1');
      expect(client.received).toMatch(/^HTTP\/1\.1 4/);
      client.leave();
    }
    expect(ollama.fake.report().requests).toEqual([]);
  });

  test('an early close lets the answer of a drain finish', async () => {
    ollama.fake.script([say('begun'), stall(100), say('ended')]);
    const client = await openChat();
    await client.untilText('"begun"');
    const closed = kit.close({ drainMs: 5_000 });
    const refused = await chat();
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).not.toBeNull();
    await refused.text();
    await client.untilText('"done"');
    await closed;
    client.leave();
  });
});
