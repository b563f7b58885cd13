import { cut, type FakeOllamaOptions, say, stall, think } from '@ziggie/llm-testing';
import { startFakeOllama } from '@ziggie/llm-testing/node';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createManualClock } from '../../test/clock.ts';
import { question as anyQuestion, failureOf, last, piece } from '../../test/samples.ts';
import { linesThenSilence, serve, toLines } from '../../test/scripted-server.ts';
import { AbortedError, type ChatEvent, type ChatStream, createClient } from '../index.ts';

const question = { ...anyQuestion, model: 'stand-in' };

async function standIn(options: FakeOllamaOptions = {}) {
  const server = await startFakeOllama({ tokensPerSecond: Infinity, ...options });
  onTestFinished(() => server.close());
  const client = createClient({ baseUrl: server.url, target: 'ollama' });
  return { client, fake: server.fake };
}

/** Reads until the first event of this type. */
async function readTo(iterator: AsyncIterator<ChatEvent>, type: ChatEvent['type']): Promise<void> {
  for (let step = await iterator.next(); !step.done; step = await iterator.next()) {
    if (step.value.type === type) return;
  }
  throw new Error(`There was no ${type}.`);
}

/** How long the stand-in took to see the client leave and to free everything, in milliseconds. */
async function freed(
  fake: Awaited<ReturnType<typeof standIn>>['fake'],
  leave: () => unknown,
): Promise<number> {
  const before = performance.now();
  leave();
  await fake.waitFor(
    (report) => report.disconnects.length > 0 && report.openGenerations === 0 && report.waiting === 0,
  );
  return performance.now() - before;
}

describe('leaving closes the socket at once in every phase', () => {
  type Leave = (stream: ChatStream, controller: AbortController) => unknown;
  const ways: [string, Leave][] = [
    ['abort()', (stream) => stream.abort('enough')],
    ['the signal', (_, controller) => controller.abort('enough')],
  ];

  test.each(ways)('%s while the model loads', async (_, leave) => {
    const { client, fake } = await standIn({ loadMs: 60_000 });
    const controller = new AbortController();
    const stream = client.chat(question, { signal: controller.signal });
    const reading = failureOf(stream.text());
    await fake.waitFor((report) => report.waiting === 1);
    expect(await freed(fake, () => leave(stream, controller))).toBeLessThan(1000);
    expect(await reading).toMatchObject({ name: 'AbortError', code: 'aborted', cause: 'enough' });
  });

  test.each(ways)('%s while it waits for a slot', async (_, leave) => {
    const { client, fake } = await standIn({ slotsPerModel: 1 });
    fake.script([say('a'), stall()]);
    const first = client.chat(question);
    await readTo(first[Symbol.asyncIterator](), 'text-delta');
    const controller = new AbortController();
    const stream = client.chat(question, { signal: controller.signal });
    const reading = failureOf(stream.text());
    await fake.waitFor((report) => report.waiting === 1);
    const before = performance.now();
    leave(stream, controller);
    await fake.waitFor((report) => report.waiting === 0);
    expect(performance.now() - before).toBeLessThan(1000);
    expect(await reading).toBeInstanceOf(AbortedError);
    // The other answer of the same client goes on.
    expect(fake.report().openGenerations).toBe(1);
    first.abort();
    await fake.waitFor((report) => report.openGenerations === 0);
  });

  test.each(ways)('%s before the first token', async (_, leave) => {
    const { client, fake } = await standIn();
    fake.script(stall());
    const controller = new AbortController();
    const stream = client.chat(question, { signal: controller.signal });
    const reading = failureOf(stream.text());
    await fake.waitFor((report) => report.openGenerations === 1);
    expect(await freed(fake, () => leave(stream, controller))).toBeLessThan(1000);
    expect(await reading).toBeInstanceOf(AbortedError);
  });

  const inside: [string, (iterator: AsyncIterator<ChatEvent>, ...rest: Parameters<Leave>) => unknown][] = [
    ['abort()', (_, stream) => stream.abort()],
    ['the signal', (_, __, controller) => controller.abort()],
    ['return()', (iterator) => iterator.return?.()],
    ['throw()', (iterator) => iterator.throw?.(new Error('mine')).catch(() => {})],
  ];
  test.each(inside)('%s while it thinks', async (_, leave) => {
    const { client, fake } = await standIn();
    fake.script([think('Hm'), stall()]);
    const controller = new AbortController();
    const stream = client.chat({ ...question, model: 'stand-in-thinking' }, { signal: controller.signal });
    const iterator = stream[Symbol.asyncIterator]();
    await readTo(iterator, 'thinking-delta');
    expect(await freed(fake, () => leave(iterator, stream, controller))).toBeLessThan(1000);
  });

  test.each(inside)('%s while a reader waits for more of the answer', async (way, leave) => {
    const { client, fake } = await standIn();
    fake.script([say('half'), stall()]);
    const controller = new AbortController();
    const stream = client.chat(question, { signal: controller.signal });
    const iterator = stream[Symbol.asyncIterator]();
    await readTo(iterator, 'text-delta');
    const waiting = iterator.next().catch((error: unknown) => error);
    expect(await freed(fake, () => leave(iterator, stream, controller))).toBeLessThan(1000);
    // Whoever ends the loop gets its end; everybody else gets the error.
    const told = await waiting;
    if (way === 'return()' || way === 'throw()') expect(told).toEqual({ done: true, value: undefined });
    else expect(told).toMatchObject({ code: 'aborted', partial: { text: 'half' } });
    expect(await failureOf(stream.final())).toMatchObject({ code: 'aborted', partial: { text: 'half' } });
  });

  test('break and an error thrown in the loop', async () => {
    for (const how of ['break', 'throw']) {
      const { client, fake } = await standIn();
      fake.script([say('half'), stall()]);
      const mine = new Error('mine');
      const loop = async (): Promise<void> => {
        for await (const event of client.chat(question)) {
          if (event.type !== 'text-delta') continue;
          if (how === 'throw') throw mine;
          break;
        }
      };
      const left = await freed(fake, () => loop().catch((error) => expect(error).toBe(mine)));
      expect(left).toBeLessThan(1000);
    }
  });
});

