import { createServer } from 'node:http';
import { connect as connectHttp2, constants, createServer as createHttp2 } from 'node:http2';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ServerKit } from '../../src/kit-types.ts';
import { type TrustProxy, ziggieNode } from '../../src/node.ts';
import { listen, type RunningHost } from './hosts.ts';
import { deferred, ProbeKit, Source } from './probe-kit.ts';
import { RawClient, requestText } from './raw-client.ts';

describe('ziggieNode()', () => {
  let kit: ProbeKit;
  let running: RunningHost | undefined;

  beforeEach(() => {
    kit = new ProbeKit();
  });
  afterEach(async () => {
    await running?.close();
    running = undefined;
  });

  test.each(['/elsewhere', '/api/llm/unknown', '/api/llmx', '/api/ll%6d/chat'])(
    'answers %s with a 404 problem when there is no next',
    async (path) => {
      running = await listen(createServer(ziggieNode(kit, { prefix: '/api/llm' })));
      const response = await fetch(`http://127.0.0.1:${running.port}${path}`, { method: 'POST', body: 'x' });
      expect(response.status).toBe(404);
      expect(response.headers.get('content-type')).toBe('application/problem+json');
      expect(await response.json()).toMatchObject({ code: 'not_found', retryable: false });
    },
  );

  test('does not ask the kit about paths outside its prefix', async () => {
    kit.answer = () => new Response('wrong');
    running = await listen(createServer(ziggieNode(kit, { prefix: '/api/llm' })));
    const client = await RawClient.open(running.port);
    for (const target of [
      '/chat',
      '/api/llmchat',
      '/API/LLM/chat',
      '//api/llm/chat',
      '/api/ll%6d/chat',
      '*',
    ]) {
      const before = client.received.length;
      client.send(requestText('OPTIONS', target));
      await client.until(({ received }) => received.slice(before).includes('not_found'));
    }
    client.leave();
    expect(kit.seen).toEqual([]);
  });

  test('refuses a prefix that is no plain path', () => {
    expect(() => ziggieNode(kit, { prefix: 'api' })).toThrow('prefix must be a path such as "/api/llm"');
  });

  test('refuses to trust every proxy', () => {
    expect(() => ziggieNode(kit, { trustProxy: true as unknown as TrustProxy })).toThrow(TypeError);
  });

  test('refuses a time of nothing for readers', () => {
    expect(() => ziggieNode(kit, { stallTimeoutMs: 0 })).toThrow(TypeError);
    expect(() => ziggieNode(kit, { stallTimeoutMs: Number.NaN })).toThrow(TypeError);
  });

  test.each<[TrustProxy | undefined, string]>([
    [undefined, '127.0.0.1'],
    [1, '203.0.113.7'],
    [['127.0.0.0/8'], '203.0.113.7'],
    [['10.0.0.0/8'], '127.0.0.1'],
  ])('with trustProxy %j takes %s for the client', async (trustProxy, expected) => {
    kit.answer = (_request, { remoteAddress }) => new Response(`<${remoteAddress}>`);
    running = await listen(createServer(ziggieNode(kit, { trustProxy })));
    const client = await RawClient.open(running.port);
    client.send(
      requestText('GET', '/chat', {
        headers: ['X-Forwarded-For: 6.6.6.6', 'X-Forwarded-For: 203.0.113.7:4711', 'X-Real-IP: 6.6.6.6'],
      }),
    );
    await client.untilText(`<${expected}>`);
    client.leave();
  });

  test('lets go of requests while their connection stays open', async () => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    const requests: WeakRef<AbortSignal>[] = [];
    const asked: ServerKit = {
      handle: async (request) => {
        requests.push(new WeakRef(request.signal));
        return new Response(await request.text());
      },
      acceptSocket: async () => undefined,
      reload() {},
      gauges: () => kit.gauges(),
      close: () => kit.close(),
      keys: kit.keys,
      revocations: kit.revocations,
    };
    running = await listen(createServer(ziggieNode(asked)));
    const client = await RawClient.open(running.port);
    for (let count = 1; count <= 50; count++) {
      client.received = '';
      client.send(requestText('POST', '/chat', { body: 'body' }));
      await client.untilText('0\r\n\r\n');
    }
    await expect
      .poll(() => {
        gc();
        return requests.filter((request) => request.deref() !== undefined).length;
      })
      // The last ones may still be held by Node's own parser.
      .toBeLessThan(5);
    expect(client.closed).toBe(false);
    client.leave();
  });

  test('sends small packets at once, where the host server would gather them', async () => {
    const calls: unknown[] = [];
    const server = createServer({ noDelay: false }, ziggieNode(kit));
    server.on('connection', (socket) => {
      const setNoDelay = socket.setNoDelay.bind(socket);
      socket.setNoDelay = (noDelay) => {
        calls.push(noDelay);
        return setNoDelay(noDelay);
      };
    });
    running = await listen(server);
    kit.answer = () => new Response('x');
    await (await fetch(`http://127.0.0.1:${running.port}/chat`)).text();
    expect(calls).toEqual([true]);
  });

  test('tells whether the connection is TLS, and believes no header about it', async () => {
    // A pre-shared key: TLS without a certificate to make.
    const key = { psk: Buffer.alloc(32, 7), identity: 'test' };
    const tls = { ciphers: 'PSK', maxVersion: 'TLSv1.2' } as const;
    kit.answer = (request, { encrypted }) => new Response(`<${encrypted} ${request.url}>`);
    const door = ziggieNode(kit);
    running = await listen(createHttps({ ...tls, pskCallback: () => key.psk }, door));
    const socket = connectTls({
      ...tls,
      port: running.port,
      host: '127.0.0.1',
      pskCallback: () => key,
      checkServerIdentity: () => undefined,
    });
    let received = '';
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString();
    });
    socket.write(requestText('GET', '/chat'));
    await expect.poll(() => received).toContain('<true https://ziggie.invalid/chat>');
    const source = new Source();
    kit.answer = () => new Response(source.stream);
    received = '';
    socket.write(requestText('GET', '/chat'));
    source.push('the beginning');
    await expect.poll(() => received).toContain('the beginning');
    source.break();
    await expect.poll(() => socket.closed).toBe(true);
    expect(received).not.toContain('\r\n0\r\n\r\n');
    await running.close();

    running = await listen(createServer(door));
    kit.answer = (_request, { encrypted }) => new Response(`<${encrypted}>`);
    const plain = await fetch(`http://127.0.0.1:${running.port}/chat`, {
      headers: { 'X-Forwarded-Proto': 'https' },
    });
    expect(await plain.text()).toBe('<false>');
  });

  test('speaks HTTP/2 through the compatibility API of Node', async () => {
    const left = new Source();
    kit.answer = async (request, { target }) =>
      target === '/leave'
        ? new Response(left.stream)
        : new Response(`${target} ${request.headers.get('x-one')} ${await request.text()}`, {
            headers: { 'X-Answer': 'yes' },
          });
    const door = ziggieNode(kit) as unknown as Parameters<typeof createHttp2>[1];
    const server = createHttp2(door);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const stream = session.request({ ':method': 'POST', ':path': '/chat', 'x-one': '1' });
    stream.end('body');
    let text = '';
    stream.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    await new Promise((resolve) => stream.on('end', resolve));
    expect(text).toBe('/chat 1 body');

    const leaving = session.request({ ':path': '/leave' });
    await new Promise((resolve) => leaving.on('response', resolve));
    leaving.close();
    await left.cancelled;
    expect(kit.last.request.signal.aborted).toBe(true);

    const { promise: failed, resolve: fail } = deferred<Error>();
    kit.answer = async (request) => {
      await request.text().catch(fail);
      return new Response('late');
    };
    const uploading = session.request({ ':method': 'POST', ':path': '/chat' });
    uploading.write('a part');
    await expect.poll(() => kit.seen.length).toBe(3);
    uploading.on('error', () => {});
    // `uploading.close()` would end the body properly before it resets the stream.
    session.destroy(undefined, constants.NGHTTP2_CANCEL);
    expect((await failed).message).toContain('broke off');
    await new Promise((resolve) => server.close(resolve));
  });
});
