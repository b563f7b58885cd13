import { once } from 'node:events';
import { get } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { HttpTransport } from '../../src/upstream/http-transport.ts';
import { ConnectFailed, type UpstreamAnswer } from '../../src/upstream/transport.ts';
import { certificate } from '../doors/certificate.ts';
import { until } from '../stream-harness.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const { signal } = new AbortController();

/** A server that answers each request with bytes of its own, and how many connections it has had. */
async function rawServer(answer: (socket: Socket, path: string, nth: number) => void) {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    const nth = sockets.push(socket) - 1;
    socket.on('error', () => {});
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
        const path = text.slice(0, end).split(' ')[1] ?? '';
        text = text.slice(end + 4);
        answer(socket, path, nth);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), sockets };
}

function transportTo(url: URL): HttpTransport {
  const transport = new HttpTransport(url, 2000);
  closers.push(() => transport.close());
  return transport;
}

async function readAll({ body }: UpstreamAnswer): Promise<string> {
  const pieces: Uint8Array[] = [];
  for (let chunk = await body.read(); chunk !== null; chunk = await body.read()) pieces.push(chunk);
  return Buffer.concat(pieces).toString('latin1');
}

const ask = async (transport: HttpTransport, path: string) =>
  readAll(await transport.send({ method: 'GET', path, signal }));

const whole = (body: string) => `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`;

test('one connection serves one request after another', async () => {
  const { url, sockets } = await rawServer((socket, path) => void socket.write(whole(path)));
  const transport = transportTo(url);
  for (let n = 0; n < 20; n++) expect(await ask(transport, `/${n}`)).toBe(`/${n}`);
  expect(sockets).toHaveLength(1);
});

test('a connection that nobody uses does not keep the process alive, one that waits for an answer does', async () => {
  const answers: (() => void)[] = [];
  const { url } = await rawServer((socket, path) => void answers.push(() => socket.write(whole(path))));
  const transport = transportTo(url);
  // The other end of each is in this process too, and counts.
  const alive = () => process.getActiveResourcesInfo().filter((one) => one === 'TCPSocketWrap').length;
  // Those of the test before are on their way out.
  await until(() => alive() === 0);
  for (const path of ['/1', '/2']) {
    const asked = ask(transport, path);
    await until(() => answers.length > 0);
    expect(alive()).toBe(2);
    answers.pop()?.();
    expect(await asked).toBe(path);
    expect(alive()).toBe(1);
  }
});

test('a second answer behind the one that was asked for is never the answer to the next request', async () => {
  const { url, sockets } = await rawServer((socket, path) => {
    socket.write(whole(path) + whole('planted'));
  });
  const transport = transportTo(url);
  for (let n = 0; n < 5; n++) expect(await ask(transport, `/${n}`)).toBe(`/${n}`);
  expect(sockets).toHaveLength(5);
});

test.each([
  ['at the very moment', 0],
  ['when the event loop was busy for a while', 5],
])(
  'a server that ends its connections behind an answer, without saying so, gets no request on them %s',
  async (_, busyMs) => {
    const { url, sockets } = await rawServer((socket, path) => void socket.end(whole(path)));
    const transport = transportTo(url);
    const { signal } = new AbortController();
    let next = 0;
    let failed = 0;
    await new Promise<void>((resolve) => {
      const asked = () => {
        if (next === 20) return resolve();
        const path = `/${next++}`;
        // In the turn of the event loop in which the answer before is whole.
        const since = performance.now();
        while (performance.now() - since < busyMs);
        transport.send({ method: 'GET', path, signal }).then(
          ({ body }) => {
            const take = () => {
              for (let chunk = body.take(); chunk !== undefined; chunk = body.take())
                if (chunk === null) return asked();
            };
            body.waiter = { onReady: take };
            take();
          },
          () => {
            failed++;
            asked();
          },
        );
      };
      asked();
    });
    expect(failed).toBe(0);
    expect(sockets).toHaveLength(20);
  },
);

test('what comes on a silent connection ends it', async () => {
  // Kept for ten minutes: nothing else ends it.
  const kept = (body: string) => whole(body).replace('\r\n', '\r\nkeep-alive: timeout=600\r\n');
  const { url, sockets } = await rawServer((socket, path) => void socket.write(kept(path)));
  const transport = transportTo(url);
  expect(await ask(transport, '/1')).toBe('/1');
  sockets[0]?.write(whole('planted'));
  await once(sockets[0] as Socket, 'close');
  expect(await ask(transport, '/2')).toBe('/2');
  expect(sockets).toHaveLength(2);
});

