import { describe, expect, expectTypeOf, test } from 'vitest';
import { done, failureOf, last, piece, question, start, text } from '../test/samples.ts';
import { events, lines, reply, serve } from '../test/scripted-server.ts';
import type { ChatEvent, ClientOptions } from './index.ts';
import { createClient, HttpError, StreamError } from './index.ts';

const ollama = (url: string, more: Partial<ClientOptions> = {}) =>
  createClient({ baseUrl: url, target: 'ollama', ...more });

async function collect(stream: AsyncIterable<ChatEvent>): Promise<ChatEvent[]> {
  const seen: ChatEvent[] = [];
  for await (const event of stream) seen.push(event);
  return seen;
}

describe('against Ollama', () => {
  test('chat() yields the events of the answer, start included', async () => {
    const server = await serve(lines(piece('Hel'), piece('lo'), last));
    const seen = await collect(ollama(server.url).chat(question));
    expect(seen).toEqual([
      { type: 'start', id: expect.any(String), model: 'm', upstreamModel: 'm', resumable: false },
      { type: 'text-delta', text: 'Hel' },
      { type: 'text-delta', text: 'lo' },
      { type: 'usage', inputTokens: 3, outputTokens: 2, source: 'upstream' },
      {
        type: 'done',
        finishReason: 'stop',
        timings: { totalMs: 5, queueMs: 1, loadMs: 1, prefillMs: 1, decodeMs: 2, ttftMs: expect.any(Number) },
      },
    ]);
    expectTypeOf(seen).toEqualTypeOf<ChatEvent[]>();
  });

  test('final() is the whole answer', async () => {
    const server = await serve(
      lines(piece('', { message: { content: '', thinking: 'Hm.' } }), piece('Hi'), last),
    );
    expect(await ollama(server.url).chat(question).final()).toEqual({
      text: 'Hi',
      thinking: 'Hm.',
      toolCalls: [],
      finishReason: 'stop',
      usage: { inputTokens: 3, outputTokens: 2, source: 'upstream' },
      timings: expect.objectContaining({ totalMs: 5 }),
      model: 'm',
      attempts: [{ number: 1, status: 200, durationMs: expect.any(Number) }],
      stats: {
        totalMs: 5,
        queueMs: 1,
        loadMs: 1,
        prefillMs: 1,
        decodeMs: 2,
        ttftMs: expect.any(Number),
        tokensPerSecond: 1_000,
        chunks: expect.any(Number),
        bytes: expect.any(Number),
        attempts: 1,
      },
    });
  });

  test('generate() asks /api/generate', async () => {
    const server = await serve(
      lines({ model: 'm', response: 'Hi', done: false }, { response: '', done: true }),
    );
    expect(await ollama(server.url).generate({ model: 'm', prompt: 'p', system: 's' }).text()).toBe('Hi');
    expect(server.exchanges[0]?.request.url).toBe('/api/generate');
    expect(JSON.parse(server.exchanges[0]?.body ?? '')).toEqual({
      model: 'm',
      prompt: 'p',
      system: 's',
      stream: true,
    });
  });

  test('only Content-Type and Authorization are sent, whatever headers are given', async () => {
    const server = await serve(lines(piece('Hi'), last), reply(200, '{"version":"0.33.0"}'));
    const client = ollama(server.url, { headers: { 'X-Mine': '1' }, credentials: 'tok' });
    await client.chat(question, { headers: { 'X-Call': '1' } }).text();
    await client.status();
    const sent = server.exchanges.map(({ request }) =>
      request.rawHeaders.filter((_, index) => index % 2 === 0),
    );
    // Host, Connection and Content-Length belong to HTTP itself.
    expect(sent).toEqual([
      ['content-type', 'authorization', 'content-length', 'Host', 'Connection'],
      ['authorization', 'Host', 'Connection'],
    ]);
    expect(server.exchanges[0]?.request.headers.authorization).toBe('Bearer tok');
  });

  test('models.list() joins what is there with what is loaded', async () => {
    const tags = { models: [{ name: 'a:latest', model: 'a:latest', size: 5, details: { family: 'f' } }] };
    const ps = { models: [{ model: 'a:latest', size_vram: 4, expires_at: 'later', context_length: 4096 }] };
    const server = await serve(reply(200, JSON.stringify(tags)), reply(200, JSON.stringify(ps)));
    expect(await ollama(server.url).models.list()).toEqual([
      expect.objectContaining({
        name: 'a:latest',
        aliases: ['a'],
        sizeBytes: 5,
        contextLength: 4096,
        loaded: { sizeVramBytes: 4, expiresAt: 'later' },
      }),
    ]);
    expect(server.exchanges.map(({ request }) => `${request.method} ${request.url}`)).toEqual([
      'GET /api/tags',
      'GET /api/ps',
    ]);
  });

  test('status() is ok when it tells its version', async () => {
    const server = await serve(reply(200, '{"version":"0.33.0"}'));
    expect(await ollama(server.url).status()).toEqual({ status: 'ok', version: '0.33.0' });
  });

  test('a body that is not the expected one is malformed_record', async () => {
    const server = await serve(reply(200, '{"hello":"world"}'), reply(200, 'hello'));
    const once = { retry: { maxAttempts: 1 } };
    expect(await failureOf(ollama(server.url, once).status())).toBeInstanceOf(StreamError);
    expect(await failureOf(ollama(server.url, once).models.list())).toMatchObject({
      code: 'malformed_record',
      attempts: [{ number: 1, status: 200, code: 'malformed_record' }],
    });
  });
});