test('a fetch that ignores its signal cannot hold the call, and its late answer is closed', async () => {
  let answer = (_: Response): void => {};
  const fetch = (): Promise<Response> =>
    new Promise((resolve) => {
      answer = resolve;
    });
  const stream = createClient({ baseUrl: 'http://host', target: 'ollama', fetch }).chat(question);
  const reading = failureOf(stream.text());
  await new Promise((resolve) => setTimeout(resolve));
  stream.abort();
  expect(await reading).toBeInstanceOf(AbortedError);
  const closed = new Promise<void>((resolve) => {
    answer(new Response(new ReadableStream({ cancel: () => resolve() })));
  });
  await closed;
});

test('a fetch that ignores its signal is told inside the answer too', async () => {
  let closed = false;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode(toLines(piece('half')))),
    cancel: () => {
      closed = true;
    },
  });
  const fetch = (): Promise<Response> => Promise.resolve(new Response(body));
  const stream = createClient({ baseUrl: 'http://host', target: 'ollama', fetch }).chat(question);
  await readTo(stream[Symbol.asyncIterator](), 'text-delta');
  stream.abort();
  await expect.poll(() => closed).toBe(true);
});

test('abort() is thrown before what had arrived but was not taken', async () => {
  const body = toLines(piece('one'), piece('two'), piece('three'));
  const fetch = (): Promise<Response> => Promise.resolve(new Response(body));
  const stream = createClient({ baseUrl: 'http://host', target: 'ollama', fetch }).chat(question);
  const iterator = stream[Symbol.asyncIterator]();
  await readTo(iterator, 'text-delta');
  stream.abort();
  expect(await failureOf(iterator.next())).toMatchObject({
    code: 'aborted',
    partial: { text: 'onetwothree' },
  });
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
});

