import { describe, expect, test } from 'vitest';
import { chunk, lastRecord, type RawExchange, streamEnd, streamHead, textRecord } from '../raw-ollama.ts';
import { question, readerOf, startWithRaw, token, until } from '../stream-harness.ts';
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