test('an answer before the request has been sent keeps no connection', async () => {
  const { url, sockets } = await rawServer((socket) => void socket.write(whole('early')));
  const transport = transportTo(url);
  const body = 'x'.repeat(20_000_000);
  const answer = await transport.send({ method: 'POST', path: '/', body, signal });
  sockets[0]?.pause();
  expect(await readAll(answer)).toBe('early');
  expect(await ask(transport, '/2')).toBe('early');
  expect(sockets).toHaveLength(2);
});

test.each([
  ['a length', 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf'],
  ['chunks', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n'],
])('an answer with %s that breaks off gives what came and then an error', async (_, text) => {
  const { url } = await rawServer((socket) => void socket.end(text));
  const transport = transportTo(url);
  const { body } = await transport.send({ method: 'GET', path: '/', signal });
  expect(Buffer.from((await body.read()) as Uint8Array).toString()).toBe('half');
  await expect(body.read()).rejects.toThrow();
  expect(transport.open).toBe(0);
});

test('what is no HTTP breaks a connection that stood, so it is not taken for one that could not be made', async () => {
  const { url } = await rawServer((socket) => void socket.write('220 smtp.example ESMTP\r\n'));
  const failed = transportTo(url).send({ method: 'GET', path: '/', signal });
  await expect(failed).rejects.toThrow(/does not begin/);
  await expect(failed).rejects.not.toBeInstanceOf(ConnectFailed);
});

test('20 MB that nobody reads stay where they are, and come whole when somebody does', async () => {
  const size = 20_000_000;
  const all = Buffer.alloc(size, 'abcdefghijklmnopqrstuvwxyz0123456789');
  const { url, sockets } = await rawServer((socket) => {
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n`);
    socket.write(all);
  });
  const transport = transportTo(url);
  const answer = await transport.send({ method: 'GET', path: '/', signal });
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(sockets[0]?.writableLength).toBeGreaterThan(size / 4);
  expect(await readAll(answer)).toBe(all.toString('latin1'));
  // It serves again after that.
  const second = await transport.send({ method: 'GET', path: '/', signal });
  expect(sockets).toHaveLength(1);
  second.body.cancel();
});

test('answers of many connections that are read at once do not mix', async () => {
  const { url } = await rawServer((socket, path) => {
    const text = path.repeat(5_000);
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n`);
    for (let at = 0; at < text.length; at += 3000) socket.write(text.slice(at, at + 3000));
  });
  const transport = transportTo(url);
  await Promise.all(
    Array.from({ length: 40 }, async (_, n) => {
      const path = `/${String(n).repeat(3)}`;
      expect(await ask(transport, path)).toBe(path.repeat(5_000));
    }),
  );
});

test('what is taken while it is read is the own of each connection, whether at once or later', async () => {
  const { url } = await rawServer((socket, path) => {
    const text = path.repeat(5_000);
    socket.write(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n`);
    for (let at = 0; at < text.length; at += 700) {
      const piece = text.slice(at, at + 700);
      socket.write(`${piece.length.toString(16)}\r\n${piece}\r\n`);
    }
    socket.write('0\r\n\r\n');
  });
  const transport = transportTo(url);
  await Promise.all(
    Array.from({ length: 20 }, async (_, n) => {
      const path = `/${String(n).repeat(3)}`;
      const answer = await transport.send({ method: 'GET', path, signal });
      const { body } = answer;
      let text = '';
      await new Promise<void>((resolve) => {
        const onReady = () => {
          for (let taken = 1; ; taken++) {
            const piece = body.take();
            if (piece === undefined) return;
            if (piece === null) return resolve();
            text += piece.bytes.toString('latin1', piece.from, piece.to);
            // Some leave for later what is behind the first pieces.
            if (taken === n % 4) return void setImmediate(onReady);
          }
        };
        body.waiter = { onReady };
        onReady();
      });
      expect(text).toBe(path.repeat(5_000));
    }),
  );
});

test('what came before a broken end stays what it was, whatever others read meanwhile', async () => {
  const { url } = await rawServer((socket, path) => {
    if (path === '/other') socket.write(whole('x'.repeat(5_000)));
    else socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\nnone');
  });
  const transport = transportTo(url);
  const broken = await transport.send({ method: 'GET', path: '/broken', signal });
  await ask(transport, '/other');
  const pieces: string[] = [];
  expect(() => {
    for (let piece = broken.body.take(); piece; piece = broken.body.take())
      pieces.push(piece.bytes.toString('latin1', piece.from, piece.to));
  }).toThrow('A chunk has no size.');
  expect(pieces).toEqual(['one', 'two']);
});

test('a path that would begin a second line is not sent', async () => {
  const { url, sockets } = await rawServer((socket) => void socket.write(whole('')));
  const transport = transportTo(url);
  for (const path of ['/a\r\nx: y', '/a b', '/ä', '/\0']) {
    await expect(transport.send({ method: 'GET', path, signal })).rejects.toThrow(TypeError);
  }
  expect(sockets).toHaveLength(0);
  expect(transport.open).toBe(0);
});

test('TLS: a certificate that is trusted is taken, another is not, and connections are kept', async () => {
  const { key, cert } = certificate;
  let connections = 0;
  const server = createHttpsServer({ key, cert }, (request, response) => void response.end(request.url));
  server.on('secureConnection', () => void connections++);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = new URL(`https://localhost:${(server.address() as AddressInfo).port}`);
  await expect(ask(transportTo(url), '/')).rejects.toBeInstanceOf(ConnectFailed);
  const before = getCACertificates('default');
  setDefaultCACertificates([...before, cert]);
  closers.push(() => setDefaultCACertificates(before));
  const transport = transportTo(url);
  const from = connections;
  for (let n = 0; n < 5; n++) expect(await ask(transport, `/${n}`)).toBe(`/${n}`);
  expect(connections - from).toBe(1);
});

/** Pieces that answers, good and bad, are made of. */
const piece = fc.constantFrom(
  ...[
    'HTTP/1.1 200 OK',
    'HTTP/1.0 200 OK',
    'HTTP/1.1 204 No',
    'HTTP/1.1 100 Go on',
    '\r\n',
    '\r\n\r\n',
    '\n',
    '\r',
  ],
  ...[
    'content-length: 3',
    'content-length: 5',
    'Content-Length:3',
    'content-length: 3, 3',
    'content-length : 3',
  ],
  ...['transfer-encoding: chunked', 'transfer-encoding: gzip, chunked', 'Transfer-Encoding : chunked'],
  ...[
    'connection: close',
    'x: y',
    ' folded',
    ':',
    'abc',
    'abcde',
    '3',
    '5',
    '0',
    '3;x',
    '0x3',
    ' ',
    '\t',
    '\0',
  ],
  ...['3\r\nabc\r\n', '0\r\n\r\n', '5\r\nabcde\r\n'],
);
const answers = fc.array(piece, { maxLength: 8 }).map((pieces) => `HTTP/1.1 200 OK\r\n${pieces.join('')}`);
const framed = fc
  .tuple(fc.array(piece, { maxLength: 3 }), fc.array(piece, { maxLength: 4 }))
  .map(([head, body]) => `HTTP/1.1 200 OK\r\n${head.join('\r\n')}\r\n\r\n${body.join('')}`);

test('what is taken is what Node itself takes, and says the same', async () => {
  const texts = fc.sample(fc.oneof(answers, framed), { numRuns: 600, seed: 7 });
  const { url } = await rawServer((socket, path) => {
    const [, at, length] = path.split('/').map(Number);
    socket.end((texts[at as number] as string).slice(0, length), 'latin1');
  });
  const transport = transportTo(url);
  const ours = (path: string) => ask(transport, path).catch(() => undefined);
  const nodes = (path: string) =>
    new Promise<string | undefined>((resolve) => {
      const request = get({ host: url.hostname, port: url.port, path, agent: false }, (response) => {
        let text = '';
        response.setEncoding('latin1');
        response.on('data', (more) => {
          text += more;
        });
        response.on('end', () => resolve(response.complete ? text : undefined));
        response.on('close', () => resolve(undefined));
        response.on('error', () => {});
      });
      request.on('error', () => resolve(undefined));
    });
  let taken = 0;
  for (let at = 0; at < texts.length; at++) {
    const text = texts[at] as string;
    const mine = await ours(`/${at}/${text.length}`);
    if (mine === undefined) continue;
    taken++;
    // What stands behind the answer is an error for Node; here it ends the connection.
    let nodesOwn: string | undefined;
    for (let { length } = text; length > 0 && nodesOwn === undefined; length--)
      nodesOwn = await nodes(`/${at}/${length}`);
    expect(nodesOwn, JSON.stringify(text)).toBe(mine);
  }
  expect(taken).toBeGreaterThan(30);
});
