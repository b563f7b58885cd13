import { createManualClock } from '@ziggie/llm-testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket as NodeSocket } from 'ws';
import { done, failureOf, question, start, text } from '../../test/samples.ts';
import { type Frame, type ServerSide, serveSockets } from '../../test/scripted-socket-server.ts';
import {
  type ChatEvent,
  type ClientOptions,
  ConnectionError,
  createClient,
  HttpError,
  StreamError,
} from '../index.ts';
import { type OpenWebSocket, type WebSocketTransportOptions, webSocketTransport } from '../websocket.ts';

const open: OpenWebSocket = (url, protocols, headers) => new NodeSocket(url, [...protocols], { headers });

function clientFor(
  url: string,
  options: Partial<ClientOptions> = {},
  socket: WebSocketTransportOptions = { open },
) {
  const transport = webSocketTransport(socket);
  onTestFinished(() => transport.close());
  return createClient({ baseUrl: url, transport, retry: { maxAttempts: 1 }, ...options });
}

const ask = (model: string) => ({ ...question, model });
const isQuestion = (frame: Frame) => frame.type === 'chat' || frame.type === 'generate';
const answering = (...words: string[]) => ({
  onFrame: (side: ServerSide, frame: Frame) => isQuestion(frame) && side.answer(frame.id, ...words),
});

