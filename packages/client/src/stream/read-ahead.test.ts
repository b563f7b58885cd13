import { expect, test } from 'vitest';
import { last, piece, question } from '../../test/samples.ts';
import { type Exchange, serve, toLines } from '../../test/scripted-server.ts';
import { createClient } from '../index.ts';

const line = toLines(piece('x'.repeat(1_000)));

/** Sends as much as the other side takes. */
function flood(exchange: Exchange, sent: { bytes: number }, most: number): void {
  const { response } = exchange;
  response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
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
