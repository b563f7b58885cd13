import { getEventListeners } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, onTestFinished, test, vi } from 'vitest';
import { piece, question } from '../../test/samples.ts';
import { toLines } from '../../test/scripted-server.ts';
import { createClient } from '../index.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** A server that says one piece and then nothing, and remembers nothing: what grows is the client's. */
async function mute(): Promise<{ url: string; open: () => number }> {
  let open = 0;
  const server = createServer((request, response) => {
    open++;
    response.on('close', () => open--);
    request.resume();
    response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
    response.write(toLines(piece('half')));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, open: () => open };
}

async function settledHeap(): Promise<number> {
  for (let round = 0; round < 10; round++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return process.memoryUsage().heapUsed;
}

test('G6: 1,000 streams opened and broken leave no body, no listener and less than 5 MB', async () => {
  const server = await mute();
  const client = createClient({ baseUrl: server.url, target: 'ollama' });
  const { signal } = new AbortController();
  const openAndBreak = async (): Promise<void> => {
    for (let round = 0; round < 50; round++) {
      await Promise.all(
        Array.from({ length: 20 }, async () => {
          for await (const event of client.chat(question, { signal })) if (event.type === 'text-delta') break;
        }),
      );
    }
  };
  // The first thousand also compile and fill pools.
  await openAndBreak();
  const before = await settledHeap();
  await openAndBreak();
  await vi.waitFor(() => expect(server.open()).toBe(0));
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  const grownBytes = (await settledHeap()) - before;
  console.info(`The heap grew by ${(grownBytes / 1e6).toFixed(2)} MB over 1,000 streams.`);
  expect(grownBytes).toBeLessThan(5e6);
});