describe('an answer over a WebSocket', () => {
  test('has the events of HTTP, and the request the body of HTTP', async () => {
    const server = await serveSockets(answering('Hel', 'lo'));
    const events: ChatEvent[] = [];
    for await (const event of clientFor(server.url).chat(question)) events.push(event);
    expect(events).toMatchObject([start, text('Hel'), text('lo'), { type: 'done', finishReason: 'stop' }]);
    const frame = await (await server.opened(1)).frame('chat');
    expect(frame).toMatchObject({
      type: 'chat',
      request: { model: 'm', messages: question.messages, stream: true },
    });
    expect(frame.credit).toBeGreaterThan(0);
  });

  test('generate goes over the socket too; lists and status go over HTTP', async () => {
    const server = await serveSockets(answering('ok'));
    const client = clientFor(server.url);
    expect(await client.generate({ model: 'm', prompt: 'Hi' }).text()).toBe('ok');
    expect(await (await server.opened(1)).frame('generate')).toMatchObject({ request: { prompt: 'Hi' } });
    expect(await failureOf(client.status())).toMatchObject({ code: 'not_found' });
  });

  test('F116: answers that come mixed up on one socket are told apart', async () => {
    const server = await serveSockets();
    const client = clientFor(server.url);
    const models = ['a', 'b', 'c'];
    const texts = models.map((model) => client.chat(ask(model)).text());
    const side = await server.opened(1);
    await side.frame('chat', 3);
    const asked = side.frames.filter(isQuestion);
    expect(new Set(asked.map(({ id }) => id)).size).toBe(3);
    for (const { id } of asked) side.event(id, 0, start);
    for (let seq = 1; seq <= 20; seq++) {
      for (const { id, request } of asked) side.event(id, seq, text(`${request?.model}-${seq} `));
    }
    for (const { id } of asked.toReversed()) side.event(id, 21, done);
    for (const [at, model] of models.entries()) {
      expect(await texts[at]).toBe(Array.from({ length: 20 }, (_, seq) => `${model}-${seq + 1} `).join(''));
    }
    expect(server.sockets).toHaveLength(1);
  });

  test('aborting one of fifty touches no other', async () => {
    const server = await serveSockets();
    const client = clientFor(server.url);
    const streams = Array.from({ length: 50 }, (_, at) => client.chat(ask(`m${at}`)));
    const texts = streams.map((stream) => stream.text());
    const side = await server.opened(1);
    await side.frame('chat', 50);
    streams[7]?.abort('enough');
    expect(await failureOf(texts[7] as Promise<string>)).toMatchObject({ code: 'aborted', cause: 'enough' });
    const cancelled = await side.frame('cancel');
    const asked = side.frames.filter(isQuestion);
    expect(asked.find(({ request }) => request?.model === 'm7')?.id).toBe(cancelled.id);
    for (const { id } of asked) side.answer(id, 'ok');
    const kept = texts.filter((_, at) => at !== 7);
    expect(await Promise.all(kept)).toEqual(kept.map(() => 'ok'));
    expect(side.frames.filter(({ type }) => type === 'cancel')).toHaveLength(1);
  });

  test('leaving the loop cancels the request', async () => {
    const server = await serveSockets();
    const stream = clientFor(server.url).chat(question);
    void server.opened(1).then(async (side) => {
      const { id } = await side.frame('chat');
      side.event(id, 0, start);
      side.event(id, 1, text('a'));
    });
    for await (const event of stream) if (event.type === 'text-delta') break;
    const side = await server.opened(1);
    expect((await side.frame('cancel')).id).toBe((await side.frame('chat')).id);
  });

  test('leaving before the socket is open sends nothing', async () => {
    const server = await serveSockets();
    const stream = clientFor(server.url).chat(question);
    const failure = failureOf(stream.text());
    stream.abort();
    expect(await failure).toMatchObject({ code: 'aborted' });
    await clientFor(server.url)
      .chat(question, { signal: AbortSignal.abort() })
      .text()
      .catch(() => {});
    expect(server.sockets.flatMap(({ frames }) => frames)).toEqual([]);
  });

  test('a slow reader lets at most 64 events come ahead, and a quick one is never short', async () => {
    let granted = 0;
    let sent = 0;
    let id: string | undefined;
    const total = 1_000;
    const fill = (side: ServerSide) => {
      for (; sent < granted && sent < total; sent++)
        side.event(id, sent, sent === 0 ? start : text(`${sent} `));
      if (sent === total) {
        sent++;
        side.event(id, total, done);
      }
    };
    const server = await serveSockets({
      onFrame(side, frame) {
        id = frame.id;
        granted += frame.credit ?? 0;
        fill(side);
      },
    });
    let taken = 0;
    let ahead = 0;
    for await (const event of clientFor(server.url).chat(question)) {
      if (event.type === 'done') break;
      taken++;
      ahead = Math.max(ahead, Math.min(sent, total) - taken);
      // Lets everything arrive that is on its way.
      if (taken % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(taken).toBe(total);
    expect(ahead).toBeGreaterThan(8);
    expect(ahead).toBeLessThanOrEqual(64);
  });

  test('a server that sends without being asked cannot fill the memory: the request ends, the socket lives on', async () => {
    const server = await serveSockets({
      onFrame(side, { id, type, request }) {
        if (type !== 'chat') return;
        if (request?.model === 'tame') return side.answer(id, 'ok');
        side.event(id, 0, start);
        for (let seq = 1; seq < 5_000; seq++) side.event(id, seq, text('x'));
      },
    });
    const client = clientFor(server.url);
    const reading = async () => {
      for await (const _ of client.chat(ask('wild'))) await (await server.opened(1)).frame('cancel');
    };
    const failure = await failureOf(reading());
    expect(failure).toMatchObject({ code: 'response_too_large' });
    expect(await client.chat(ask('tame')).text()).toBe('ok');
    expect(server.sockets).toHaveLength(1);
  });

  test('every event as a frame of its own or in an unusual form reads the same', async () => {
    const server = await serveSockets({
      onFrame({ socket }, { id }) {
        socket.send(`{ "event": ${JSON.stringify({ seq: 0, ...start })}, "id": "${id}" }`);
        socket.send(JSON.stringify({ id, event: { seq: 1, type: 'text-delta', text: '","event":{}}' } }));
        socket.send(JSON.stringify({ type: 'news' }));
        socket.send(JSON.stringify({ id: 'nobody', event: { type: 'text-delta', text: 'x', seq: 7 } }));
        socket.send(
          JSON.stringify({
            id,
            event: { seq: 2, type: 'tool-call', id: 'c', name: 'f', arguments: { type: 'done' } },
          }),
        );
        socket.send(JSON.stringify({ id, event: { ...done, seq: 3 } }));
      },
    });
    const result = await clientFor(server.url).chat(question).final();
    expect(result).toMatchObject({ text: '","event":{}}', toolCalls: [{ arguments: { type: 'done' } }] });
  });
});

describe('signing in', () => {
  test('a socket that takes headers gets the token with the upgrade, never in the address', async () => {
    const server = await serveSockets(answering('ok'));
    await clientFor(server.url, { credentials: 'secret-token' }).chat(question).text();
    const { upgrade } = await server.opened(1);
    expect(upgrade.headers.authorization).toBe('Bearer secret-token');
    expect(upgrade.headers['sec-websocket-protocol']).toBe('ziggie.v1');
    expect(upgrade.url).toBe('/ws');
    expect(server.tickets).toEqual([]);
  });

  test('the platform’s own WebSocket gets a ticket of one use', async () => {
    const server = await serveSockets(answering('ok'));
    const client = clientFor(server.url, { credentials: 'secret-token' }, {});
    expect(await Promise.all([client.chat(question).text(), client.chat(question).text()])).toEqual([
      'ok',
      'ok',
    ]);
    expect(server.tickets).toEqual([{ authorization: 'Bearer secret-token', ticket: 't1' }]);
    const { upgrade } = await server.opened(1);
    expect(upgrade.headers['sec-websocket-protocol']?.split(/, ?/)).toEqual(['ziggie.v1', 'ticket.t1']);
    expect(upgrade.headers.authorization).toBeUndefined();
    expect(upgrade.url).toBe('/ws');
  });

  test('without a token no ticket is asked for', async () => {
    const server = await serveSockets(answering('ok'));
    expect(await clientFor(server.url, {}, {}).chat(question).text()).toBe('ok');
    expect(server.tickets).toEqual([]);
  });

  test('another token gets another socket', async () => {
    const server = await serveSockets(answering('ok'));
    let token = 'ann';
    const client = clientFor(server.url, { credentials: () => token });
    await client.chat(question).text();
    token = 'bob';
    await client.chat(question).text();
    await client.chat(question).text();
    expect(server.sockets.map(({ upgrade }) => upgrade.headers.authorization)).toEqual([
      'Bearer ann',
      'Bearer bob',
    ]);
  });

  test('F115: a token that ends while the socket is open is asked for anew, once', async () => {
    const server = await serveSockets({
      onFrame(side, frame) {
        if (side.upgrade.headers.authorization === 'Bearer old') side.socket.close(4401, 'ended');
        else if (isQuestion(frame)) side.answer(frame.id, 'ok');
      },
    });
    let asked = 0;
    const client = clientFor(server.url, { credentials: () => (asked++ === 0 ? 'old' : 'new') });
    expect(await client.chat(question).text()).toBe('ok');
    expect(asked).toBe(2);
  });

  test.each([
    [401, 'unauthorized'],
    [403, 'forbidden'],
    [503, 'server_busy'],
    [200, 'malformed_record'],
    [302, 'malformed_record'],
  ])('F114: an upgrade refused with %i is %s', async (status, code) => {
    const server = await serveSockets({ refuse: () => status });
    const error = await failureOf(
      clientFor(server.url, { retry: { baseMs: 0 } })
        .chat(question)
        .text(),
    );
    expect(error).toBeInstanceOf(HttpError);
    expect(error).toMatchObject({ code, status, attempts: { length: status === 503 ? 3 : 1 } });
  });

  test('a refused ticket is what HTTP says it is', async () => {
    const server = await serveSockets({ ticketAnswer: { status: 403, body: '' } });
    const error = await failureOf(
      clientFor(server.url, { credentials: 'secret-token' }, {}).chat(question).text(),
    );
    expect(error).toMatchObject({ code: 'forbidden', status: 403 });
    expect(JSON.stringify(error) + String(error)).not.toContain('secret-token');
  });

  test.each(['', '{}', '{"ticket":"a b"}', '{"ticket":7}', '<html>'])(
    'an answer without a ticket is told: %j',
    async (body) => {
      const server = await serveSockets({ ticketAnswer: { status: 200, body } });
      const error = await failureOf(
        clientFor(server.url, { credentials: 'secret-token' }, {}).chat(question).text(),
      );
      expect(error).toMatchObject({ code: 'malformed_record', retryable: false });
    },
  );
});

describe('a socket that fails', () => {
  test.each([
    [4401, 'unauthorized', HttpError],
    [4403, 'forbidden', HttpError],
    [4408, 'truncated', StreamError],
    [4429, 'rate_limited', HttpError],
    [4503, 'shutting_down', HttpError],
    [1001, 'truncated', StreamError],
    [1009, 'payload_too_large', HttpError],
    [1011, 'truncated', StreamError],
    [1012, 'truncated', StreamError],
    [1013, 'truncated', StreamError],
  ])('F111: closed with %i in an answer is %s, with what had come', async (closeCode, code, type) => {
    const server = await serveSockets({
      onFrame({ event, socket }, { id }) {
        event(id, 0, start);
        event(id, 1, text('so far'));
        socket.close(closeCode);
      },
    });
    const error = await failureOf(clientFor(server.url).chat(question).text());
    expect(error).toBeInstanceOf(type);
    expect(error).toMatchObject({ code, partial: { text: 'so far' } });
    if (closeCode === 1012 || closeCode === 1013) expect(error).toMatchObject({ retryable: true });
    expect(String(error)).toContain(`${closeCode}`);
  });

  test('cut without a word: every answer on it breaks, and the next question opens another', async () => {
    const server = await serveSockets();
    const client = clientFor(server.url);
    const failures = [failureOf(client.chat(question).text()), failureOf(client.chat(question).text())];
    const side = await server.opened(1);
    await side.frame('chat', 2);
    for (const { id } of side.frames) {
      side.event(id, 0, start);
      side.event(id, 1, text('a'));
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
    server.cut();
    for (const failure of failures) {
      expect(await failure).toMatchObject({ code: 'truncated', retryable: true, partial: { text: 'a' } });
    }
    const again = client.chat(question).text();
    const second = await server.opened(2);
    second.answer((await second.frame('chat')).id, 'ok');
    expect(await again).toBe('ok');
  });

  test('before the first token it is retried over a new socket', async () => {
    const server = await serveSockets({
      onFrame(side, frame) {
        if (server.sockets.length === 1) side.socket.close(1012);
        else side.answer(frame.id, 'ok');
      },
    });
    const { text: words, attempts } = await clientFor(server.url, { retry: { baseMs: 0 } })
      .chat(question)
      .final();
    expect(words).toBe('ok');
    expect(attempts.map(({ code }) => code)).toEqual(['truncated', undefined]);
  });

  test('an error event is the error it says', async () => {
    const server = await serveSockets({
      onFrame: ({ event }, { id }) =>
        event(id, 0, {
          type: 'error',
          code: 'queue_full',
          message: 'The line is full.',
          status: 503,
          retryable: true,
          retryAfterMs: 7,
        }),
    });
    const error = await failureOf(clientFor(server.url).chat(question).text());
    expect(error).toMatchObject({ code: 'queue_full', status: 503, retryAfterMs: 7 });
  });

  test('a gap in the numbers is an error', async () => {
    const server = await serveSockets({
      onFrame({ event }, { id }) {
        event(id, 0, start);
        event(id, 2, text('b'));
      },
    });
    expect(await failureOf(clientFor(server.url).chat(question).text())).toMatchObject({
      code: 'malformed_record',
    });
  });

  test.each([['garbage'], ['[]'], [Buffer.from([1, 2])]])(
    'F113: a frame that is none ends the socket: %j',
    async (data) => {
      const server = await serveSockets({ onFrame: ({ socket }) => socket.send(data) });
      expect(await failureOf(clientFor(server.url).chat(question).text())).toMatchObject({
        code: 'malformed_record',
      });
      expect(await (await server.opened(1)).closed).toBe(1000);
    },
  );

  test('nobody listens: cannot be reached', async () => {
    const error = await failureOf(clientFor('http://127.0.0.1:9').chat(question).text());
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ code: 'connect_failed', phase: 'connect' });
  });
});

describe('signs of life', () => {
  test('F112: a peer that is silent for 60 s is dead; pings go out before', async () => {
    const clock = createManualClock();
    const server = await serveSockets();
    const failure = failureOf(
      clientFor(server.url, { clock, timeouts: { firstTokenMs: Infinity } })
        .chat(question)
        .text(),
    );
    const side = await server.opened(1);
    await side.frame('chat');
    await clock.advance(30_000);
    await side.frame('ping');
    await clock.advance(29_999);
    expect(side.socket.readyState).toBe(NodeSocket.OPEN);
    await clock.advance(1);
    expect(await failure).toMatchObject({
      code: 'connect_failed',
      message: expect.stringContaining('silent for 60 s'),
    });
  });

  test('a peer that falls silent in the middle is dead 60 s after its last word, not at a later ping', async () => {
    const clock = createManualClock();
    const server = await serveSockets();
    const stream = clientFor(server.url, { clock, timeouts: { idleMs: Infinity } }).chat(question);
    const reading = stream[Symbol.asyncIterator]();
    const first = reading.next();
    const side = await server.opened(1);
    const { id } = await side.frame('chat');
    await clock.advance(20_000);
    side.event(id, 0, start);
    await first;
    const failure = failureOf(reading.next());
    await clock.advance(59_999);
    expect(side.socket.readyState).toBe(NodeSocket.OPEN);
    await clock.advance(1);
    expect(await failure).toMatchObject({ code: 'connect_failed' });
  });

  test('a peer that answers pings stays, and answers after a long silence', async () => {
    const clock = createManualClock();
    const server = await serveSockets({
      onFrame: ({ socket }, { type }) => type === 'ping' && socket.send('{"type":"pong"}'),
    });
    const words = clientFor(server.url, { clock }).chat(question).text();
    const side = await server.opened(1);
    const { id } = await side.frame('chat');
    for (let count = 1; count <= 10; count++) {
      await clock.advance(30_000);
      await side.frame('ping', count);
      // The pong travels over a real socket.
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    side.answer(id, 'at last');
    expect(await words).toBe('at last');
  });

  test('a socket without requests closes after its time, and leaves no timer', async () => {
    const clock = createManualClock();
    const server = await serveSockets(answering('ok'));
    const client = clientFor(server.url, { clock }, { open, idleCloseMs: 5_000 });
    await client.chat(question).text();
    const side = await server.opened(1);
    await clock.advance(4_999);
    expect(await client.chat(question).text()).toBe('ok');
    await clock.advance(4_999);
    expect(side.socket.readyState).toBe(NodeSocket.OPEN);
    await clock.advance(1);
    expect(await side.closed).toBe(1000);
    expect(clock.pending).toBe(0);
  });
});

describe('webSocketTransport()', () => {
  test('close() ends what runs', async () => {
    const server = await serveSockets();
    const transport = webSocketTransport({ open });
    const client = createClient({ baseUrl: server.url, transport });
    const failure = failureOf(client.chat(question).text());
    await (await server.opened(1)).frame('chat');
    transport.close();
    expect(await failure).toMatchObject({ code: 'connect_failed', retryable: false });
  });

  test('wrong uses throw at once', () => {
    expect(() => webSocketTransport({ idleCloseMs: -1 })).toThrow(TypeError);
    expect(() => createClient({ baseUrl: 'http://h', transport: { close() {} } })).toThrow(TypeError);
    expect(() =>
      createClient({ baseUrl: 'http://h', target: 'ollama', transport: webSocketTransport() }),
    ).toThrow(TypeError);
  });
});
