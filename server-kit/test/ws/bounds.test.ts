import { connect } from 'node:net';
import { say, stall } from '@ziggie/llm-testing';
import { describe, expect, test } from 'vitest';
import { chunk, startRawOllama, streamHead, textRecord } from '../raw-ollama.ts';
import { closeLater, token, until } from '../stream-harness.ts';
import { chatFrame, startSockets } from './socket-bench.ts';

describe('frames', () => {
  test.each([
    ['not JSON', 'hello'],
    ['an array', '[]'],
    ['a number', '1'],
    ['without an id', '{"type":"chat"}'],
    ['with an id of other signs', '{"id":"a b","type":"cancel"}'],
    ['with an id of 65', `{"id":"${'a'.repeat(65)}","type":"cancel"}`],
    ['65 levels deep', `${'['.repeat(65)}${']'.repeat(65)}`],
  ])('%s: close 1008, and nothing reaches the model server', async (_name, text) => {
    const bench = await startSockets();
    const client = await bench.open();
    client.send(text);
    expect((await client.untilClosed()).code).toBe(1008);
    expect(bench.ollama.fake.report().requests).toEqual([]);
  });

  test.each([
    ['an unknown type', { id: 'x', type: 'pull' }],
    ['no credit', { ...chatFrame('x'), credit: undefined }],
    ['credit 0', chatFrame('x', 0)],
    ['credit 1e400', '{"id":"x","type":"chat","request":{},"credit":1e400}'],
    ['a request that is a list', { id: 'x', type: 'chat', request: [], credit: 1 }],
  ])('%s: the id gets a bad_request, the socket lives', async (_name, frame) => {
    const bench = await startSockets();
    const client = await bench.open();
    client.send(frame);
    expect(await client.ended('x')).toMatchObject({
      type: 'error',
      code: 'bad_request',
      status: 400,
      seq: 0,
    });
    client.send(chatFrame('y'));
    expect((await client.ended('y')).type).toBe('done');
  });

  test('a stream that is not there: the id gets a not_found with the number it waits for', async () => {
    const bench = await startSockets();
    const client = await bench.open();
    client.send({ id: 'x', type: 'resume', streamId: 's', after: 1, credit: 1 });
    expect(await client.ended('x')).toMatchObject({ type: 'error', code: 'not_found', status: 404, seq: 2 });
    client.send(chatFrame('y'));
    expect((await client.ended('y')).type).toBe('done');
  });

  test('an id that is in use: close 1008', async () => {
    const bench = await startSockets();
    bench.ollama.fake.script([say('a'), stall()]);
    const client = await bench.open();
    client.send(chatFrame('x'));
    await client.until(() => client.text('x') === 'a');
    client.send(chatFrame('x'));
    expect((await client.untilClosed()).code).toBe(1008);
    await bench.ollama.fake.waitFor((report) => report.openGenerations === 0);
  });

  test('bytes: 1003; longer than a body may be: 1009; another socket is untouched', async () => {
    const bench = await startSockets({ limits: { maxBodyBytes: 1000 } });
    const [bytes, long, other] = [await bench.open(), await bench.open(), await bench.open()];
    bytes.socket.send(Buffer.from('{"type":"ping"}'));
    expect((await bytes.untilClosed()).code).toBe(1003);
    long.send('x'.repeat(1001));
    expect((await long.untilClosed()).code).toBe(1009);
    other.send(chatFrame('x'));
    expect((await other.ended('x')).type).toBe('done');
  });

  test('compression is not spoken', async () => {
    const bench = await startSockets();
    expect((await bench.open()).socket.extensions).toBe('');
  });

  test('5,000 frames at once: close 4429', async () => {
    const bench = await startSockets();
    const client = await bench.open();
    for (let at = 0; at < 5000; at++) client.send('{"type":"ping"}');
    expect((await client.untilClosed()).code).toBe(4429);
  });

  test('120 pings in a row: close 4429', async () => {
    const bench = await startSockets();
    const client = await bench.open();
    for (let at = 0; at < 120; at++) {
      client.socket.ping();
      if (at % 20 === 0) await new Promise((resolve) => client.socket.once('pong', resolve));
    }
    expect((await client.untilClosed()).code).toBe(4429);
  });

  test('more requests than a socket carries are refused by id', async () => {
    const bench = await startSockets({ sockets: { maxRequestsPerSocket: 2 } });
    for (let at = 0; at < 2; at++) bench.ollama.fake.script([say('a'), stall()]);
    const client = await bench.open();
    client.send(chatFrame('a'));
    client.send(chatFrame('b'));
    client.send(chatFrame('c'));
    expect(await client.ended('c')).toMatchObject({ code: 'too_many_in_flight', status: 429 });
  });

  test.each([
    ['an unmasked frame', [0x81, 0x02, 0x68, 0x69], 1002],
    ['a reserved bit', [0xc1, 0x80, 0, 0, 0, 0], 1002],
    ['an unknown opcode', [0x83, 0x80, 0, 0, 0, 0], 1002],
    ['text that is not UTF-8', [0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28], 1007],
  ])('%s: %s closes with its code of RFC 6455', async (_name, bytes, code) => {
    const bench = await startSockets();
    const socket = connect(bench.port, '127.0.0.1');
    socket.write(
      [
        'GET /api/llm/ws HTTP/1.1',
        'Host: x',
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
        `Authorization: Bearer ${await token()}`,
        '',
        '',
      ].join('\r\n'),
    );
    const received: Buffer[] = [];
    socket.on('data', (chunk) => received.push(chunk));
    await until(() => Buffer.concat(received).includes('\r\n\r\n'));
    const head = Buffer.concat(received).indexOf('\r\n\r\n') + 4;
    socket.write(Buffer.from(bytes as number[]));
    await until(() => Buffer.concat(received).length >= head + 4);
    const frame = Buffer.concat(received).subarray(head);
    expect(frame[0]).toBe(0x88);
    expect(frame.readUInt16BE(2)).toBe(code);
    socket.destroy();
    await until(() => bench.kit.gauges().sockets === 0);
  });
});

