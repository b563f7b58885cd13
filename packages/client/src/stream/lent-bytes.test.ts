import { expect, test } from 'vitest';
import { done, question, start } from '../../test/samples.ts';
import { toLines } from '../../test/scripted-server.ts';
import { createClient } from '../index.ts';

const text = 'Grüße, 世界 🌍, bis bald.';
const numbered = [start, ...[...text].map((piece) => ({ type: 'text-delta', text: piece })), done].map(
  (event, seq) => ({ ...event, seq }),
);

/** A body that lends the same few bytes again and again: each piece is overwritten by the next read. */
function lending(whole: string, size: number): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(whole);
  const lent = new Uint8Array(size);
  let at = 0;
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        lent.fill(0x3f);
        if (at >= bytes.length) return controller.close();
        const piece = bytes.subarray(at, at + size);
        lent.set(piece);
        at += size;
        controller.enqueue(lent.subarray(0, piece.length));
      },
    },
    { highWaterMark: 0 },
  );
}

function clientOf(whole: string, type: string, size: number) {
  const body = lending(whole, size);
  return createClient({
    baseUrl: 'http://kit.test',
    fetch: async () => new Response(body, { headers: { 'Content-Type': type } }),
  });
}

test.each([1, 2, 3, 7, 64])(
  'pieces of %i bytes that are good until the next read only are read whole',
  async (size) => {
    const asLines = clientOf(toLines(...numbered), 'application/x-ndjson', size);
    expect(await asLines.chat(question).text()).toBe(text);
    const events = numbered.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');
    expect(await clientOf(events, 'text/event-stream', size).chat(question).text()).toBe(text);
    const status = { status: 'ok', version: text };
    expect(await clientOf(JSON.stringify(status), 'application/json', size).status()).toEqual(status);
  },
);
