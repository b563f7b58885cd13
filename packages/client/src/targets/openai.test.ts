import { describe, expect, test } from 'vitest';
import { failureOf, question } from '../../test/samples.ts';
import { reply, serve } from '../../test/scripted-server.ts';
import { createClient, HttpError, StreamError } from '../index.ts';

const sse = (...records: (object | string)[]): string =>
  records
    .map((record) => `data: ${typeof record === 'string' ? record : JSON.stringify(record)}\n\n`)
    .join('');
const chunk = (delta: object, finish_reason: string | null = null): object => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  model: 'served-model',
  choices: [{ index: 0, delta, finish_reason }],
});
const usage = { choices: [], usage: { prompt_tokens: 5, completion_tokens: 2 } };
const whole = sse(chunk({ content: 'Hel' }), chunk({ content: 'lo' }), chunk({}, 'stop'), usage, '[DONE]');
const stream = (body: string) => reply(200, body, { 'Content-Type': 'text/event-stream; charset=utf-8' });

function clientFor(baseUrl: string, more: object = {}) {
  return createClient({ baseUrl, target: 'openai', retry: { baseMs: 0 }, ...more });
}

describe('target openai', () => {
  test.each(['', '/', '/v1', '/v1/'])('chat over a base URL that ends in "%s"', async (end) => {
    const server = await serve(stream(whole));
    const client = clientFor(server.url + end, { credentials: 'sk-1' });
    const result = await client.chat(question).final();
    expect(result).toMatchObject({
      text: 'Hello',
      finishReason: 'stop',
      model: 'served-model',
      usage: { inputTokens: 5, outputTokens: 2, source: 'upstream' },
    });
    const { request, body } = await server.arrived(1);
    expect(request.url).toBe('/v1/chat/completions');
    expect(request.headers).toMatchObject({ accept: 'text/event-stream', authorization: 'Bearer sk-1' });
    expect(JSON.parse(body)).toMatchObject({
      model: 'm',
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  test.each([
    ['https://api.example/openai/v1', 'https://api.example/openai/v1'],
    ['https://api.example/v1beta/openai', 'https://api.example/v1beta/openai'],
    ['https://api.example/proxy', 'https://api.example/proxy/v1'],
  ])('the version in %s is left as it is', (given, used) => {
    expect(clientFor(given).baseUrl).toBe(used);
  });

  test('generate is a chat, and a plain completion where it must be', async () => {
    const completion = { id: 'cmpl-1', choices: [{ index: 0, text: 'b', finish_reason: 'stop' }] };
    const server = await serve(stream(whole), stream(sse(completion, '[DONE]')));
    const client = clientFor(server.url);
    expect(await client.generate({ model: 'm', prompt: 'Hi' }).text()).toBe('Hello');
    expect(await client.generate({ model: 'm', prompt: 'a', suffix: 'c' }).text()).toBe('b');
    expect(server.exchanges.map(({ request }) => request.url)).toEqual([
      '/v1/chat/completions',
      '/v1/completions',
    ]);
  });

  test('the list of models, and with it the status', async () => {
    const server = await serve(reply(200, '{"object":"list","data":[{"id":"a","max_model_len":4096}]}'));
    const client = clientFor(server.url);
    expect((await client.models.list()).map(({ name, contextLength }) => [name, contextLength])).toEqual([
      ['a', 4096],
    ]);
    expect(await client.status()).toEqual({ status: 'ok', version: '' });
    expect(server.exchanges.every(({ request }) => request.url === '/v1/models')).toBe(true);
  });

  test('a body that is no list of models is told', async () => {
    const server = await serve(reply(200, '{"ok":true}'));
    expect(await failureOf(clientFor(server.url).models.list())).toMatchObject({ code: 'malformed_record' });
  });

  test.each([
    ['the end of the body after a finish reason', sse(chunk({ content: 'Hi' }), chunk({}, 'stop'))],
    ['no blank line after the last event', sse(chunk({ content: 'Hi' }), chunk({}, 'stop')).trimEnd()],
    ['no content type but events', sse(chunk({ content: 'Hi' }, 'stop'), '[DONE]')],
    [
      'one whole answer',
      JSON.stringify({ choices: [{ message: { content: 'Hi' }, finish_reason: 'stop' }] }),
    ],
    ['comments and CRLF', `: hello\r\n\r\n${sse(chunk({ content: 'Hi' }, 'stop')).replaceAll('\n', '\r\n')}`],
  ])('%s is a good end', async (name, body) => {
    const server = await serve(name.startsWith('no content type') ? reply(200, body) : stream(body));
    expect(await clientFor(server.url).chat(question).text()).toBe('Hi');
  });

  test.each([
    ['no finish reason', sse(chunk({ content: 'Hi' }))],
    ['[DONE] without a finish reason', sse(chunk({ content: 'Hi' }), '[DONE]')],
    ['half an event', `${sse(chunk({ content: 'Hi' }))}data: {"cho`],
  ])('%s is a broken answer, with what had come', async (_, body) => {
    const server = await serve(stream(body));
    const error = await failureOf(
      clientFor(server.url, { retry: { maxAttempts: 1 } })
        .chat(question)
        .text(),
    );
    expect(error).toBeInstanceOf(StreamError);
    expect(error).toMatchObject({ code: 'truncated', partial: { text: 'Hi' } });
  });

  test('an error inside the stream, before the first token, is retried', async () => {
    const server = await serve(
      stream(sse({ error: { message: 'The engine is overloaded', type: 'server_error', code: 503 } })),
      stream(whole),
    );
    const { text, attempts } = await clientFor(server.url).chat(question).final();
    expect(text).toBe('Hello');
    expect(attempts.map(({ code }) => code)).toEqual(['server_busy', undefined]);
  });

  test('a failure has the code of its body', async () => {
    const body = { error: { message: 'The model `m` does not exist.', type: 'NotFoundError', code: 404 } };
    const server = await serve(reply(404, JSON.stringify(body)));
    const error = await failureOf(clientFor(server.url).chat(question).text());
    expect(error).toBeInstanceOf(HttpError);
    expect(error).toMatchObject({ code: 'model_not_found', status: 404, retryable: false });
    expect(String(error)).toContain('does not exist');
    expect(server.exchanges).toHaveLength(1);
  });

  test('200 with an error for a body is an error, not an empty answer', async () => {
    const server = await serve(
      reply(200, '{"error":{"message":"no","code":"invalid_api_key"}}', {
        'Content-Type': 'application/json',
      }),
    );
    expect(await failureOf(clientFor(server.url).chat(question).text())).toMatchObject({
      code: 'unauthorized',
    });
  });
});
