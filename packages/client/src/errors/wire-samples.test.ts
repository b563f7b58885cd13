import { describe, expect, test } from 'vitest';
import { fixture, hasFixtures } from '../../test/fixtures.ts';
import { failureOf, piece, question } from '../../test/samples.ts';
import { lines, reply, serve } from '../../test/scripted-server.ts';
import { createClient, HttpError, isZiggieError } from '../index.ts';

const json = { 'Content-Type': 'application/json; charset=utf-8' };

async function failure(
  answer: Parameters<typeof serve>[0],
  target: 'ollama' | 'kit' = 'ollama',
): Promise<HttpError> {
  const server = await serve(answer);
  const client = createClient({
    baseUrl: server.url,
    target,
    retry: { maxAttempts: 1 },
    credentials: 'TOKEN-canary',
  });
  const error = await failureOf(client.chat(question).text());
  expect(error).toBeInstanceOf(HttpError);
  if (!(error instanceof HttpError)) throw error;
  expect(error.message).not.toContain('[object Object]');
  expect(error.message.length).toBeGreaterThan(20);
  return error;
}

describe('C78 error-shapes: every shape of Ollama gives its code, its status and words', () => {
  test.each([
    ['E1', 404, { error: "model 'm' not found" }, 'model_not_found', false],
    [
      'E1',
      400,
      { error: 'registry.ollama.ai/library/m:latest does not support tools' },
      'capability_unsupported',
      false,
    ],
    ['E1', 400, { error: 'model is required' }, 'bad_request', false],
    ['E1', 500, { error: 'option "num_ctx" must be of type integer' }, 'bad_request', false],
    [
      'E1',
      500,
      { error: 'model requires more system memory (9 GiB) than is available (4 GiB)' },
      'out_of_memory',
      false,
    ],
    [
      'E1',
      500,
      { error: 'llama-server reported out-of-memory during startup: cudaMalloc failed' },
      'out_of_memory',
      true,
    ],
    [
      'E1',
      500,
      { error: 'model runner has unexpectedly stopped, check ollama server logs' },
      'runner_crashed',
      true,
    ],
    [
      'E1',
      503,
      { error: 'server busy, please try again.  maximum pending requests exceeded' },
      'server_busy',
      true,
    ],
    [
      'E6',
      429,
      { StatusCode: 429, Status: '429 Too Many Requests', error: 'slow down' },
      'rate_limited',
      true,
    ],
    [
      'E8',
      500,
      { error: { message: 'llm busy - no slots available', type: 'api_error' } },
      'server_busy',
      true,
    ],
  ] as const)('%s %i %j', async (_, status, body, code, retryable) => {
    const error = await failure(reply(status, JSON.stringify(body), json));
    expect(error).toMatchObject({ code, status, retryable, phase: 'first-token' });
    const words = typeof body.error === 'string' ? body.error : body.error.message;
    expect(error.message).toContain(words.replace('  ', ' '));
  });

  test('E2 after a record: the error line ends the answer and keeps the text', async () => {
    const error = await failure(
      lines(piece('half'), { error: 'an error was encountered while running the model: EOF' }),
    );
    expect(error).toMatchObject({
      code: 'runner_crashed',
      phase: 'stream',
      partial: { text: 'half' },
      attempts: [{ number: 1, status: 200, code: 'runner_crashed' }],
    });
  });

  test('E3 alone in a 200', async () => {
    expect(await failure(lines({ error: "model 'm' not found" }))).toMatchObject({
      code: 'model_not_found',
      status: 404,
    });
  });

  test('E5 keeps where to sign in', async () => {
    const body = { error: 'unauthorized', signin_url: 'https://ollama.com/connect?name=a&key=b' };
    const error = await failure(reply(401, JSON.stringify(body), json));
    expect(error).toMatchObject({ code: 'unauthorized', status: 401, signinUrl: body.signin_url });
  });

  test('E5 with an address that is no web page is not kept', async () => {
    const error = await failure(
      reply(401, '{"error":"unauthorized","signin_url":"javascript:alert(1)"}', json),
    );
    expect(error.signinUrl).toBeUndefined();
  });

  test('E7 reads the error inside the string', async () => {
    const inner = { error: { code: 400, message: 'request exceeds it', type: 'exceed_context_size_error' } };
    const error = await failure(reply(400, JSON.stringify({ error: JSON.stringify(inner) }), json));
    expect(error).toMatchObject({ code: 'context_overflow', status: 400 });
    expect(error.message).toContain('request exceeds it');
    expect(error.message).not.toContain('{');
  });

  test.each([
    ['E13', 404, '404 page not found', 'not_found'],
    ['E13', 405, '405 method not allowed', 'method_not_allowed'],
    ['E13', 403, '', 'forbidden'],
    ['E13', 500, '', 'internal_error'],
    ['E14', 502, '<html><body>Bad Gateway</body></html>', 'upstream_error'],
    ['E14', 504, '<html>', 'first_token_timeout'],
    ['E14', 408, '', 'first_token_timeout'],
    ['E14', 413, '<html>Too Large</html>', 'payload_too_large'],
    ['E14', 418, 'teapot', 'bad_request'],
  ] as const)('%s %i %j is %s', async (_, status, body, code) => {
    for (const target of ['ollama', 'kit'] as const) {
      const error = await failure(reply(status, body), target);
      expect(error).toMatchObject({ code, status });
      expect(error.message).not.toContain('<');
    }
  });

  test.skipIf(!hasFixtures).each([
    ['error-400-context-native.json', 400, 'context_overflow'],
    ['error-400-context.json', 400, 'context_overflow'],
    ['error-400-no-thinking.json', 400, 'capability_unsupported'],
    ['error-400-no-tools.json', 400, 'capability_unsupported'],
    ['error-401-signin.json', 401, 'unauthorized'],
    ['error-403-cloud-disabled.json', 403, 'forbidden'],
    ['error-403-origin.txt', 403, 'forbidden'],
    ['error-404-chat.json', 404, 'model_not_found'],
    ['error-404-route.txt', 404, 'not_found'],
    ['error-405-method.txt', 405, 'method_not_allowed'],
    ['error-500-option-type.json', 500, 'bad_request'],
    ['error-503-busy.json', 503, 'server_busy'],
  ])('transcript %s with %i is %s', async (name, status, code) => {
    expect(await failure(reply(status, fixture(name), json))).toMatchObject({ code, status });
  });
});

