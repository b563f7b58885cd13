import { Agent, get } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Host, RunningHost } from './hosts.ts';
import { ManualClock } from './manual-clock.ts';
import { abortTime, deferred, ProbeKit, Source } from './probe-kit.ts';
import { RawClient, requestText } from './raw-client.ts';

const MIB = 1024 * 1024;
/** The promise of every door: so soon after the client has left, both directions know. */
const LEAVE_MS = 50;

/** Targets that routers, decoders and URL parsers like to tidy up. */
const nastyTargets = [
  '/chat',
  '/chat?',
  '/chat?stream=1&x=%2e',
  '/CHAT',
  '/%63hat',
  '/%2e%2e/chat',
  '/%2E/chat',
  '/a/../chat',
  '/../../chat',
  '/./chat',
  '/chat/.',
  '//chat',
  '//evil.test/chat',
  '/a//b',
  '/chat//',
  '/ch%2Fat',
  '/ch%5Cat',
  '/a\\b',
  '/\\evil.test/chat',
  '/chat;x=1',
  '/chat%00',
  '/chat%0d%0aX-A:1',
  '/a:b@c',
  '/chat?u=http://evil.test//',
  '/"<>`{}|^',
  `/${'a'.repeat(600)}`,
];
/** Not percent-encoding at all: Fastify's router refuses these before a route is looked up. */
const undecodableTargets = ['/%', '/%zz', '/%C3%28', '/ch%c0%ae'];

const encode = (text: string) => new TextEncoder().encode(text);

