import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';
import { expect, test } from 'vitest';
import { last, piece, question } from '../../test/samples.ts';
import { type Exchange, serve, toLines } from '../../test/scripted-server.ts';
import { createClient } from '../index.ts';

const line = toLines(piece('x'.repeat(1_000)));

/** Sends as much as the other side takes. */
function flood(exchange: Exchange, sent: { bytes: number }, most: number, headers = {}): void {
  const { response } = exchange;
  response.writeHead(200, { 'Content-Type': 'application/x-ndjson', ...headers });
  const more = (): void => {
    while (sent.bytes < most) {
      sent.bytes += line.length;
      if (!response.write(line)) {
        response.once('drain', more);
        return;
      }
    }
    response.end(toLines(last));
  };
  more();
}

test('a reader that stops holds the server back', async () => {
  const sent = { bytes: 0 };
  const most = 64 * 1024 * 1024;
  const server = await serve((exchange) => flood(exchange, sent, most));
  const stream = createClient({ baseUrl: server.url, target: 'ollama' }).chat(question);
  const iterator = stream[Symbol.asyncIterator]();
  for (let count = 0; count < 3; count++) await iterator.next();
  let before = -1;
  while (before !== sent.bytes) {
    before = sent.bytes;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  // What the kernel of both ends holds is not ours: a few MiB on loopback, far from all.
  expect(sent.bytes).toBeLessThan(16 * 1024 * 1024);
  await iterator.return?.();
});

test('in Node at most 256 KiB are taken from the socket ahead of a reader that stops', async () => {
  // With a length there is no framing between the bytes: what is counted are those of the body.
  const length = { 'Content-Length': 2 ** 30 };
  const server = await serve((exchange) => flood(exchange, { bytes: 0 }, 64 * 1024 * 1024, length));
  const requests: ClientRequest[] = [];
  const onStart = (message: unknown): void =>
    void requests.push((message as { request: ClientRequest }).request);
  subscribe('http.client.request.start', onStart);
  const stream = createClient({ baseUrl: server.url, target: 'ollama' }).chat(question);
  const iterator = stream[Symbol.asyncIterator]();
  let taken = 0;
  let most = 0;
  // Stops at the beginning, in the middle and at the end of pieces.
  for (let stop = 1; stop <= 8; stop++) {
    while (taken < stop * 250_000) {
      const { value } = await iterator.next();
      if (value?.type === 'text-delta') taken += line.length;
    }
    const socket = requests.find(({ host, path }) => host === '127.0.0.1' && path === '/api/chat')?.socket;
    let before = -1;
    while (before !== socket?.bytesRead) {
      before = socket?.bytesRead ?? 0;
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    most = Math.max(most, before - taken);
  }
  unsubscribe('http.client.request.start', onStart);
  // Up to two pieces of 64 KiB wait in the body, one in the socket, and one is being read; 184 KiB were measured.
  expect(most).toBeGreaterThan(64 * 1024);
  expect(most).toBeLessThanOrEqual(256 * 1024);
  await iterator.return?.();
});

test('with a fetch no more than one chunk is taken ahead of the reader', async () => {
  let pulled = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        pulled++;
        controller.enqueue(new TextEncoder().encode(toLines(piece('a'))));
      },
    },
    { highWaterMark: 0 },
  );
  const client = createClient({
    baseUrl: 'http://host',
    target: 'ollama',
    fetch: () => Promise.resolve(new Response(body)),
  });
  const iterator = client.chat(question)[Symbol.asyncIterator]();
  for (let count = 0; count < 10; count++) await iterator.next();
  await new Promise((resolve) => setTimeout(resolve, 20));
  // A start and nine pieces were read.
  expect(pulled).toBeLessThanOrEqual(10);
  await iterator.return?.();
});
