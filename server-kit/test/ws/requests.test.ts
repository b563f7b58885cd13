import { say, stall, think } from '@ziggie/llm-testing';
import { describe, expect, test } from 'vitest';
import { chunk, lastRecord, startRawOllama, streamEnd, streamHead, textRecord } from '../raw-ollama.ts';
import { closeLater, expectWellFormed, until } from '../stream-harness.ts';
import { chatFrame, startSockets } from './socket-bench.ts';

describe('requests of a socket', () => {
  test('a chat is answered with the events of HTTP, under its id', async () => {
    const bench = await startSockets();
    bench.ollama.fake.script([think('Hm.'), say('Hello there')]);
    const client = await bench.open();
    expect(client.socket.protocol).toBe('ziggie.v1');
    client.send(chatFrame('one', 1000, 'Hello', { think: true, model: 'stand-in-thinking' }));
    expect((await client.ended('one')).type).toBe('done');
    expectWellFormed(client.of('one'));
    expect(client.text('one')).toBe('Hello there');
    expect(bench.log.at(-1)).toMatchObject({ method: 'WS', route: '/chat', principal: 'ada', outcome: 'ok' });
  });

  test('a frame begins with its id, so that a reader can tell whose it is without parsing it', async () => {
    const bench = await startSockets();
    const client = await bench.open();
    const raw: string[] = [];
    client.socket.on('message', (data) => raw.push(String(data)));
    client.send({ id: 'g', type: 'generate', request: { model: 'stand-in', prompt: 'Hi' }, credit: 999 });
    await client.ended('g');
    expect(raw.every((text) => text.startsWith('{"id":"g","event":{'))).toBe(true);
  });

  test('many run at once, each whole and in order', async () => {
    const bench = await startSockets({ limits: { maxInFlight: 20, requestsPerMinute: 1000 } });
    for (let at = 0; at < 12; at++) {
      bench.ollama.fake.script([say(`answer ${at} with some words in it`)], { contains: `question ${at}.` });
    }
    const client = await bench.open();
    for (let at = 0; at < 12; at++) client.send(chatFrame(`r${at}`, 1000, `question ${at}.`));
    for (let at = 0; at < 12; at++) {
      await client.ended(`r${at}`);
      expectWellFormed(client.of(`r${at}`));
      expect(client.text(`r${at}`)).toBe(`answer ${at} with some words in it`);
    }
  });

  test('a refusal has the code and status of HTTP, and the id is free again', async () => {
    const bench = await startSockets();
    const client = await bench.open();
    client.send({
      ...chatFrame('x'),
      request: { model: 'no-such-model', messages: [{ role: 'user', content: 'a' }] },
    });
    expect(await client.ended('x')).toMatchObject({
      type: 'error',
      code: 'model_not_found',
      status: 404,
      seq: 0,
    });
    client.events.clear();
    client.send({ ...chatFrame('x'), request: { model: 'stand-in', mesages: [] } });
    expect(await client.ended('x')).toMatchObject({ code: 'bad_request', status: 400 });
    client.events.clear();
    client.send(chatFrame('x'));
    expect((await client.ended('x')).type).toBe('done');
  });

  test('the limits are those of HTTP: rate, and answers at once', async () => {
    const bench = await startSockets({
      limits: { requestsPerMinute: 4, requestsPerMinutePerAddress: 1000, maxInFlight: 1 },
    });
    bench.ollama.fake.script([say('a'), stall()]);
    const client = await bench.open();
    client.send(chatFrame('a'));
    await client.until(() => client.text('a') === 'a');
    client.send(chatFrame('b'));
    expect(await client.ended('b')).toMatchObject({ code: 'too_many_in_flight', status: 429 });
    client.send(chatFrame('c'));
    expect(await client.ended('c')).toMatchObject({ code: 'too_many_in_flight' });
    client.send(chatFrame('d'));
    const refused = await client.ended('d');
    expect(refused).toMatchObject({ code: 'rate_limited', status: 429 });
    expect((refused as { retryAfterMs?: number }).retryAfterMs).toBeGreaterThan(0);
  });

  test('a model server that breaks off is told, never a whole answer', async () => {
    const raw = await startRawOllama(({ socket }) => {
      socket.write(streamHead);
      socket.write(chunk(textRecord('half')));
      setTimeout(() => socket.destroy(), 20);
    });
    closeLater(() => raw.close());
    const bench = await startSockets({}, raw.url);
    const client = await bench.open();
    client.send(chatFrame('t', 100, 'Hi', { model: 'raw' }));
    expect(await client.ended('t')).toMatchObject({ type: 'error', code: 'truncated', status: 502 });
  });
});

