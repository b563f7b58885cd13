import { createServer } from 'node:http';
import { describe, expect, test } from 'vitest';
import { measureStream } from '../../src/index.ts';
import { ziggieNode } from '../../src/node.ts';
import { listen } from '../doors/hosts.ts';
import { tokenOf } from '../queue/lines-bench.ts';
import { chunk, lastRecord, type RawExchange, streamEnd, streamHead, textRecord } from '../raw-ollama.ts';
import { closeLater, question, readerOf, startWithRaw, token, until } from '../stream-harness.ts';
import { SocketClient } from '../ws/socket-client.ts';
import { proxies } from './proxies.ts';

const words = ['one ', 'by ', 'one, ', 'however ', 'small'];

/** A model server that writes a word when it is told to. */
async function startStepwise() {
  let exchange: RawExchange | undefined;
  const bench = await startWithRaw((asked) => {
    exchange = asked;
    asked.socket.write(streamHead);
  });
  const write = (text: string) => exchange?.socket.write(chunk(text));
  return {
    ...bench,
    begun: () => until(() => exchange !== undefined, 5000),
    say: (word: string) => write(textRecord(word)),
    end: () => {
      write(lastRecord);
      exchange?.socket.write(streamEnd);
    },
    closed: () => exchange?.closed as Promise<number>,
  };
}

// No clock: each word is written when the one before has arrived, so a proxy that holds one back holds the test up.
describe.each(proxies)('behind $name', ({ isHere, passesSockets, start }) => {
  test.skipIf(!isHere).each([
    ['NDJSON', 'application/x-ndjson'],
    ['server-sent events', 'text/event-stream'],
  ])('tokens arrive one by one as %s', async (_, accept) => {
    const model = await startStepwise();
    const port = await start(model.kit);
    const asked = fetch(`http://127.0.0.1:${port}/api/llm/chat`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await token()}`, 'content-type': 'application/json', accept },
      body: JSON.stringify(question('Hello', 'raw')),
    });
    await model.begun();
    model.say(words[0] as string);
    const response = await asked;
    expect(response.status).toBe(200);
    const reader = readerOf(response);
    let text = '';
    for (const [at, word] of words.entries()) {
      if (at > 0) model.say(word);
      while (!text.includes(JSON.stringify(word))) text += (await reader.next()) ?? expect.unreachable('cut');
    }
    model.end();
    text += await reader.rest();
    expect(text).toContain('"type":"done"');
  });

  test.skipIf(!isHere)('a client that leaves frees the model server', async () => {
    const model = await startStepwise();
    const port = await start(model.kit);
    const leaving = new AbortController();
    const asked = fetch(`http://127.0.0.1:${port}/api/llm/chat`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await token()}`, 'content-type': 'application/json' },
      body: JSON.stringify(question('Hello', 'raw')),
      signal: leaving.signal,
    });
    await model.begun();
    model.say('hello');
    const response = await asked;
    await readerOf(response).next();
    const leftAt = performance.now();
    leaving.abort();
    expect((await model.closed()) - leftAt).toBeLessThan(1000);
    await until(() => model.kit.gauges().activeRequests === 0);
  });

  test.skipIf(!isHere)('the self-test says so', async () => {
    const model = await startStepwise();
    const port = await start(model.kit);
    const report = await measureStream({
      baseUrl: `http://127.0.0.1:${port}/api/llm`,
      credentials: await tokenOf('root', ['admin']),
    });
    expect(report).toMatchObject({ verdict: 'one-by-one', sent: 20, hint: undefined });
    expect(report.arrivals).toBeGreaterThan(10);
  });

  if (!passesSockets) return;
  test.skipIf(!isHere)('a WebSocket works, token by token', async () => {
    const model = await startStepwise();
    const port = await start(model.kit);
    const socket = await SocketClient.open(`ws://127.0.0.1:${port}/api/llm/ws`, ['ziggie.v1'], {
      authorization: `Bearer ${await token()}`,
    });
    socket.send({ id: 'a', type: 'chat', request: question('Hello', 'raw'), credit: 1000 });
    await model.begun();
    let soFar = '';
    for (const word of words) {
      model.say(word);
      soFar += word;
      await socket.until(() => socket.text('a') === soFar);
    }
    model.end();
    expect((await socket.ended('a')).type).toBe('done');
    socket.socket.close();
    await until(() => model.kit.gauges().sockets === 0);
  });
});

describe('the self-test', () => {
  /** A front that treats the pieces as it likes. */
  const behind = async (change: (pieces: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>) => {
    const bench = await startStepwise();
    const running = await listen(createServer(ziggieNode(bench.kit, { prefix: '/api/llm' })));
    closeLater(() => running.close());
    const fronted: typeof fetch = async (url, init) => {
      const response = await fetch(url, init);
      const pieces = change(response.body as unknown as AsyncIterable<Uint8Array>);
      const iterator = pieces[Symbol.asyncIterator]();
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          const { done, value } = await iterator.next();
          if (done) controller.close();
          else controller.enqueue(value);
        },
      });
      return new Response(body as ReadableStream<Uint8Array<ArrayBuffer>>, response);
    };
    return measureStream({
      baseUrl: `http://127.0.0.1:${running.port}/api/llm/`,
      credentials: await tokenOf('root', ['admin']),
      fetch: fronted,
    });
  };

  test('sees a front that keeps all of it, and one that gathers some', async () => {
    const gathered = (count: number) =>
      async function* (pieces: AsyncIterable<Uint8Array>) {
        let held: Uint8Array[] = [];
        for await (const piece of pieces) {
          held.push(piece);
          if (held.length < count) continue;
          yield Buffer.concat(held);
          held = [];
        }
        if (held.length > 0) yield Buffer.concat(held);
      };
    const [all, some] = await Promise.all([behind(gathered(Number.POSITIVE_INFINITY)), behind(gathered(7))]);
    expect(all).toMatchObject({
      verdict: 'all-at-once',
      arrivals: 1,
      hint: expect.stringContaining('nginx'),
    });
    expect(some).toMatchObject({ verdict: 'in-batches', hint: expect.stringContaining('no-transform') });
  });

  test('says why it cannot be had', async () => {
    const bench = await startStepwise();
    const running = await listen(createServer(ziggieNode(bench.kit, { prefix: '/api/llm' })));
    closeLater(() => running.close());
    const baseUrl = `http://127.0.0.1:${running.port}/api/llm`;
    const asked = measureStream({ baseUrl, credentials: await tokenOf('ada') });
    await expect(asked).rejects.toThrow(/answered 403 instead of 200/);
  });
});