describe('against the kit', () => {
  test('chat() yields the events of the wire without their numbers', async () => {
    const bodies = [
      start,
      { type: 'queued', position: 2, of: 3, etaMs: null },
      { type: 'loading', model: 'm', elapsedMs: 5, typicalMs: null },
      { type: 'thinking-delta', text: 'Hm.' },
      text('Hi'),
      { type: 'tool-call', id: 'c1', name: 'f', arguments: { a: 1 } },
      { type: 'usage', inputTokens: 1, outputTokens: 2, source: 'upstream' },
      { type: 'done', finishReason: 'tool_calls', timings: { ttftMs: 7, totalMs: 9 } },
    ];
    const server = await serve(events(...bodies));
    expect(await collect(createClient({ baseUrl: `${server.url}/api/llm/` }).chat(question))).toEqual(bodies);
    const { request, body } = server.exchanges[0] ?? expect.fail('nothing arrived');
    expect(`${request.method} ${request.url}`).toBe('POST /api/llm/chat');
    expect(request.headers).toMatchObject({
      accept: 'application/x-ndjson',
      'content-type': 'application/json',
    });
    expect(JSON.parse(body)).toEqual({ ...question, stream: true, resume: true });
  });

  test("final() carries the server's name for the request", async () => {
    const server = await serve(({ response }) => {
      response.setHeader('X-Request-Id', 'req-7');
      events(start, text('Hi'), done)({ response } as never);
    });
    const result = await createClient({ baseUrl: server.url }).chat(question).final();
    expect(result).toMatchObject({ text: 'Hi', model: 'm:latest', requestId: 'req-7' });
  });

  test("headers of client and call are sent, the call's win", async () => {
    const server = await serve(events(start, done));
    const client = createClient({ baseUrl: server.url, headers: { 'X-A': 'client', 'X-B': 'client' } });
    await client.chat(question, { headers: { 'X-B': 'call' } }).final();
    expect(server.exchanges[0]?.request.headers).toMatchObject({ 'x-a': 'client', 'x-b': 'call' });
  });

  test('headers that differ in case only are not doubled', async () => {
    const server = await serve(events(start, done));
    for (const fetch of [undefined, globalThis.fetch]) {
      const client = createClient({
        baseUrl: server.url,
        credentials: 'tok',
        headers: { ACCEPT: 'text/html', 'content-Type': 'text/plain', AUTHORIZATION: 'Basic x' },
        fetch,
      });
      await client.chat(question).final();
    }
    for (const { request } of server.exchanges) {
      expect(request.headers).toMatchObject({
        accept: 'application/x-ndjson',
        'content-type': 'application/json',
        authorization: 'Bearer tok',
      });
    }
  });

  test('types and members of a newer kit are passed over', async () => {
    const server = await serve(
      events(
        start,
        { type: 'mood', happy: true },
        { ...text('Hi'), colour: 'red' },
        { type: 'restart', attempt: 2 },
        done,
      ),
    );
    const seen = await collect(createClient({ baseUrl: server.url }).chat(question));
    expect(seen.map(({ type }) => type)).toEqual(['start', 'text-delta', 'done']);
    expect(seen[1]).toEqual(text('Hi'));
  });

  test.each([
    [
      'a missing number',
      [
        { ...start, seq: 0 },
        { ...text('a'), seq: 1 },
        { ...text('c'), seq: 3 },
      ],
    ],
    [
      'a repeated number',
      [
        { ...start, seq: 0 },
        { ...text('a'), seq: 1 },
        { ...text('a'), seq: 1 },
      ],
    ],
    ['a first number other than 0', [{ ...start, seq: 1 }]],
    ['no number', [{ ...start, seq: 0 }, text('a')]],
    ['no type', [{ seq: 0 }]],
    [
      'text that is no string',
      [
        { ...start, seq: 0 },
        { type: 'text-delta', text: 5, seq: 1 },
      ],
    ],
    ['a tool call without arguments', [{ type: 'tool-call', id: 'a', name: 'b', seq: 0 }]],
    ['a start without a model', [{ type: 'start', id: 'a', seq: 0 }]],
    ['usage without numbers', [{ type: 'usage', inputTokens: 'many', outputTokens: 1, seq: 0 }]],
    ['a done without timings', [{ type: 'done', finishReason: 'stop', seq: 0 }]],
  ])('%s is malformed_record', async (_, records) => {
    const server = await serve(lines(...records));
    const client = createClient({ baseUrl: server.url, retry: { maxAttempts: 1 } });
    const error = await failureOf(client.chat(question).text());
    expect(error).toBeInstanceOf(StreamError);
    expect(error).toMatchObject({ code: 'malformed_record' });
  });

  test('an error event is thrown as the same error an HTTP answer would give', async () => {
    const failure = {
      code: 'queue_full',
      status: 503,
      retryable: true,
      retryAfterMs: 2_000,
      requestId: 'req-1',
    };
    const problem = {
      type: 'urn:ziggie:error:queue_full',
      title: 't',
      detail: 'The line is full.',
      ...failure,
    };
    const server = await serve(
      events(start, { type: 'error', message: 'The line is full.', ...failure }),
      reply(503, JSON.stringify(problem), { 'Content-Type': 'application/problem+json' }),
    );
    const client = createClient({ baseUrl: server.url, retry: { maxAttempts: 1 } });
    const [inside, outside] = [
      await failureOf(client.chat(question).text()),
      await failureOf(client.chat(question).text()),
    ];
    expect(inside).toBeInstanceOf(HttpError);
    expect(inside).toMatchObject(failure);
    expect(outside).toBeInstanceOf(HttpError);
    expect(outside).toMatchObject({ ...failure, problem });
    expect((inside as Error).message).toContain('The line is full.');
    expect((outside as Error).message).toContain('The line is full.');
  });

  test('an error after words had arrived says that the answer broke off, not that the call failed', async () => {
    const failure = {
      type: 'error',
      code: 'truncated',
      message: 'The model went away.',
      status: 502,
      retryable: true,
    };
    const server = await serve(events(start, text('The beginning'), failure), events(start, failure));
    const client = createClient({ baseUrl: server.url, retry: { maxAttempts: 1 } });
    expect(await failureOf(client.chat(question).text())).toMatchObject({
      message: 'POST /chat broke off: The model went away.',
    });
    expect(await failureOf(client.chat(question).text())).toMatchObject({
      message: 'POST /chat failed: The model went away.',
    });
  });

  test('models.list() and status()', async () => {
    const models = [{ name: 'm:latest', aliases: [], loaded: null }];
    const server = await serve(
      reply(200, JSON.stringify({ models })),
      reply(200, '{"status":"degraded","version":"1"}'),
    );
    const client = createClient({ baseUrl: server.url });
    expect(await client.models.list()).toEqual(models);
    expect(await client.status()).toEqual({ status: 'degraded', version: '1' });
    expect(server.exchanges.map(({ request }) => `${request.method} ${request.url}`)).toEqual([
      'GET /models',
      'GET /status',
    ]);
    expect(server.exchanges[0]?.request.headers.accept).toBe('application/json');
  });

  test('a redirect is an error and is not followed, so the token stays home', async () => {
    const elsewhere = await serve(events(start, done));
    const server = await serve(reply(307, '', { Location: `${elsewhere.url}/chat` }));
    for (const fetch of [undefined, globalThis.fetch]) {
      const client = createClient({ baseUrl: server.url, credentials: 'tok', fetch });
      const error = await failureOf(client.chat(question).text());
      expect(error).toMatchObject({ code: 'not_found', status: 307, retryable: false });
      expect(error).toHaveProperty('message', expect.stringContaining('points elsewhere'));
    }
    expect(elsewhere.exchanges).toHaveLength(0);
    expect(server.exchanges).toHaveLength(2);
  });
});

