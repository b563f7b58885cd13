import { describe, expect, test } from 'vitest';
import { instantClock, noTimeouts } from '../../test/clock.ts';
import { done, failureOf, last, piece, question, start, text } from '../../test/samples.ts';
import {
  type Answer,
  events,
  hangUp,
  lines,
  linesThenHangUp,
  reply,
  serve,
} from '../../test/scripted-server.ts';
import type { ChatEvent, ClientOptions } from '../index.ts';
import { createClient, HttpError } from '../index.ts';

const good = lines(piece('Hi'), last);

/** A client without real waits that uses half of every possible wait. */
function patient(url: string, more: Partial<ClientOptions> = {}) {
  const clock = instantClock();
  const client = createClient({
    baseUrl: url,
    target: 'ollama',
    clock,
    random: () => 0.5,
    timeouts: noTimeouts,
    ...more,
  });
  return { client, waits: clock.waits };
}

const mended: [string, Answer, object][] = [
  ['408', reply(408, ''), { status: 408, code: 'first_token_timeout' }],
  ['429', reply(429, ''), { status: 429, code: 'rate_limited' }],
  ['500 without words', reply(500, ''), { status: 500, code: 'internal_error' }],
  ['502 with a page', reply(502, '<html>'), { status: 502, code: 'upstream_error' }],
  [
    '503 busy',
    reply(503, '{"error":"server busy, please try again."}'),
    { status: 503, code: 'server_busy' },
  ],
  ['504', reply(504, ''), { status: 504, code: 'first_token_timeout' }],
  ['a connection that is cut before the answer', hangUp, { code: 'connect_failed' }],
  ['an empty answer', lines(), { status: 200, code: 'truncated' }],
  [
    'an error line in place of the answer',
    lines({ error: 'runner has unexpectedly stopped' }),
    { status: 200, code: 'runner_crashed' },
  ],
  ['an end before the first token', lines(piece('')), { status: 200, code: 'truncated' }],
  ['a reset before the first token', linesThenHangUp(piece('')), { status: 200, code: 'truncated' }],
  [
    'a corrupt record before the first token',
    reply(200, 'oops\n'),
    { status: 200, code: 'malformed_record' },
  ],
];

test.each(mended)('%s is tried again', async (_, answer, attempt) => {
  const server = await serve(answer, good);
  const { client, waits } = patient(server.url);
  const result = await client.chat(question).final();
  expect(result.text).toBe('Hi');
  expect(result.attempts).toEqual([
    { number: 1, ...attempt, durationMs: expect.any(Number) },
    { number: 2, status: 200, durationMs: expect.any(Number) },
  ]);
  // Half of 0.25 s * 2^1.
  expect(waits[0]).toBe(250);
});

const lasting: [string, Answer, string][] = [
  ['400', reply(400, '{"error":"model is required"}'), 'bad_request'],
  ['401', reply(401, ''), 'unauthorized'],
  ['403', reply(403, ''), 'forbidden'],
  ['404 for a model', reply(404, '{"error":"model \'m\' not found"}'), 'model_not_found'],
  ['404', reply(404, '404 page not found'), 'not_found'],
  ['405', reply(405, ''), 'method_not_allowed'],
  ['413', reply(413, ''), 'payload_too_large'],
  ['422', reply(422, ''), 'bad_request'],
  [
    '500 for a wrong option',
    reply(500, '{"error":"option \\"seed\\" must be of type integer"}'),
    'bad_request',
  ],
  [
    '500 for a model that does not fit',
    reply(500, '{"error":"model requires more system memory (9) than is available (4)"}'),
    'out_of_memory',
  ],
  [
    'a capability that is missing',
    reply(400, '{"error":"m does not support tools"}'),
    'capability_unsupported',
  ],
  [
    'a context that is too long',
    lines({ error: 'the input length exceeds the context length' }),
    'context_overflow',
  ],
];

test.each(lasting)('%s is never tried again', async (_, answer, code) => {
  const server = await serve(answer, good);
  const { client } = patient(server.url);
  expect(await failureOf(client.chat(question).text())).toMatchObject({
    code,
    attempts: [{ number: 1, code }],
  });
  expect(server.exchanges).toHaveLength(1);
});

test('a dead server: three attempts with growing waits, then connect_failed', async () => {
  const server = await serve(good);
  await server.close();
  const { client, waits } = patient(server.url);
  const error = await failureOf(client.chat(question).text());
  expect(error).toMatchObject({
    code: 'connect_failed',
    reason: 'ECONNREFUSED',
    phase: 'connect',
    retryable: true,
  });
  expect((error as HttpError).attempts).toHaveLength(3);
  expect(waits).toEqual([250, 500]);
});

test('maxAttempts of the call wins over that of the client', async () => {
  const server = await serve(reply(503, ''));
  const { client } = patient(server.url, { retry: { maxAttempts: 5 } });
  await failureOf(client.chat(question).text());
  expect(server.exchanges).toHaveLength(5);
  await failureOf(client.chat(question, { retry: { maxAttempts: 2 } }).text());
  expect(server.exchanges).toHaveLength(7);
});