test('a signal that was aborted before sends nothing', async () => {
  const { client, fake } = await standIn();
  const error = await failureOf(client.chat(question, { signal: AbortSignal.abort('early') }).text());
  expect(error).toMatchObject({ name: 'AbortError', code: 'aborted', cause: 'early', attempts: [] });
  expect(fake.report().requests).toEqual([]);
  expect(await failureOf(client.models.list({ signal: AbortSignal.abort('early') }))).toMatchObject({
    cause: 'early',
  });
});

test('a signal ends lists too', async () => {
  const { client } = await standIn();
  const controller = new AbortController();
  const listing = failureOf(client.models.list({ signal: controller.signal }));
  controller.abort('enough');
  expect(await listing).toMatchObject({ code: 'aborted', cause: 'enough' });
});

test('abort() during the wait before another attempt ends the call at once', async () => {
  const { client, fake } = await standIn();
  fake.script(cut('end'), { times: Infinity });
  const stream = client.chat(question, { retry: { baseMs: 1e9, capMs: 1e9 } });
  const reading = failureOf(stream.text());
  await fake.waitFor((report) => report.requests[0]?.endedAt !== undefined);
  await new Promise((resolve) => setTimeout(resolve, 20));
  stream.abort();
  expect(await reading).toMatchObject({ code: 'aborted', attempts: [{ number: 1, code: 'truncated' }] });
  expect(fake.report().requests).toHaveLength(1);
});

test('abort() after the end is harmless: no uncaught exception, and the connection is kept', async () => {
  const { client, fake } = await standIn();
  const stream = client.chat(question);
  const types: string[] = [];
  for await (const event of stream) {
    types.push(event.type);
    if (event.type === 'done') stream.abort();
  }
  stream.abort();
  expect(types.at(-1)).toBe('done');
  expect((await stream.final()).finishReason).toBe('stop');
  await fake.waitFor((report) => report.requests[0]?.endedAt !== undefined);
  expect(fake.report().disconnects).toEqual([]);
});

test('aborting one of 50 answers of a client touches no other', async () => {
  const { client, fake } = await standIn({ slotsPerModel: 50 });
  fake.script([say('a'), stall(20), say('b')], { times: 49 });
  const streams = Array.from({ length: 50 }, () => client.chat(question));
  const reading = streams.map((stream) => stream.text().catch((error: unknown) => error));
  await fake.waitFor((report) => report.openGenerations > 0);
  streams[17]?.abort();
  const results = await Promise.all(reading);
  expect(results.filter((result) => typeof result === 'string')).toHaveLength(49);
  expect(results[17]).toBeInstanceOf(AbortedError);
});

test('a stream that nobody reads sends nothing and fails unseen without an unhandledRejection', async () => {
  const unhandled: unknown[] = [];
  const onUnhandled = (error: unknown): void => void unhandled.push(error);
  process.on('unhandledRejection', onUnhandled);
  onTestFinished(() => void process.off('unhandledRejection', onUnhandled));
  const { client, fake } = await standIn();
  client.chat(question);
  client.chat(question).abort();
  client.chat(question, { signal: AbortSignal.abort() });
  fake.script([say('half'), cut('end')]);
  const half = client.chat(question)[Symbol.asyncIterator]();
  await readTo(half, 'text-delta');
  await half.next().catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(unhandled).toEqual([]);
  expect(fake.report().requests).toHaveLength(1);
});

