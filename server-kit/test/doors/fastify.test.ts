import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type TrustProxy, ziggieFastify } from '../../src/fastify.ts';
import { abortTime, deferred, ProbeKit, Source } from './probe-kit.ts';
import { RawClient, requestText } from './raw-client.ts';

describe('ziggieFastify', () => {
  let kit: ProbeKit;
  let app: FastifyInstance;

  beforeEach(() => {
    kit = new ProbeKit();
    kit.answer = () => new Response('from the kit', { status: 201, headers: { 'X-Kit': '1' } });
    app = Fastify({ forceCloseConnections: true });
  });
  afterEach(() => app.close());

  const mount = async (prefix = '/api/llm') => {
    app.register(ziggieFastify, { kit, prefix });
    await app.listen({ port: 0, host: '127.0.0.1' });
    return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}${prefix}`;
  };
  const port = () => (app.server.address() as AddressInfo).port;

  test('runs the hooks of the host and keeps what they set', async () => {
    const seen: string[] = [];
    app.addHook('onRequest', async (_request, reply) => {
      seen.push('onRequest');
      reply.header('X-Host', 'hook').header('Set-Cookie', 'host=1').header('X-Kit', 'of the host');
    });
    app.addHook('preHandler', async () => {
      seen.push('preHandler');
    });
    app.addHook('onSend', async (_request, reply, payload) => {
      seen.push('onSend');
      reply.header('X-Sent', '1');
      return payload;
    });
    const responded = new Promise<number>((resolve) => {
      app.addHook('onResponse', async (_request, reply) => resolve(reply.statusCode));
    });
    kit.answer = () => new Response('x', { status: 201, headers: { 'X-Kit': '1', 'Set-Cookie': 'kit=2' } });
    const { headers, status } = await fetch(`${await mount()}/chat`);
    expect(status).toBe(201);
    expect(headers.get('x-host')).toBe('hook');
    expect(headers.get('x-sent')).toBe('1');
    expect(headers.get('x-kit')).toBe('1');
    expect(headers.getSetCookie()).toEqual(['host=1', 'kit=2']);
    expect(await responded).toBe(201);
    expect(seen).toEqual(['onRequest', 'preHandler', 'onSend']);
  });

  test('is behind the guards of the host', async () => {
    app.addHook('preHandler', async (_request, reply) => reply.code(403).send('guarded'));
    const response = await fetch(`${await mount()}/chat`, { method: 'POST', body: '{}' });
    expect([response.status, await response.text()]).toEqual([403, 'guarded']);
    expect(kit.seen).toEqual([]);
  });

  test('hands on the user whom the host has authenticated', async () => {
    app.decorateRequest('user', null);
    app.addHook('preHandler', async (request) => {
      (request as { user?: unknown }).user = { id: 'ada' };
    });
    kit.answer = (_request, { user }) => Response.json(user ?? null);
    expect(await (await fetch(`${await mount()}/chat`)).json()).toEqual({ id: 'ada' });
  });

  test('leaves a payload to Fastify that a hook has replaced', async () => {
    app.addHook('onSend', async () => 'replaced');
    const source = new Source();
    kit.answer = () => new Response(source.stream);
    expect(await (await fetch(`${await mount()}/chat`)).text()).toBe('replaced');
    await source.cancelled;
  });

  test('drops an answer that a hook has replaced after the client left', async () => {
    app.addHook('onSend', async () => 'replaced');
    const source = new Source();
    kit.answer = async (request) => {
      await abortTime(request.signal);
      return new Response(source.stream);
    };
    await mount();
    const client = await RawClient.open(port());
    client.send(requestText('GET', '/api/llm/chat'));
    await expect.poll(() => kit.seen.length).toBe(1);
    client.leave();
    await source.cancelled;
  });

  test('tells the kit no more about a request that it has passed on', async () => {
    const { promise: closed, resolve } = deferred<void>();
    app.setNotFoundHandler((_request, reply) => {
      reply.hijack();
      reply.raw.once('close', () => resolve());
      reply.raw.write('begun');
    });
    kit.answer = () => undefined;
    await mount();
    const client = await RawClient.open(port());
    client.send(requestText('GET', '/api/llm/own'));
    await client.untilText('begun');
    client.leave();
    await closed;
    expect(kit.last.request.signal.aborted).toBe(false);
  });

  test('streams on when the time that handlers have is over', async () => {
    await app.close();
    app = Fastify({ handlerTimeout: 30, forceCloseConnections: true });
    const source = new Source();
    kit.answer = () => new Response(source.stream);
    await mount();
    const client = await RawClient.open(port());
    client.send(requestText('GET', '/api/llm/chat'));
    source.push('one');
    await client.untilText('one');
    await sleep(60);
    source.push('two');
    source.end();
    await client.untilText('two');
    await client.untilText('0\r\n\r\n');
    client.leave();
  });

  test('drops an answer whose way out fails in a hook', async () => {
    app.addHook('onSend', async (_request, reply) => {
      if (reply.statusCode === 200) throw new Error('hook failed');
    });
    const source = new Source();
    kit.answer = () => new Response(source.stream);
    expect((await fetch(`${await mount()}/chat`)).status).toBe(500);
    await source.cancelled;
  });

  test('leaves the errors of the hooks to the error handler of the host', async () => {
    app.setErrorHandler((error: Error, _request, reply) => reply.code(418).send(`host: ${error.message}`));
    app.addHook('preHandler', async () => {
      throw new Error('not today');
    });
    const response = await fetch(`${await mount()}/chat`);
    expect([response.status, await response.text()]).toEqual([418, 'host: not today']);
  });

  test('answers a Content-Type that cannot be read with a 415 problem', async () => {
    await mount();
    const client = await RawClient.open(port());
    client.send(requestText('POST', '/api/llm/chat', { headers: ['Content-Type: ;;;'], body: '{}' }));
    await client.untilText('unsupported_media_type');
    expect(client.received).toMatch(/^HTTP\/1\.1 415/);
    expect(client.received).toContain('application/problem+json');
    client.leave();
    expect(kit.seen).toEqual([]);
  });

  test('does not apply the body limit of the host, which is not about streams', async () => {
    await app.close();
    app = Fastify({ bodyLimit: 10, forceCloseConnections: true });
    app.post('/host', (request) => ({ host: request.body }));
    kit.answer = async (request) => new Response(`${(await request.text()).length}`);
    const address = await mount();
    const body = JSON.stringify('x'.repeat(100));
    const headers = { 'Content-Type': 'application/json' };
    expect(await (await fetch(`${address}/chat`, { method: 'POST', body, headers })).text()).toBe('102');
    expect((await fetch(`http://127.0.0.1:${port()}/host`, { method: 'POST', body, headers })).status).toBe(
      413,
    );
  });

  test('works below the prefix of another plugin, and in a mount with a parameter', async () => {
    kit.answer = (_request, { target }) => new Response(target);
    app.register(
      (scope, _options, done) => {
        scope.register(ziggieFastify, { kit, prefix: '/llm' });
        done();
      },
      { prefix: '/tenants/:tenant' },
    );
    const address = await mount();
    const nested = address.replace('/api/llm', '/tenants/a%2Fb/llm');
    expect(await (await fetch(`${nested}/chat`)).text()).toBe('/chat');
    expect(await (await fetch(`${address}/chat`)).text()).toBe('/chat');
  });

  test('answers inject(), which has no socket', async () => {
    app.register(ziggieFastify, { kit, prefix: '/api/llm' });
    const response = await app.inject({ method: 'POST', url: '/api/llm/chat', payload: { a: 1 } });
    expect([response.statusCode, response.body]).toEqual([201, 'from the kit']);
    expect(kit.last.connection.remoteAddress).toBe('127.0.0.1');
  });

  test('refuses to trust every proxy', async () => {
    app.register(ziggieFastify, { kit, trustProxy: true as unknown as TrustProxy });
    await expect(app.ready()).rejects.toThrow(TypeError);
  });

  test('resolves the client address by its own trustProxy', async () => {
    kit.answer = (_request, { remoteAddress }) => new Response(remoteAddress);
    app.register(ziggieFastify, { kit, prefix: '/trusting', trustProxy: ['127.0.0.1'] });
    const address = await mount();
    const headers = { 'X-Forwarded-For': '203.0.113.7' };
    expect(await (await fetch(`${address}/chat`, { headers })).text()).toBe('127.0.0.1');
    const trusting = address.replace('/api/llm', '/trusting');
    expect(await (await fetch(`${trusting}/chat`, { headers })).text()).toBe('203.0.113.7');
  });
});