describe('the kit', () => {
  test('a problem is read whole', async () => {
    const problem = {
      type: 'urn:ziggie:error:quota_exceeded',
      title: 'The quota is used up',
      status: 429,
      detail: 'Used 10 of 10 requests of today. Come back tomorrow.',
      code: 'quota_exceeded',
      retryable: false,
      requestId: 'req-9',
      retryAfterMs: 3_600_000,
    };
    const error = await failure(
      reply(429, JSON.stringify(problem), { 'Content-Type': 'application/problem+json' }),
      'kit',
    );
    expect(error).toMatchObject({
      code: 'quota_exceeded',
      status: 429,
      retryable: false,
      requestId: 'req-9',
      retryAfterMs: 3_600_000,
      problem,
    });
    expect(error.message).toBe(`POST /chat answered 429: ${problem.detail}`);
  });

  test.each(['<b>look</b>', 'two\nlines', 'x'.repeat(129), '', 7])(
    'what has not the form of an id of a request is none: %j',
    async (requestId) => {
      const problem = {
        type: 'urn:ziggie:error:forbidden',
        title: 'No',
        status: 403,
        code: 'forbidden',
        requestId,
      };
      const refused = (headers: Record<string, string>) =>
        failure(reply(403, JSON.stringify(problem), headers), 'kit');
      expect((await refused({ 'X-Request-Id': 'req-9' })).requestId).toBe('req-9');
      expect((await refused({ 'X-Request-Id': '<b>look</b>' })).requestId).toBeUndefined();
      const broken = await failure(
        lines({ type: 'error', seq: 0, code: 'server_busy', message: 'No.', requestId }),
        'kit',
      );
      expect(broken.requestId).toBeUndefined();
    },
  );

  test('an id of a request inside a stream is told', async () => {
    const event = { type: 'error', seq: 0, code: 'server_busy', message: 'No.', requestId: 'req-9' };
    expect((await failure(lines(event), 'kit')).requestId).toBe('req-9');
  });

  test('a problem of somebody else goes by its status', async () => {
    const body = JSON.stringify({ type: 'about:blank', title: 'No', status: 403, code: 'nope' });
    expect(await failure(reply(403, body), 'kit')).toMatchObject({ code: 'forbidden', problem: undefined });
  });

  test('an unknown code inside a stream is upstream_error', async () => {
    const error = await failure(
      lines({ type: 'error', seq: 0, code: 'from_the_future', message: 'Hm.' }),
      'kit',
    );
    expect(error).toMatchObject({ code: 'upstream_error', status: 502, retryable: true });
  });

  test('a failed answer that never ends is read up to 64 KiB', async () => {
    const error = await failure(({ response }) => {
      response.writeHead(503);
      response.write('x'.repeat(100_000));
    }, 'kit');
    expect(error).toMatchObject({ code: 'server_busy', status: 503 });
  });
});

describe('no secret, prompt or answer in what may be logged', () => {
  const secrets = {
    token: 'TOKEN-canary-5f2d9c31',
    prompt: 'PROMPT-canary-90ab12cd',
    answer: 'ANSWER-canary-77e01f6b',
  };
  const asked = { model: 'm', messages: [{ role: 'user' as const, content: `My pin: ${secrets.prompt}` }] };
  const echo = JSON.stringify({
    error: `cannot handle "My pin: ${secrets.prompt}" of Bearer ${secrets.token}`,
  });

  test.each([
    ['a failed answer that echoes the request', reply(400, echo, json)],
    ['plain text that echoes the request', reply(500, `upstream said: My pin: ${secrets.prompt}`)],
    ['an error in the stream that echoes the prompt', lines({ error: `bad: ${secrets.prompt}` })],
    ['an error in the stream that echoes the token', lines({ error: `bad key ${secrets.token}` })],
    [
      'a tool call that could not be parsed',
      lines(piece(secrets.answer), { error: `error parsing tool call: raw='${secrets.answer}'` }),
    ],
    [
      'a record that could not be read',
      reply(200, `{"message":{"content":"${secrets.answer}"}}\n{"message":"${secrets.answer}\n`),
    ],
    ['an answer that breaks off', lines(piece(secrets.answer))],
  ])('%s', async (_, answer) => {
    const server = await serve(answer);
    for (const target of ['ollama', 'kit'] as const) {
      const client = createClient({
        baseUrl: server.url,
        target,
        retry: { maxAttempts: 1 },
        credentials: secrets.token,
      });
      const error = await failureOf(client.chat(asked).text());
      if (!isZiggieError(error)) throw error;
      const logged = [
        JSON.stringify(error),
        error.message,
        error.stack,
        String((error.cause as Error | undefined)?.message),
      ];
      for (const secret of Object.values(secrets)) expect(logged.join('\n')).not.toContain(secret);
    }
  });
});