describe('leaving', () => {
  const holding = async () => {
    const raw = await startRawOllama(({ socket }) => {
      socket.write(Buffer.concat([Buffer.from(streamHead), chunk(textRecord('Hi'))]));
    });
    closeLater(() => raw.close());
    const bench = await startSockets({}, raw.url);
    const client = await bench.open();
    client.send(chatFrame('t', 100, 'Hi', { model: 'raw' }));
    await client.until(() => client.text('t') === 'Hi');
    return { raw, bench, client };
  };

  test('a cancel closes the model server at once and is confirmed', async () => {
    const { raw, bench, client } = await holding();
    const at = performance.now();
    client.send({ id: 't', type: 'cancel' });
    expect(((await raw.exchanges[0]?.closed) ?? Infinity) - at).toBeLessThan(1000);
    expect(await client.ended('t')).toMatchObject({ type: 'error', code: 'aborted', seq: 2 });
    expect(client.closed).toBeUndefined();
    await until(() => bench.kit.gauges().activeRequests === 0);
    expect(bench.log.at(-1)).toMatchObject({ outcome: 'left' });
  });

  test.each(['close', 'terminate'] as const)(
    '%s of the socket closes the model server at once',
    async (how) => {
      const { raw, bench, client } = await holding();
      const at = performance.now();
      client.socket[how]();
      expect(((await raw.exchanges[0]?.closed) ?? Infinity) - at).toBeLessThan(1000);
      await until(() => bench.kit.gauges().sockets === 0);
    },
  );

  test('a cancel before the first event stops it too', async () => {
    const raw = await startRawOllama(() => {});
    closeLater(() => raw.close());
    const bench = await startSockets({}, raw.url);
    const client = await bench.open();
    client.send(chatFrame('t', 100, 'Hi', { model: 'raw' }));
    await until(() => raw.exchanges.length === 1);
    client.send({ id: 't', type: 'cancel' });
    expect(await client.ended('t')).toMatchObject({ code: 'aborted', seq: 0 });
    await raw.exchanges[0]?.closed;
  });

  test('a cancel of nothing is nobody’s fault', async () => {
    const bench = await startSockets();
    const client = await bench.open();
    client.send({ id: 'never', type: 'cancel' });
    client.send({ type: 'ping' });
    await client.until(() => client.frames.length === 1);
    expect(client.frames).toEqual([{ type: 'pong' }]);
  });
});

describe('credit', () => {
  test('no event goes out without it, but for the last', async () => {
    const bench = await startSockets();
    bench.ollama.fake.script([say('a b c d e f')]);
    const client = await bench.open();
    client.send(chatFrame('one', 1));
    await client.until(() => client.of('one').length === 1);
    client.send({ id: 'one', type: 'credit', credit: 2 });
    await client.until(() => client.of('one').length === 3);
    client.send({ type: 'ping' });
    await client.until(() => client.frames.length === 4);
    expect(client.of('one')).toHaveLength(3);
    client.send({ id: 'one', type: 'credit', credit: 1000 });
    await client.ended('one');
    expectWellFormed(client.of('one'));
    expect(client.text('one')).toBe('a b c d e f');
  });

  test('a reader without credit is not read for, and does not hold up its neighbour', async () => {
    let written = 0;
    const raw = await startRawOllama(({ socket, body }) => {
      socket.write(streamHead);
      if (!body.includes('flood')) {
        socket.end(Buffer.concat([chunk(textRecord('quick')), chunk(lastRecord), Buffer.from(streamEnd)]));
        return;
      }
      const record = chunk(textRecord('x'.repeat(64 * 1024)));
      const more = () => {
        while (written < 64 * 1024 * 1024 && socket.write(record)) written += record.byteLength;
        if (written < 64 * 1024 * 1024) socket.once('drain', more);
      };
      more();
    });
    closeLater(() => raw.close());
    const bench = await startSockets({}, raw.url);
    const client = await bench.open();
    client.send(chatFrame('flood', 3, 'flood', { model: 'raw' }));
    await client.until(() => client.of('flood').length === 3);
    client.send(chatFrame('quick', 100, 'quick', { model: 'raw' }));
    expect((await client.ended('quick')).type).toBe('done');
    await new Promise((resolve) => setTimeout(resolve, 100));
    const stoodAt = written;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(written).toBe(stoodAt);
    // What the kernel and the read-ahead of the connection hold, and no more.
    expect(stoodAt).toBeLessThan(16 * 1024 * 1024);
    expect(client.of('flood')).toHaveLength(3);
  });

  test('a reader that gives none for 30 s loses its answer and keeps its socket', async () => {
    const bench = await startSockets();
    bench.ollama.fake.script([say('a b c d e f')]);
    const client = await bench.open();
    client.send(chatFrame('one', 2));
    await client.until(() => client.of('one').length === 2);
    await bench.clock.advance(29_000);
    expect(client.of('one')).toHaveLength(2);
    await bench.clock.advance(1_500);
    expect(await client.ended('one')).toMatchObject({ type: 'error', code: 'deadline_exceeded', seq: 2 });
    client.send(chatFrame('two'));
    expect((await client.ended('two')).type).toBe('done');
  });
});

describe('bare frames', () => {
  test('with the option, {prompt, model} is answered in Ollama’s own records', async () => {
    const bench = await startSockets({ sockets: { allowBareRequests: true } });
    bench.ollama.fake.script([say('Hello there')]);
    const client = await bench.open();
    client.send({ prompt: 'Hi', model: 'stand-in' });
    await client.until(() => (client.frames.at(-1) as { done?: boolean })?.done === true);
    const records = client.frames as {
      response: string;
      done: boolean;
      model: string;
      eval_count?: number;
    }[];
    expect(records.map(({ response }) => response).join('')).toBe('Hello there');
    expect(records.every(({ model }) => model === 'stand-in')).toBe(true);
    expect(records.at(-1)).toMatchObject({ done: true, done_reason: 'stop', eval_count: expect.any(Number) });
    client.frames.length = 0;
    client.send({ prompt: 'Hi', model: 'nothing' });
    await client.until(() => client.frames.length === 1);
    expect(client.frames).toEqual([{ error: expect.stringContaining('model') }]);
  });

  test('without it they end the socket with 1008', async () => {
    const bench = await startSockets();
    const client = await bench.open();
    client.send({ prompt: 'Hi', model: 'stand-in' });
    expect((await client.untilClosed()).code).toBe(1008);
  });
});