test('one listener on the signal per call, none after it', async () => {
  const { client, fake } = await standIn();
  fake.script([say('half'), cut('end')], { contains: 'fail', times: Infinity });
  const { signal } = new AbortController();
  let listeners = 0;
  let most = 0;
  const counted = new Proxy(signal, {
    get(target, name) {
      if (name === 'addEventListener') {
        return (...args: Parameters<AbortSignal['addEventListener']>) => {
          most = Math.max(most, ++listeners);
          target.addEventListener(...args);
        };
      }
      if (name === 'removeEventListener') {
        return (...args: Parameters<AbortSignal['removeEventListener']>) => {
          listeners--;
          target.removeEventListener(...args);
        };
      }
      return Reflect.get(target, name, target);
    },
  });
  const options = { signal: counted, retry: { baseMs: 0 } };
  await client.chat(question, options).text();
  await failureOf(
    client.chat({ ...question, messages: [{ role: 'user', content: 'fail' }] }, options).text(),
  );
  for await (const _ of client.chat(question, options)) break;
  await client.models.list(options);
  expect(most).toBe(1);
  expect(listeners).toBe(0);
});

test('an answer can be iterated once; its result can be asked for again and after the loop', async () => {
  const { client } = await standIn();
  const stream = client.chat(question);
  let text = '';
  for await (const event of stream) if (event.type === 'text-delta') text += event.text;
  expect(text).not.toBe('');
  expect(await stream.text()).toBe(text);
  expect(await stream.final()).toBe(await stream.final());
  expect(() => stream[Symbol.asyncIterator]()).toThrow(TypeError);
  const other = client.chat(question);
  await other.final();
  expect(() => other[Symbol.asyncIterator]()).toThrow(TypeError);
});

test('next() called many times at once gives the events in order, then the end', async () => {
  const { client } = await standIn();
  const iterator = client.chat(question)[Symbol.asyncIterator]();
  const steps = await Promise.all(Array.from({ length: 2_000 }, () => iterator.next()));
  const events = steps.flatMap((step) => (step.done ? [] : [step.value.type]));
  expect(events[0]).toBe('start');
  expect(events.at(-1)).toBe('done');
  expect(steps.slice(events.length).every((step) => step.done)).toBe(true);
});

test('the connection is used again after a whole answer', async () => {
  const { client, fake } = await standIn();
  for (let count = 0; count < 3; count++) await client.chat(question).text();
  await fake.waitFor((report) => report.requests.every((request) => request.endedAt !== undefined));
  expect(fake.report().disconnects).toEqual([]);
});

test('an answer whose end comes after its last record is read to the end, not cut', async () => {
  const server = await serve((exchange) => {
    linesThenSilence(piece('Hi'), last)(exchange);
    setTimeout(() => exchange.response.end(), 20);
  });
  await createClient({ baseUrl: server.url, target: 'ollama' }).chat(question).final();
  const exchange = await server.arrived(1);
  await exchange.closed;
  expect(exchange.left).toBe(false);
});

test('a server that does not end after its last record is cut off after a second', async () => {
  const server = await serve(linesThenSilence(piece('Hi'), last));
  const clock = createManualClock();
  await createClient({ baseUrl: server.url, target: 'ollama', clock }).chat(question).final();
  const exchange = await server.arrived(1);
  await clock.advance(999);
  expect(exchange.response.destroyed).toBe(false);
  await clock.advance(1);
  await exchange.closed;
  expect(exchange.left).toBe(true);
});

test('a slow reader holds the server back instead of filling memory', async () => {
  const { client, fake } = await standIn();
  fake.script([say('word '.repeat(400_000))]);
  const iterator = client.chat(question)[Symbol.asyncIterator]();
  await readTo(iterator, 'text-delta');
  const sent = (): number => fake.report().requests[0]?.records ?? 0;
  // Until the buffers of both sockets are full.
  await expect
    .poll(
      async () => {
        const before = sent();
        await new Promise((resolve) => setTimeout(resolve, 50));
        return sent() - before;
      },
      { timeout: 10_000 },
    )
    .toBe(0);
  // The whole is 400,000 records, about 45 MB.
  expect(sent()).toBeLessThan(200_000);
  expect(fake.report().requests[0]?.endedAt).toBeUndefined();
  await iterator.return?.();
  await fake.waitFor((report) => report.openGenerations === 0);
});