describe('credentials', () => {
  const denied = reply(401, '{"error":"unauthorized"}');

  test('a function is asked again once after a 401', async () => {
    const server = await serve(denied, lines(piece('Hi'), last));
    let asked = 0;
    const client = ollama(server.url, { credentials: async () => `tok-${++asked}` });
    expect((await client.chat(question).final()).attempts).toMatchObject([
      { number: 1, status: 401, code: 'unauthorized' },
      { number: 2, status: 200 },
    ]);
    expect(server.exchanges.map(({ request }) => request.headers.authorization)).toEqual([
      'Bearer tok-1',
      'Bearer tok-2',
    ]);
  });

  test('it is asked again for lists too', async () => {
    const server = await serve(denied, reply(200, '{"version":"1"}'));
    const client = ollama(server.url, { credentials: () => 'tok', retry: { maxAttempts: 1 } });
    expect(await client.status()).toMatchObject({ status: 'ok' });
  });

  test('a second 401 is the end', async () => {
    const server = await serve(denied);
    const error = await failureOf(
      ollama(server.url, { credentials: () => 'tok' })
        .chat(question)
        .text(),
    );
    expect(error).toMatchObject({ code: 'unauthorized', status: 401, retryable: false });
    expect(server.exchanges).toHaveLength(2);
  });

  test('a fixed token is not tried twice', async () => {
    const server = await serve(denied);
    await failureOf(ollama(server.url, { credentials: 'tok' }).chat(question).text());
    expect(server.exchanges).toHaveLength(1);
  });

  test('a function that fails is unauthorized, with its error as cause', async () => {
    const server = await serve(denied);
    const cause = new Error('no session');
    const client = ollama(server.url, { credentials: () => Promise.reject(cause) });
    expect(await failureOf(client.chat(question).text())).toMatchObject({ code: 'unauthorized', cause });
    expect(server.exchanges).toHaveLength(0);
  });

  test('an empty token sends no Authorization', async () => {
    const server = await serve(lines(piece('Hi'), last));
    await ollama(server.url, { credentials: () => '' })
      .chat(question)
      .text();
    expect(server.exchanges[0]?.request.headers.authorization).toBeUndefined();
  });

  test('a token that no header can hold is refused without being shown', async () => {
    expect(() => ollama('http://host', { credentials: 'opensesame\nxyzzy' })).toThrow(TypeError);
    expect(() => ollama('http://host', { credentials: 'opensesame\nxyzzy' })).not.toThrow('xyzzy');
    const error = await failureOf(
      ollama('http://host', { credentials: () => 'opensesame\nxyzzy' })
        .chat(question)
        .text(),
    );
    expect(error).toMatchObject({ code: 'unauthorized' });
    expect(JSON.stringify([error, String(error), String((error as Error).cause)])).not.toContain('xyzzy');
  });
});

