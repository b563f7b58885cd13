import { createServer, type RequestListener } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { ziggieNode } from '../../src/node.ts';
import { chunk, lastRecord, streamEnd, streamHead, textRecord } from '../raw-ollama.ts';
import { expectWellFormed, parseEvents, question, startWithRaw, textOf, token } from '../stream-harness.ts';
import { listen, type RunningHost } from './hosts.ts';
import { RawClient } from './raw-client.ts';

const hosts: RunningHost[] = [];
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
});

async function hostOf(listener: RequestListener): Promise<RunningHost> {
  const host = await listen(createServer(listener));
  hosts.push(host);
  return host;
}

async function chatText(version = '1.1'): Promise<string> {
  const body = JSON.stringify(question('Hello', 'raw'));
  return [
    `POST /chat HTTP/${version}`,
    'Host: kit',
    `Authorization: Bearer ${await token()}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}

/** The body of a chunked answer, each chunk checked to be as long as it says (RFC 9112 §7.1), and what follows it. */
function unchunked(bytes: Buffer): { chunks: Buffer[]; rest: Buffer } {
  const chunks: Buffer[] = [];
  let at = bytes.indexOf('\r\n\r\n') + 4;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const size = /^[0-9a-f]+$/.exec(bytes.toString('latin1', at, lineEnd))?.[0];
    if (lineEnd === -1 || size === undefined) throw new Error(`No chunk at ${at}.`);
    const length = Number.parseInt(size, 16);
    const end = lineEnd + 2 + length;
    expect(bytes.toString('latin1', end, end + 2)).toBe('\r\n');
    at = end + 2;
    if (length === 0) return { chunks, rest: bytes.subarray(at) };
    chunks.push(bytes.subarray(lineEnd + 2, end));
  }
}

const pieces = ['Hel', 'lö ', '😀\n"\\', 'x'.repeat(70_000), '\u2028 end'];

/** A kit whose model server writes what the test says, once it was asked. */
async function startPaced() {
  let resolve: (write: (record: string) => void) => void = () => {};
  const asked = new Promise<(record: string) => void>((settle) => {
    resolve = settle;
  });
  const bench = await startWithRaw(({ socket }) => {
    socket.write(streamHead);
    resolve((record) => socket.write(record === '' ? streamEnd : chunk(record)));
  });
  return { ...bench, asked };
}

/** Asks a host, each piece written once the one before has come through. */
async function run(
  { kit, asked }: Awaited<ReturnType<typeof startPaced>>,
  listener: RequestListener = ziggieNode(kit),
  version?: string,
): Promise<RawClient> {
  const { port } = await hostOf(listener);
  const client = await RawClient.open(port);
  client.send(await chatText(version));
  const write = await asked;
  for (const [at, piece] of pieces.entries()) {
    write(textRecord(piece));
    await client.until(({ received }) => received.split('"type":"text-delta"').length - 1 > at);
  }
  write(lastRecord);
  write('');
  return client;
}

test('chunks framed by the kit are as long as they say, each event whole in one, whatever its text', async () => {
  const bench = await startPaced();
  const client = await run(bench);
  await client.until(({ received }) => received.endsWith('0\r\n\r\n'));
  const { chunks, rest } = unchunked(Buffer.from(client.received, 'latin1'));
  expect(rest.length).toBe(0);
  for (const one of chunks) expect(one.at(-1)).toBe(10);
  const events = parseEvents(Buffer.concat(chunks).toString('utf8'));
  expectWellFormed(events);
  expect(textOf(events)).toBe(pieces.join(''));
  // The connection is as good as new.
  client.received = '';
  client.send('GET /health/live HTTP/1.1\r\nHost: kit\r\n\r\n');
  await client.until(({ received }) => received.includes('200 OK'));
  client.socket.destroy();
});

test('a middleware that replaced write() sees every byte of the body', async () => {
  const bench = await startPaced();
  const door = ziggieNode(bench.kit);
  let seen = '';
  const client = await run(bench, (req, res) => {
    const { write: inner } = res;
    res.write = (text: string) => {
      seen += text;
      return inner.call(res, text, 'utf8');
    };
    door(req, res);
  });
  await client.until(({ received }) => received.endsWith('0\r\n\r\n'));
  expect(textOf(parseEvents(seen))).toBe(pieces.join(''));
  client.socket.destroy();
});

test('HTTP/1.0 has no chunks', async () => {
  const bench = await startPaced();
  const client = await run(bench, undefined, '1.0');
  await client.until(({ closed }) => closed);
  const body = client.received.slice(client.received.indexOf('\r\n\r\n') + 4);
  expect(client.received).not.toMatch(/transfer-encoding/i);
  expect(textOf(parseEvents(Buffer.from(body, 'latin1').toString('utf8')))).toBe(pieces.join(''));
});

test('handle() that somebody put around the kit is what the doors call', async () => {
  const bench = await startPaced();
  const { kit } = bench;
  const { handle } = kit;
  let asked = 0;
  kit.handle = (request, connection) => {
    asked++;
    return handle.call(kit, request, connection);
  };
  const client = await run(bench);
  await client.until(({ received }) => received.endsWith('0\r\n\r\n'));
  expect(asked).toBe(1);
  client.socket.destroy();
});