test('a message in too many pieces: 1008', async () => {
  const bench = await startSockets();
  const client = await bench.open();
  for (let at = 0; at < 1100; at++) client.socket.send('a', { fin: false });
  expect((await client.untilClosed()).code).toBe(1008);
  await until(() => bench.kit.gauges().sockets === 0);
});

describe('life and death', () => {
  test('a peer that takes nothing is not read for, and is cut off after 30 s', async () => {
    let written = 0;
    let upstreamClosed = false;
    const raw = await startRawOllama(({ socket }) => {
      socket.on('close', () => {
        upstreamClosed = true;
      });
      socket.write(streamHead);
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
    client.send(chatFrame('flood', 1_000_000, 'flood', { model: 'raw' }));
    await client.until(() => client.of('flood').length > 0);
    client.socket.pause();
    let stoodAt = -1;
    while (stoodAt !== written) {
      stoodAt = written;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    // What kernels hold on two connections, and what was read ahead.
    expect(stoodAt).toBeLessThan(32 * 1024 * 1024);
    await bench.clock.advance(25_000);
    expect(bench.kit.gauges().sockets).toBe(1);
    await bench.clock.advance(15_000);
    expect(bench.kit.gauges().sockets).toBe(0);
    await until(() => upstreamClosed);
  });

  test('a peer is pinged every 30 s, and cut off after 60 s of silence', async () => {
    const bench = await startSockets();
    const client = await bench.open();
    let pings = 0;
    client.socket.on('ping', () => pings++);
    for (let at = 1; at <= 4; at++) {
      await bench.clock.advance(30_000);
      await until(() => pings === at);
      client.send({ type: 'ping' });
      await client.until(() => client.frames.length === at);
    }
    expect(client.closed).toBeUndefined();
    // One that does not answer pings and says nothing.
    const dead = await bench.open();
    (dead.socket as unknown as { _autoPong: boolean })._autoPong = false;
    await bench.clock.advance(65_000);
    expect((await dead.untilClosed()).code).toBe(4408);
  });

  test('a drain lets answers finish, refuses new ones and closes with 4503', async () => {
    const bench = await startSockets();
    bench.ollama.fake.script([say('a'), stall()]);
    const [busy, idle] = [await bench.open(), await bench.open()];
    busy.send(chatFrame('one'));
    await busy.until(() => busy.text('one') === 'a');
    const closing = bench.kit.close({ drainMs: 10_000 });
    expect((await idle.untilClosed()).code).toBe(4503);
    busy.send(chatFrame('two'));
    expect(await busy.ended('two')).toMatchObject({ code: 'shutting_down', status: 503 });
    expect(busy.closed).toBeUndefined();
    await bench.clock.advance(10_000);
    expect(await busy.ended('one')).toMatchObject({ type: 'error', code: 'shutting_down' });
    expect((await busy.untilClosed()).code).toBe(4503);
    await closing;
    await expect(bench.open()).rejects.toMatchObject({ status: 503 });
  });

  test('in a drain each socket closes with its own last answer, not with the last of all', async () => {
    const bench = await startSockets();
    bench.ollama.fake.script([say('a'), stall()], { times: 2 });
    const [short, long] = [await bench.open(), await bench.open()];
    short.send(chatFrame('one'));
    await short.until(() => short.text('one') === 'a');
    long.send(chatFrame('two', 1000, 'Hello', { model: 'stand-in-thinking' }));
    await long.until(() => long.text('two') === 'a');
    const closing = bench.kit.close({ drainMs: 10_000 });
    short.send({ type: 'cancel', id: 'one' });
    expect((await short.untilClosed()).code).toBe(4503);
    expect(long.closed).toBeUndefined();
    await bench.clock.advance(10_000);
    await closing;
  });

  test('a thousand requests on one socket leave nothing behind', async () => {
    const bench = await startSockets({
      limits: { requestsPerMinute: Infinity, requestsPerMinutePerAddress: Infinity },
    });
    const client = await bench.open();
    for (let at = 0; at < 1000; at++) {
      client.send({
        id: `r${at}`,
        type: 'generate',
        request: { model: 'stand-in', prompt: 'x', options: { num_predict: 1 } },
        credit: 99,
      });
      await client.ended(`r${at}`);
      client.events.clear();
      client.frames.length = 0;
      await bench.clock.advance(20);
    }
    await until(() => bench.kit.gauges().timers === 0 && bench.kit.gauges().openUpstream === 0);
    expect(bench.kit.gauges()).toEqual({
      activeRequests: 0,
      openUpstream: 0,
      timers: 0,
      queued: 0,
      sockets: 1,
    });
  });
});