test('the try after a 401 with a new token does not count', async () => {
  const server = await serve(reply(401, ''), reply(503, ''), reply(503, ''), good);
  const { client, waits } = patient(server.url, { credentials: () => 'tok' });
  expect((await client.chat(question).final()).attempts).toMatchObject([
    { status: 401 },
    { status: 503 },
    { status: 503 },
    { number: 4, status: 200 },
  ]);
  expect(waits.slice(0, 2)).toEqual([250, 500]);
});

test('TLS that cannot work is not tried again', async () => {
  const server = await serve(good);
  const { client } = patient(server.url.replace('http:', 'https:'));
  const error = await failureOf(client.chat(question).text());
  expect(error).toMatchObject({
    code: 'connect_failed',
    reason: 'EPROTO',
    retryable: false,
    attempts: [{ number: 1 }],
  });
});

test('lists are tried again too', async () => {
  const server = await serve(reply(503, ''), hangUp, reply(200, '{"version":"1"}'));
  const { client, waits } = patient(server.url);
  expect(await client.status()).toEqual({ status: 'ok', version: '1' });
  expect(waits).toEqual([250, 500]);
});

describe('Retry-After', () => {
  test.each([
    ['seconds', { 'Retry-After': '7' }, 7_000],
    [
      'a date',
      { 'Retry-After': 'Wed, 21 Oct 2026 07:28:09 GMT', Date: 'Wed, 21 Oct 2026 07:28:00 GMT' },
      9_000,
    ],
    ['the longest that is obeyed', { 'Retry-After': '60' }, 60_000],
  ])('in %s is obeyed', async (_, headers, wait) => {
    const server = await serve(reply(503, '', headers), good);
    const { client, waits } = patient(server.url);
    expect(await client.chat(question).text()).toBe('Hi');
    expect(waits[0]).toBe(wait);
  });

  test('of a problem, in milliseconds, wins over the header', async () => {
    const problem = {
      type: 't',
      title: 't',
      status: 503,
      detail: 'Full.',
      code: 'queue_full',
      retryable: true,
      requestId: 'r',
      retryAfterMs: 1_234,
    };
    const server = await serve(
      reply(503, JSON.stringify(problem), { 'Retry-After': '2' }),
      events(start, text('Hi'), done),
    );
    const { client, waits } = patient(server.url, { target: 'kit' });
    expect(await client.chat(question).text()).toBe('Hi');
    expect(waits[0]).toBe(1_234);
  });

  test('beyond a minute fails at once and tells when', async () => {
    const server = await serve(reply(429, '', { 'Retry-After': '61' }), good);
    const { client, waits } = patient(server.url);
    const error = await failureOf(client.chat(question).text());
    expect(error).toMatchObject({ code: 'rate_limited', retryable: true, retryAfterMs: 61_000 });
    expect(waits).toEqual([]);
    expect(server.exchanges).toHaveLength(1);
  });
});

describe('the commit point is the first piece of the answer', () => {
  test.each([
    ['text', piece('Hi')],
    ['thinking', piece('', { message: { content: '', thinking: 'Hm.' } })],
    [
      'a tool call',
      piece('', {
        message: { content: '', tool_calls: [{ id: 'a', function: { name: 'f', arguments: {} } }] },
      }),
    ],
  ])('after %s nothing is tried again', async (_, first) => {
    const server = await serve(lines(first), good);
    const { client } = patient(server.url);
    expect(await failureOf(client.chat(question).text())).toMatchObject({
      code: 'truncated',
      phase: 'stream',
    });
    expect(server.exchanges).toHaveLength(1);
  });

  test('a failure in the same chunk as the first token comes after it and is final', async () => {
    const server = await serve(lines(piece('Hi'), { error: 'runner has unexpectedly stopped' }), good);
    const { client } = patient(server.url);
    const seen: ChatEvent[] = [];
    const error = await failureOf(
      (async () => {
        for await (const event of client.chat(question)) seen.push(event);
      })(),
    );
    expect(seen.map(({ type }) => type)).toEqual(['start', 'text-delta']);
    expect(error).toBeInstanceOf(HttpError);
    expect(error).toMatchObject({ code: 'runner_crashed', partial: { text: 'Hi' } });
    expect(server.exchanges).toHaveLength(1);
  });

  test('start, queued and loading of a failed attempt stay visible, the answer is that of the last one', async () => {
    const busy = { type: 'error', code: 'server_busy', message: 'Busy.', status: 503, retryable: true };
    const server = await serve(
      events(start, { type: 'queued', position: 1, of: 1, etaMs: null }, busy),
      events({ ...start, id: 'run-2' }, text('Hi'), done),
    );
    const { client } = patient(server.url, { target: 'kit' });
    const seen: ChatEvent[] = [];
    for await (const event of client.chat(question)) seen.push(event);
    expect(seen.map(({ type }) => type)).toEqual(['start', 'queued', 'start', 'text-delta', 'done']);
  });
});