describe('wrong arguments throw TypeError before anything is sent', () => {
  test.each<[string, Partial<ClientOptions>]>([
    ['baseUrl', { baseUrl: 'ftp://host' }],
    ['framing', { framing: 'xml' as never }],
    ['target', { target: 'vllm' as never }],
    ['a negative timeout', { timeouts: { idleMs: -1 } }],
    ['a timeout that is no number', { timeouts: { totalMs: Number.NaN } }],
    ['no attempts', { retry: { maxAttempts: 0 } }],
    ['the name of a header', { headers: { 'a b': 'c' } }],
    ['the value of a header', { headers: { a: 'b\r\nX-Evil: 1' } }],
  ])('createClient(): %s', (_, options) => {
    expect(() => createClient({ baseUrl: 'http://host', ...options })).toThrow(TypeError);
  });

  test('chat() and generate()', () => {
    const client = createClient({ baseUrl: 'http://host' });
    expect(() => client.chat({ model: '', messages: [] })).toThrow(TypeError);
    expect(() => client.chat({ model: 'm' } as never)).toThrow(TypeError);
    expect(() => client.generate({ model: 'm' } as never)).toThrow(TypeError);
    expect(() => client.chat(question, { timeouts: { idleMs: '5' as never } })).toThrow(TypeError);
    expect(() => client.chat({ ...question, options: { seed: 1n as never } })).toThrow(TypeError);
  });
});
