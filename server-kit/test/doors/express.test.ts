import { createServer } from 'node:http';
import express from 'express';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ziggieExpress } from '../../src/express.ts';
import { listen, type RunningHost } from './hosts.ts';
import { abortTime, deferred, ProbeKit, Source } from './probe-kit.ts';
import { RawClient, requestText } from './raw-client.ts';

describe('ziggieExpress()', () => {
  let kit: ProbeKit;
  let app: express.Express;
  let running: RunningHost | undefined;

  beforeEach(() => {
    kit = new ProbeKit();
    app = express();
  });
  afterEach(async () => {
    await running?.close();
    running = undefined;
  });
  const start = async () => {
    app.use('/api/llm', ziggieExpress(kit));
    running = await listen(createServer(app));
    return `http://127.0.0.1:${running.port}/api/llm`;
  };

  test('adds to the cookies and the Vary of the host, and keeps its other headers', async () => {
    app.use((_req, res, next) => {
      res.cookie('host', '1');
      res.set('Vary', 'Origin');
      res.set('X-Host', 'kept');
      res.set('Cache-Control', 'public');
      next();
    });
    kit.answer = () =>
      new Response('x', { headers: { 'Set-Cookie': 'kit=2', Vary: 'Accept', 'Cache-Control': 'no-store' } });
    const { headers } = await fetch(`${await start()}/chat`);
    expect(headers.getSetCookie()).toEqual(['host=1; Path=/', 'kit=2']);
    expect(headers.get('vary')).toBe('Origin, Accept');
    expect(headers.get('x-host')).toBe('kept');
    expect(headers.get('cache-control')).toBe('no-store');
  });

  test('hands on the user whom the host has authenticated', async () => {
    app.use((req, _res, next) => {
      (req as { user?: unknown }).user = { id: 'ada' };
      next();
    });
    kit.answer = (_request, { user }) => Response.json(user ?? null);
    expect(await (await fetch(`${await start()}/chat`)).json()).toEqual({ id: 'ada' });
  });

  test.each([
    ['express.text()', express.text({ type: '*/*' })],
    ['express.raw()', express.raw({ type: '*/*' })],
  ])('gives the body itself when %s has read it', async (_name, parser) => {
    app.use(parser);
    kit.answer = async (request, connection) =>
      Response.json(['parsedBody' in connection, await request.json(), request.body !== null]);
    const response = await fetch(`${await start()}/chat`, { method: 'POST', body: '{"a":"ü"}' });
    expect(await response.json()).toEqual([false, { a: 'ü' }, true]);
  });

  test('hands on what express.urlencoded() made of a form', async () => {
    app.use(express.urlencoded({ extended: false }));
    kit.answer = (_request, { parsedBody }) => Response.json(parsedBody ?? null);
    const response = await fetch(`${await start()}/chat`, {
      method: 'POST',
      body: new URLSearchParams({ a: '1' }),
    });
    expect(await response.json()).toEqual({ a: '1' });
  });

  test('takes no empty object for a body, as the parsers of Express 4 leave one', async () => {
    app.use((req, _res, next) => {
      req.body = {};
      next();
    });
    kit.answer = async (request, connection) =>
      Response.json(['parsedBody' in connection, await request.text()]);
    const response = await fetch(`${await start()}/chat`, { method: 'POST', body: 'bytes' });
    expect(await response.json()).toEqual([false, 'bytes']);
  });

  test('says so when something has read the body and kept nothing', async () => {
    app.use((req, _res, next) => {
      req.on('end', () => next());
      req.resume();
    });
    kit.answer = async (request) => {
      try {
        return new Response(await request.text());
      } catch (error) {
        return new Response((error as Error).message, { status: 400 });
      }
    };
    const response = await fetch(`${await start()}/chat`, { method: 'POST', body: 'bytes' });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('has been read by something in front');
  });

  test('flushes after each chunk, for compression() and its like', async () => {
    // The same hold as compression's: what is written stays until flush() or the end.
    app.use((_req, res, next) => {
      const held: Buffer[] = [];
      const write = res.write.bind(res);
      const end = res.end.bind(res);
      Object.assign(res, {
        write: (chunk: Buffer) => held.push(chunk) > 0,
        flush: () => held.splice(0).map((chunk) => write(chunk)),
        end: () => {
          for (const chunk of held.splice(0)) write(chunk);
          return end();
        },
      });
      next();
    });
    const source = new Source();
    kit.answer = () => new Response(source.stream);
    await start();
    const client = await RawClient.open(running?.port ?? 0);
    client.send(requestText('GET', '/api/llm/chat'));
    for (const token of ['one', 'two', 'three']) {
      source.push(token);
      await client.untilText(token);
    }
    source.end();
    await client.untilText('0\r\n\r\n');
    client.leave();
  });

  test.each([
    ['given', true],
    ['begun', false],
  ])('leaves an answer alone that the host has %s meanwhile', async (_what, whole) => {
    const source = new Source();
    const { promise: asked, resolve: ask } = deferred<void>();
    const { promise: go, resolve: release } = deferred<void>();
    app.use((_req, res, next) => {
      void asked.then(() => res.status(503).write('host timeout', () => (whole ? res.end() : release())));
      res.once('finish', release);
      void source.cancelled.then(() => res.end(', over'));
      next();
    });
    kit.answer = async () => {
      ask();
      await go;
      return new Response(source.stream);
    };
    const response = await fetch(`${await start()}/chat`);
    expect([response.status, await response.text()]).toEqual([
      503,
      whole ? 'host timeout' : 'host timeout, over',
    ]);
    await source.cancelled;
  });

  test('aborts at once for a client that left in the middleware in front', async () => {
    const { promise: go, resolve: release } = deferred<void>();
    app.use((req, _res, next) => {
      req.socket.once('close', () => release());
      void go.then(() => next());
    });
    kit.answer = () => undefined;
    await start();
    const client = await RawClient.open(running?.port ?? 0);
    client.send(requestText('GET', '/api/llm/chat'));
    client.leave();
    await expect.poll(() => kit.seen.length).toBe(1);
    expect(kit.last.request.signal.aborted).toBe(true);
  });

  test('tells the kit no more about a request that it has passed on', async () => {
    const { promise: closed, resolve } = deferred<void>();
    await start();
    app.get('/api/llm/own', (_req, res) => {
      res.once('close', () => resolve());
      res.write('begun');
    });
    const client = await RawClient.open(running?.port ?? 0);
    client.send(requestText('GET', '/api/llm/own'));
    await client.untilText('begun');
    client.leave();
    await closed;
    expect(kit.last.request.signal.aborted).toBe(false);
  });

  test.each([
    ['the head', 'writeHead'],
    ['the body', 'write'],
    ['the end', 'end'],
  ] as const)('survives middleware that throws while %s is sent', async (_what, method) => {
    app.use((_req, res, next) => {
      Object.assign(res, {
        [method]: () => {
          throw new Error('secret of the host');
        },
      });
      next();
    });
    kit.answer = ({ method }) => new Response(method === 'HEAD' ? null : 'x');
    const address = await start();
    for (const method of ['GET', 'HEAD']) {
      const ended = await fetch(`${address}/chat`, { method }).then(
        (response) => response.text(),
        (error: Error) => error.message,
      );
      expect(ended).not.toContain('secret');
    }
  });

  test('goes on to the next handler with the mount put back', async () => {
    app.use('/api/llm', ziggieExpress(kit));
    app.get('/api/llm/own', (req, res) => {
      res.json([req.url, req.baseUrl]);
    });
    const address = await start();
    expect(await (await fetch(`${address}/own?x=1`)).json()).toEqual(['/api/llm/own?x=1', '']);
  });

  test('lets the errors of the next handlers reach the error handler of the host', async () => {
    app.use('/api/llm', ziggieExpress(kit));
    app.get('/api/llm/own', () => {
      throw new Error('of the host');
    });
    app.use(((error, _req, res, _next) => {
      res.status(500).send(`caught ${error.message}`);
    }) satisfies express.ErrorRequestHandler);
    expect(await (await fetch(`${await start()}/own`)).text()).toBe('caught of the host');
  });

  test('works in a mount with a parameter', async () => {
    app.use('/tenants/:tenant/llm', ziggieExpress(kit));
    kit.answer = (_request, { target }) => new Response(target);
    const address = (await start()).replace('/api/llm', '/tenants/a%2Fb/llm');
    expect(await (await fetch(`${address}/chat`)).text()).toBe('/chat');
  });

  test('a client that leaves while a body is parsed in front harms nothing', async () => {
    app.use(express.json());
    const { promise: aborted, resolve } = deferred<number>();
    kit.answer = async (request) => {
      resolve(await abortTime(request.signal));
      return undefined;
    };
    await start();
    const early = await RawClient.open(running?.port ?? 0);
    early.send(
      requestText('POST', '/api/llm/chat', {
        headers: ['Content-Type: application/json', 'Content-Length: 9'],
      }),
    );
    early.leave();
    const late = await RawClient.open(running?.port ?? 0);
    late.send(
      requestText('POST', '/api/llm/chat', { headers: ['Content-Type: application/json'], body: '{"a":1}' }),
    );
    await expect.poll(() => kit.seen.length).toBe(1);
    late.leave();
    await aborted;
    expect(kit.last.connection.parsedBody).toEqual({ a: 1 });
  });
});