/** What every door must do, in every host. */
export function doorContract(host: Host): void {
  describe(`door in ${host.name}`, () => {
    const { prefix } = host;
    let kit: ProbeKit;
    let clock: ManualClock;
    let running: RunningHost;
    let sockets: Socket[];
    let clients: RawClient[];
    let warnings: Error[];
    const onWarning = (warning: Error) => warnings.push(warning);

    const open = async () => {
      const client = await RawClient.open(running.port);
      clients.push(client);
      return client;
    };
    const url = (path: string) => `http://127.0.0.1:${running.port}${prefix}${path}`;
    const lastSocket = () => sockets.at(-1) as Socket;

    beforeEach(async () => {
      kit = new ProbeKit();
      clock = new ManualClock();
      running = await host.start(kit, { clock });
      sockets = [];
      clients = [];
      warnings = [];
      running.server.on('connection', (socket) => sockets.push(socket));
      process.on('warning', onWarning);
    });

    afterEach(async () => {
      process.off('warning', onWarning);
      for (const client of clients) client.leave();
      await running.close();
      expect(warnings).toEqual([]);
    });

    describe('targets', () => {
      test.each(nastyTargets)('%j arrives byte for byte', async (target) => {
        kit.answer = () => new Response('seen');
        const client = await open();
        client.send(requestText('GET', prefix + target));
        await client.untilText('seen');
        expect(kit.last.connection.target).toBe(target);
        expect(new URL(kit.last.request.url).hostname).toBe('ziggie.invalid');
      });

      test.each(undecodableTargets)('%j arrives byte for byte or is refused', async (target) => {
        kit.answer = () => new Response('seen');
        const client = await open();
        client.send(requestText('GET', prefix + target));
        await client.untilText('HTTP/1.1');
        if (kit.seen.length > 0) expect(kit.last.connection.target).toBe(target);
        else expect(client.received).toMatch(/^HTTP\/1\.1 4/);
      });

      test.each([
        ['GET', `http://evil.test${prefix}/chat`],
        ['GET', `http://user@evil.test:1${prefix}/chat`],
        ['OPTIONS', '*'],
      ])('%s %s is never taken for a path of the kit', async (method, target) => {
        kit.answer = (_request, { target }) => (target === '/chat' ? new Response('wrong') : undefined);
        const client = await open();
        client.send(requestText(method, target));
        await client.untilText('HTTP/1.1');
        expect(client.received).toMatch(/^HTTP\/1\.1 4/);
        for (const { request } of kit.seen) expect(new URL(request.url).hostname).toBe('ziggie.invalid');
      });

      test('a claimed Host stays out of the URL', async () => {
        kit.answer = (request) => new Response(request.url);
        const client = await open();
        client.send(`GET ${prefix}/chat HTTP/1.1\r\nHost: evil.test/../x\r\n\r\n`);
        await client.untilText('http://ziggie.invalid/chat');
      });
    });

    describe('the host app', () => {
      test('gets the paths that are not of the kit', async () => {
        const response = await fetch(url('/no-such-path'));
        expect([response.status, await response.text()]).toEqual([404, 'host 404']);
        expect(kit.last.connection.target).toBe('/no-such-path');
      });

      test('gets them with their body', async () => {
        const response = await fetch(url('/no-such-path'), { method: 'POST', body: '{"a":1}' });
        expect([response.status, await response.text()]).toEqual([404, 'host 404']);
      });

      test('answers its own routes, JSON bodies included', async () => {
        const root = `http://127.0.0.1:${running.port}`;
        expect(await (await fetch(`${root}/host`)).text()).toBe('from the host');
        const json = await fetch(`${root}/host/json`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: '{"a":[1]}',
        });
        expect(await json.json()).toEqual({ host: { a: [1] } });
      });
    });

    describe('requests', () => {
      test('carry method, address and headers, repeated ones too', async () => {
        kit.answer = () => new Response('seen');
        const client = await open();
        client.send(
          requestText('DELETE', `${prefix}/chat`, {
            headers: ['X-One: 1', 'x-one: 2', 'Cookie: a=1', 'Cookie: b=2', 'X-Latin: caf\xe9'],
          }),
        );
        await client.untilText('seen');
        const { request, connection } = kit.last;
        expect(request).toBeInstanceOf(Request);
        expect(request.method).toBe('DELETE');
        expect(request.headers.get('x-one')).toBe('1, 2');
        expect(request.headers.get('cookie')).toBe('a=1; b=2');
        expect(request.headers.get('x-latin')).toBe('caf\xe9');
        expect(connection.rawHeaders.join()).toContain('X-One,1,x-one,2');
        expect(connection.remoteAddress).toBe('127.0.0.1');
        expect(connection.encrypted).toBe(false);
        expect(connection.user).toBeUndefined();
      });

      test.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'TRACE'])('%s arrives as such', async (method) => {
        kit.answer = (request) => new Response(null, { status: 204, headers: { 'X-Saw': request.method } });
        const client = await open();
        client.send(requestText(method, `${prefix}/chat`));
        await client.untilText('\r\n\r\n');
        expect(client.received.toLowerCase()).toContain(`x-saw: ${method.toLowerCase()}`);
        expect(kit.last.request.body).toBeNull();
      });

      test('carry a JSON body, once: parsed when the host has read it, as bytes else', async () => {
        kit.answer = async (request, { parsedBody }) =>
          Response.json({ parsed: parsedBody ?? null, text: await request.text() });
        const response = await fetch(url('/chat'), {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: '{"word":"grüße"}',
        });
        expect(await response.json()).toEqual(
          host.parsesFirst
            ? { parsed: { word: 'grüße' }, text: '' }
            : { parsed: null, text: '{"word":"grüße"}' },
        );
      });

      test('carry a body that no parser of the host knows', async () => {
        kit.answer = async (request, connection) =>
          Response.json({ parsed: 'parsedBody' in connection, text: await request.text() });
        const response = await fetch(url('/chat'), {
          method: 'POST',
          headers: { 'Content-Type': 'application/x-unheard-of' },
          body: 'bytes',
        });
        expect(await response.json()).toEqual({ parsed: false, text: 'bytes' });
      });

      test('carry a chunked body and an empty one', async () => {
        kit.answer = async (request) => new Response(`<${await request.text()}>`);
        const client = await open();
        client.send(
          requestText('POST', `${prefix}/chat`, { headers: ['Transfer-Encoding: chunked'] }) +
            '3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n',
        );
        await client.untilText('<abcde>');
        client.send(requestText('POST', `${prefix}/chat`));
        await client.untilText('<>');
      });

      test('can be cloned into a Request that anything takes', async () => {
        kit.answer = async (request) => {
          const copy = request.clone();
          const again = new Request(copy, { headers: { 'X-Second': '2' } });
          return Response.json([
            request.bodyUsed,
            await again.text(),
            await request.json(),
            request.bodyUsed,
          ]);
        };
        const response = await fetch(url('/chat'), { method: 'POST', body: '{"a":1}' });
        expect(await response.json()).toEqual([false, '{"a":1}', { a: 1 }, true]);
      });

      test('of 50 MB are read no faster than the kit reads', async () => {
        const total = 50 * MIB;
        let ahead = 0;
        kit.answer = async (request) => {
          let read = 0;
          for await (const chunk of request.body ?? []) {
            const before = read;
            read += chunk.byteLength;
            if (Math.floor(before / (20 * MIB)) === Math.floor(read / (20 * MIB)) && before > 0) continue;
            // What the socket has read and we have not is what memory must hold while the kit takes its time.
            ahead = Math.max(ahead, (await settled(() => lastSocket().bytesRead)) - read);
          }
          return new Response(`read ${read}`);
        };
        const client = await open();
        client.send(
          requestText('POST', `${prefix}/chat`, {
            headers: [`Content-Length: ${total}`, 'Content-Type: application/octet-stream'],
          }),
        );
        const chunk = Buffer.alloc(MIB);
        for (let sent = 0; sent < total; sent += MIB) {
          if (!client.socket.write(chunk))
            await new Promise((resolve) => client.socket.once('drain', resolve));
        }
        await client.untilText(`read ${total}`);
        expect(ahead).toBeLessThan(MIB / 4);
        expect(ahead).toBeGreaterThan(0);
      });

      test('give each of two reads that wait at once its chunk', async () => {
        kit.answer = async (request) => {
          const reader = request.body?.getReader();
          const reads = await Promise.all([reader?.read(), reader?.read()]);
          return new Response(reads.map((read) => Buffer.from(read?.value ?? []).toString()).join('|'));
        };
        const client = await open();
        client.send(
          requestText('POST', `${prefix}/chat`, {
            headers: ['Content-Length: 6', 'Content-Type: text/plain'],
          }),
        );
        client.send('one');
        await expect.poll(() => kit.seen.length).toBe(1);
        // Two packets, so two chunks.
        await sleep(5);
        client.send('two');
        await client.untilText('one|two');
      });

      test('too large to want are refused without being read', async () => {
        kit.answer = () => new Response('too large', { status: 413 });
        const client = await open();
        client.send(
          requestText('POST', `${prefix}/chat`, {
            headers: [`Content-Length: ${50 * MIB}`, 'Content-Type: application/octet-stream'],
          }),
        );
        for (let sent = 0; sent < 50; sent++) client.socket.write(Buffer.alloc(MIB));
        await client.untilText('too large');
        expect(client.closed).toBe(false);
        await sleep(20);
        clock.advance(1_000);
        await client.until(({ closed }) => closed);
        expect(lastSocket().bytesRead).toBeLessThan(MIB);
        expect(clock.pending).toBe(0);
      });

      test('that break off fail to read and abort', async () => {
        const { promise: failed, resolve: fail } = deferred<unknown>();
        const { promise: aborted, resolve: abort } = deferred<number>();
        kit.answer = async (request) => {
          void abortTime(request.signal).then(abort);
          await request.text().catch(fail);
          return new Response('late');
        };
        const client = await open();
        client.send(
          requestText('POST', `${prefix}/chat`, {
            headers: ['Content-Length: 100', 'Content-Type: text/plain'],
          }),
        );
        client.send('only a part');
        await expect.poll(() => kit.seen.length).toBe(1);
        client.leave();
        expect(await failed).toMatchObject({ message: expect.stringContaining('broke off') });
        await aborted;
      });
    });

    describe('answers', () => {
      test('carry status, reason and headers, repeated cookies too', async () => {
        kit.answer = () =>
          new Response('made', {
            status: 201,
            statusText: 'Made Just Now',
            headers: [
              ['Set-Cookie', 'a=1; Path=/'],
              ['Set-Cookie', 'b=2'],
              ['X-One', '1'],
              ['X-One', '2'],
            ],
          });
        const client = await open();
        client.send(requestText('GET', `${prefix}/chat`));
        await client.untilText('made');
        expect(client.received).toMatch(/^HTTP\/1\.1 201 Made Just Now\r\n/);
        expect(client.received).toMatch(/set-cookie: a=1; Path=\/\r\n/i);
        expect(client.received).toMatch(/set-cookie: b=2\r\n/i);
        expect(client.received).toMatch(/x-one: 1, 2\r\n/i);
      });

      test.each([
        ['HEAD', 200, 'for HEAD'],
        ['GET', 204, null],
        ['GET', 304, null],
      ])('to %s with %i have no body, and the connection goes on', async (method, status, body) => {
        kit.answer = (request) =>
          request.method === 'HEAD' || status !== 200
            ? new Response(body, { status, headers: { ETag: '"1"' } })
            : new Response('');
        const client = await open();
        client.send(requestText(method, `${prefix}/chat`));
        await client.untilText('\r\n\r\n');
        await sleep(5);
        expect(client.received.indexOf('\r\n\r\n')).toBe(client.received.length - 4);
        expect(client.received).toMatch(/etag: "1"/i);
        const before = client.received.length;
        kit.answer = () => new Response('next');
        client.send(requestText('GET', `${prefix}/chat`));
        await client.untilText('next');
        expect(client.received.slice(before)).toMatch(/^HTTP\/1\.1 200/);
      });

      test('to HEAD leave the source of the body unread', async () => {
        const source = new Source();
        kit.answer = () => new Response(source.stream);
        await fetch(url('/chat'), { method: 'HEAD' });
        await source.cancelled;
        expect(source.pulls).toBe(0);
      });

      test('send the status line before the first byte of the body', async () => {
        kit.answer = () => new Response(new Source().stream);
        const client = await open();
        client.send(requestText('GET', `${prefix}/chat`));
        await client.untilText('200 OK');
      });

      test('bring each token before the next one is made', async () => {
        const source = new Source();
        kit.answer = () => new Response(source.stream);
        const client = await open();
        client.send(requestText('GET', `${prefix}/chat`));
        for (let token = 0; token < 20; token++) {
          source.push(`token-${token};`);
          await client.untilText(`token-${token};`);
        }
        source.end();
        await client.untilText('0\r\n\r\n');
      });

      test('keep every byte of chunks of any size', async () => {
        const chunks = [1, 0, 65_535, 65_536, 65_537, 3, 1_000_000].map((size, at) =>
          new Uint8Array(size).fill(at + 1),
        );
        kit.answer = () => {
          let at = 0;
          return new Response(
            new Source((source) => {
              const chunk = chunks[at++];
              if (chunk === undefined) source.end();
              else if (chunk.byteLength > 0) source.push(chunk);
              else source.push(encode(''));
            }).stream,
          );
        };
        const received = Buffer.from(await (await fetch(url('/chat'))).arrayBuffer());
        expect(received.equals(Buffer.concat(chunks))).toBe(true);
      });

      test('ask their source for no more than a slow reader takes', async () => {
        const chunk = new Uint8Array(64 * 1024);
        const source = new Source((self) => self.push(chunk));
        kit.answer = () => new Response(source.stream);
        const client = await open();
        client.send(requestText('GET', `${prefix}/chat`));
        await client.untilText('200 OK');
        client.socket.pause();
        const held = await settled(() => source.pulls);
        // Two kernel buffers of a few MiB each, and one chunk of ours.
        expect(held * chunk.byteLength).toBeLessThan(16 * MIB);
        expect(lastSocket().writableLength).toBeLessThan(MIB / 4);
        client.socket.resume();
        await expect.poll(() => source.pulls).toBeGreaterThan(held + 10);
      });

      test('are cut when the reader takes nothing for 30 s', async () => {
        const source = new Source((self) => self.push(new Uint8Array(64 * 1024)));
        kit.answer = () => new Response(source.stream);
        const client = await open();
        client.send(requestText('GET', `${prefix}/chat`));
        await client.untilText('200 OK');
        client.socket.pause();
        await settled(() => source.pulls);
        clock.advance(29_999);
        expect(lastSocket().destroyed).toBe(false);
        clock.advance(1);
        await source.cancelled;
        expect(lastSocket().destroyed).toBe(true);
        expect(kit.last.request.signal.aborted || (await abortTime(kit.last.request.signal)) > 0).toBe(true);
        expect(clock.pending).toBe(0);
      });

      test('whose body fails midway break the connection', async () => {
        const source = new Source();
        kit.answer = () => new Response(source.stream);
        const client = await open();
        client.send(requestText('GET', `${prefix}/chat`));
        source.push('the beginning');
        await client.untilText('the beginning');
        source.break();
        await client.until(({ closed }) => closed);
        expect(client.received).not.toContain('\r\n0\r\n\r\n');
        expect(client.received).not.toContain('secret');
      });

      test('whose body fails midway are not taken for whole by HTTP/1.0', async () => {
        const source = new Source();
        kit.answer = () => new Response(source.stream);
        const client = await open();
        client.send(`GET ${prefix}/chat HTTP/1.0\r\nHost: app.test\r\n\r\n`);
        source.push('the beginning');
        await client.untilText('the beginning');
        source.break();
        await client.until(({ closed }) => closed);
        expect(client.error?.code).toBe('ECONNRESET');
      });

      test('whose body fails at once are a 500', async () => {
        kit.answer = () => {
          const source = new Source();
          source.break();
          return new Response(source.stream, { headers: { 'X-Wrong': '1' } });
        };
        await expectFailure(await fetch(url('/chat')));
      });

      test('that cannot be sent are a 500', async () => {
        kit.answer = () => Response.error();
        await expectFailure(await fetch(url('/chat')));
        kit.answer = () => new Response('x', { headers: { 'X-Control': 'a\x01b' } });
        await expectFailure(await fetch(url('/chat')));
      });

      test.each([
        [
          'throws',
          () => {
            throw new Error('secret inner reason');
          },
        ],
        ['rejects', () => Promise.reject(new Error('secret inner reason'))],
      ])('are a 500 when the handler %s', async (_how, answer) => {
        kit.answer = answer;
        await expectFailure(await fetch(url('/chat')));
        await expectFailure(await fetch(url('/chat'), { method: 'POST', body: 'x' }));
      });
    });

    // Real times on a machine that others use: an attempt may be late, three in a row may not.
    describe('a client that leaves', { retry: 2 }, () => {
      test('while the handler thinks aborts the signal', async () => {
        const { promise: aborted, resolve } = deferred<number>();
        kit.answer = async (request) => {
          resolve(await abortTime(request.signal));
          return new Response('nobody reads this');
        };
        const client = await open();
        client.send(requestText('POST', `${prefix}/chat`, { body: 'x' }));
        await expect.poll(() => kit.seen.length).toBe(1);
        const left = performance.now();
        client.leave();
        expect((await aborted) - left).toBeLessThan(LEAVE_MS);
      });

      test('while the handler thinks has the late body cancelled', async () => {
        const source = new Source();
        kit.answer = async (request) => {
          await abortTime(request.signal);
          return new Response(source.stream);
        };
        const client = await open();
        client.send(requestText('GET', `${prefix}/chat`));
        await expect.poll(() => kit.seen.length).toBe(1);
        client.leave();
        await source.cancelled;
        expect(source.pulls).toBe(0);
      });

      test.each([
        ['before the first token', 0],
        ['in the middle', 3],
      ])('%s aborts the signal and cancels the body', async (_when, tokens) => {
        const source = new Source();
        kit.answer = () => new Response(source.stream);
        const client = await open();
        client.send(requestText('POST', `${prefix}/chat`, { body: 'x' }));
        await client.untilText('200 OK');
        for (let token = 0; token < tokens; token++) source.push(`token-${token};`);
        if (tokens > 0) await client.untilText(`token-${tokens - 1};`);
        const aborted = abortTime(kit.last.request.signal);
        const left = performance.now();
        client.leave();
        expect((await source.cancelled) - left).toBeLessThan(LEAVE_MS);
        expect((await aborted) - left).toBeLessThan(LEAVE_MS);
      });

      test('without reading a full buffer cancels the body', async () => {
        const source = new Source((self) => self.push(new Uint8Array(64 * 1024)));
        kit.answer = () => new Response(source.stream);
        const client = await open();
        client.send(requestText('GET', `${prefix}/chat`));
        await client.untilText('200 OK');
        client.socket.pause();
        await settled(() => source.pulls);
        const left = performance.now();
        client.socket.resetAndDestroy();
        expect((await source.cancelled) - left).toBeLessThan(LEAVE_MS);
        expect(clock.pending).toBe(0);
      });

      test('with a pipelined request in wait aborts that too', async () => {
        const sources = [new Source(), new Source()];
        kit.answer = () => new Response(sources[kit.seen.length - 1]?.stream ?? null);
        const client = await open();
        const request = requestText('GET', `${prefix}/chat`);
        client.send(request + request);
        await expect.poll(() => kit.seen.length).toBe(2);
        const aborted = kit.seen.map(({ request }) => abortTime(request.signal));
        const left = performance.now();
        client.leave();
        for (const { cancelled } of sources) expect((await cancelled) - left).toBeLessThan(LEAVE_MS);
        for (const time of aborted) expect((await time) - left).toBeLessThan(LEAVE_MS);
      });

      test('after the whole answer aborts nothing', async () => {
        kit.answer = () => new Response('whole');
        const client = await open();
        client.send(requestText('POST', `${prefix}/chat`, { body: 'x' }));
        await client.untilText('whole');
        await sleep(5);
        client.leave();
        await expect.poll(() => lastSocket().destroyed).toBe(true);
        expect(kit.last.request.signal.aborted).toBe(false);
      });
    });

    describe('connections', () => {
      test('are used again after every kind of answer', async () => {
        const answers: [string, () => Response | undefined, { body?: string }?][] = [
          ['POST', () => new Response('text'), { body: 'a body nobody reads' }],
          ['GET', () => new Response(new Blob(['streamed']).stream())],
          ['GET', () => new Response(null, { status: 204 })],
          ['GET', () => undefined],
          ['HEAD', () => new Response('head')],
          [
            'GET',
            () => {
              throw new Error('broken');
            },
          ],
          ['POST', () => new Response('no', { status: 413 }), { body: 'y'.repeat(200_000) }],
        ];
        const client = await open();
        for (const [method, answer, body] of answers) {
          kit.answer = answer;
          const before = client.received.length;
          client.send(requestText(method, `${prefix}/chat`, body));
          await client.until(({ received }) => received.slice(before).includes('\r\n\r\n'));
          await sleep(5);
          kit.answer = () => new Response('echo');
          const middle = client.received.length;
          client.send(requestText('GET', `${prefix}/chat`));
          await client.until(({ received }) => received.slice(middle).includes('echo'));
          expect(client.received.slice(middle)).toMatch(/^HTTP\/1\.1 200/);
        }
        expect(sockets).toHaveLength(1);
        expect(clock.pending).toBe(0);
      });

      test('answer pipelined requests in their order', async () => {
        const first = new Source();
        kit.answer = () =>
          kit.seen.length === 1 ? new Response(first.stream) : new Response(`answer ${kit.seen.length};`);
        const client = await open();
        const request = requestText('GET', `${prefix}/chat`);
        client.send(request + request + request);
        await expect.poll(() => kit.seen.length).toBe(3);
        first.push('answer 1;');
        first.end();
        await client.untilText('answer 3;');
        expect(client.received.match(/answer \d/g)).toEqual(['answer 1', 'answer 2', 'answer 3']);
      });

      test('carry 2,000 requests without gathering listeners', async () => {
        kit.answer = async (request) => new Response(`${(await request.text()).length}`);
        const client = await open();
        const request = requestText('POST', `${prefix}/chat`, {
          body: 'abc',
          headers: ['Content-Type: text/plain'],
        });
        const counts = () =>
          lastSocket()
            .eventNames()
            .map((name) => [name, lastSocket().listenerCount(name)]);
        client.send(request);
        await client.untilText('\r\n\r\n');
        await settled(() => client.received.length);
        const before = counts();
        for (let batch = 0; batch < 100; batch++) {
          client.received = '';
          client.send(request.repeat(20));
          await client.until(({ received }) => received.match(/HTTP\/1\.1 200/g)?.length === 20);
        }
        await settled(() => client.received.length);
        expect(kit.seen).toHaveLength(2_001);
        expect(counts()).toEqual(before);
      });

      test('carry 100 streams at once and let go of them', async () => {
        const streams: Source[] = [];
        kit.answer = () => {
          const source = new Source();
          streams.push(source);
          return new Response(source.stream);
        };
        const agent = new Agent({ keepAlive: true, maxSockets: 100 });
        const texts = Array.from(
          { length: 100 },
          () =>
            new Promise<string>((resolve, reject) => {
              get(url('/chat'), { agent }, (res) => {
                let text = '';
                res.setEncoding('utf8').on('data', (part: string) => {
                  text += part;
                });
                res.on('end', () => resolve(text)).on('error', reject);
              }).on('error', reject);
            }),
        );
        await expect.poll(() => streams.length).toBe(100);
        for (let token = 0; token < 10; token++) {
          for (const source of streams) source.push(`${token}`);
          await sleep(1);
        }
        for (const source of streams) source.end();
        expect(new Set(await Promise.all(texts))).toEqual(new Set(['0123456789']));
        agent.destroy();
        await expect.poll(() => sockets.every((socket) => socket.destroyed)).toBe(true);
        expect(kit.seen.every(({ request }) => !request.signal.aborted)).toBe(true);
        expect(clock.pending).toBe(0);
      });
    });
  });
}

/** Waits until a number no longer changes, and returns it. */
async function settled(read: () => number): Promise<number> {
  let last = read();
  for (let same = 0; same < 4; ) {
    await sleep(15);
    const now = read();
    same = now === last ? same + 1 : 0;
    last = now;
  }
  return last;
}

async function expectFailure(response: Response): Promise<void> {
  expect(response.status).toBe(500);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(response.headers.get('x-wrong')).toBeNull();
  const problem = (await response.json()) as Record<string, unknown>;
  expect(problem).toMatchObject({ code: 'internal_error', status: 500 });
  expect(problem['requestId']).toBe(response.headers.get('x-request-id'));
  expect(JSON.stringify(problem)).not.toContain('secret');
}
