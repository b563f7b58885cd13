import { type ErrorCode, errorKinds, problemOf } from '@ziggie/llm-protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createManualClock } from '../../test/clock.ts';
import { fixture, hasFixtures } from '../../test/fixtures.ts';
import { failureOf, piece, question, start, text } from '../../test/samples.ts';
import {
  type Answer,
  events,
  hangUp,
  lines,
  linesThenSilence,
  reply,
  serve,
  silence,
  toLines,
} from '../../test/scripted-server.ts';
import { type ClientOptions, createClient, isZiggieError, type ZiggieError } from '../index.ts';

type Target = NonNullable<ClientOptions['target']>;

/** These come out of what is done with an answer, not from a wire: their tests are in src/tools and src/object. */
const notFromAWire: readonly ErrorCode[] = ['schema_invalid', 'tool_failed', 'tool_loop'];
const codes = (Object.keys(errorKinds) as ErrorCode[]).filter((code) => !notFromAWire.includes(code));
const reported = codes.filter((code) => errorKinds[code].status !== 0);

async function ask(answer: Answer, target: Target, more: Partial<ClientOptions> = {}): Promise<ZiggieError> {
  const server = await serve(answer);
  const client = createClient({ baseUrl: server.url, target, retry: { maxAttempts: 1 }, ...more });
  const error = await failureOf(client.chat(question).text());
  if (!isZiggieError(error)) throw error;
  return error;
}

/** What was done, what was found, what to do or why: a sentence, and nothing of the machine's inside. */
function reads(error: ZiggieError): void {
  expect(error.message).toMatch(/^[A-Z]/);
  expect(error.message.length).toBeGreaterThan(25);
  expect(error.message).not.toMatch(/undefined|\[object|NaN|\n| at \//);
  expect(error.phase).toBeDefined();
  expect(error.attempts).toHaveLength(1);
}

describe('the kit reports every code alike before and inside a stream', () => {
  test.each(reported)('%s', async (code) => {
    const { status, retryable } = errorKinds[code];
    const problem = problemOf(code, 'The words of the operator.', 'req-7');
    const refused = await ask(
      reply(status, JSON.stringify(problem), { 'Content-Type': 'application/problem+json' }),
      'kit',
    );
    const event = {
      type: 'error',
      code,
      message: 'The words of the operator.',
      status,
      retryable,
      requestId: 'req-7',
    };
    const broken = await ask(events(start, event), 'kit');
    const late = await ask(events(start, text('Hel'), event), 'kit');
    for (const error of [refused, broken, late]) {
      expect(error).toMatchObject({ name: 'HttpError', code, status, retryable, requestId: 'req-7' });
      expect(error.message).toContain('The words of the operator.');
      reads(error);
    }
    expect(late).toMatchObject({ phase: 'stream', partial: { text: 'Hel' } });
  });
});

const json = (status: number, error: unknown): Answer => reply(status, JSON.stringify({ error }));
const openai = (status: number, message: string, type: string, code: string | null = null): Answer =>
  reply(status, JSON.stringify({ error: { message, type, param: null, code } }));

/** One sample of each wire for each code that it can mean. */
const samples: [ErrorCode, Target, Answer][] = [
  ['bad_request', 'ollama', json(400, 'model is required')],
  ['bad_request', 'openai', openai(400, "[] is too short - 'messages'", 'invalid_request_error')],
  [
    'capability_unsupported',
    'ollama',
    json(400, 'registry.ollama.ai/library/m:latest does not support tools'),
  ],
  ['capability_unsupported', 'openai', openai(400, '"m" does not support thinking', 'invalid_request_error')],
  ['context_overflow', 'ollama', json(400, 'the input length exceeds the context length')],
  [
    'context_overflow',
    'openai',
    openai(
      400,
      "This model's maximum context length is 4096 tokens.",
      'invalid_request_error',
      'context_length_exceeded',
    ),
  ],
  [
    'unauthorized',
    'ollama',
    reply(401, '{"error":"unauthorized","signin_url":"https://ollama.com/connect?a=1"}'),
  ],
  [
    'unauthorized',
    'openai',
    openai(401, 'Incorrect API key provided.', 'invalid_request_error', 'invalid_api_key'),
  ],
  ['forbidden', 'ollama', reply(403, '')],
  ['not_found', 'ollama', reply(404, '404 page not found')],
  ['model_not_found', 'ollama', json(404, "model 'm' not found")],
  [
    'model_not_found',
    'openai',
    openai(404, "The model 'm' does not exist", 'invalid_request_error', 'model_not_found'),
  ],
  ['method_not_allowed', 'ollama', reply(405, '405 method not allowed')],
  ['payload_too_large', 'ollama', reply(413, '<html>')],
  ['unsupported_media_type', 'ollama', reply(415, '')],
  [
    'rate_limited',
    'ollama',
    reply(429, '{"StatusCode":429,"Status":"429 Too Many Requests","error":"slow down"}'),
  ],
  ['rate_limited', 'openai', openai(429, 'Rate limit reached.', 'requests', 'rate_limit_exceeded')],
  [
    'quota_exceeded',
    'openai',
    openai(429, 'You exceeded your current quota.', 'insufficient_quota', 'insufficient_quota'),
  ],
  ['internal_error', 'ollama', reply(500, '')],
  [
    'out_of_memory',
    'ollama',
    json(500, 'llama-server reported out-of-memory during startup: cudaMalloc failed'),
  ],
  ['upstream_error', 'ollama', reply(502, '<html>bad gateway</html>')],
  ['upstream_error', 'openai', reply(502, '<html>bad gateway</html>')],
  ['runner_crashed', 'ollama', json(500, 'llama-server process has terminated: exit status 2')],
  [
    'model_output_invalid',
    'ollama',
    lines({ error: 'mismatched arg_key and arg_value counts: 1 keys, 0 values' }),
  ],
  ['truncated', 'ollama', lines(piece(''))],
  ['truncated', 'openai', reply(200, 'data: {"choices":[{"delta":{"role":"assistant"}}]}\n\n')],
  ['malformed_record', 'ollama', reply(200, 'oops\n')],
  ['malformed_record', 'openai', reply(200, 'data: oops\n\n', { 'Content-Type': 'text/event-stream' })],
  ['response_too_large', 'ollama', reply(200, 'x'.repeat(17 * 2 ** 20))],
  ['server_busy', 'ollama', json(503, 'server busy, please try again.  maximum pending requests exceeded')],
  ['server_busy', 'openai', openai(503, 'The engine is currently overloaded', 'server_error')],
  ['load_timeout', 'ollama', json(500, 'timed out waiting for llama-server to start - progress 0.00')],
  ['first_token_timeout', 'ollama', reply(504, '')],
  ['connect_failed', 'ollama', hangUp],
];

test.each(samples)('%s comes from a sample of %s', async (code, target, answer) => {
  const error = await ask(answer, target);
  expect(error).toMatchObject({ code, retryable: expect.any(Boolean) });
  reads(error);
});

describe('the codes of the own clocks and of the caller', () => {
  const clocked: [ErrorCode, Target, Answer, number][] = [
    [
      'load_timeout',
      'kit',
      linesThenSilence(
        { ...start, seq: 0 },
        { type: 'loading', model: 'm', elapsedMs: 0, typicalMs: null, seq: 1 },
      ),
      600_000,
    ],
    ['first_token_timeout', 'ollama', silence, 600_000],
    ['idle_timeout', 'ollama', linesThenSilence(piece('Hi')), 60_000],
    ['deadline_exceeded', 'ollama', silence, 5_000],
  ];
  test.each(clocked)('%s', async (code, target, answer, afterMs) => {
    const clock = createManualClock();
    let over = false;
    const timeouts = code === 'deadline_exceeded' ? { totalMs: afterMs } : {};
    const asking = ask(answer, target, { clock, timeouts }).finally(() => {
      over = true;
    });
    while (!over) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      await clock.advance(10_000);
    }
    const error = await asking;
    expect(error).toMatchObject({ name: 'TimeoutError', code, afterMs });
    reads(error);
  });

  test('connect_timeout', async () => {
    const clock = createManualClock();
    const fetch = (): Promise<Response> => new Promise(() => {});
    const client = createClient({ baseUrl: 'http://host', clock, fetch, retry: { maxAttempts: 1 } });
    const asking = failureOf(client.chat(question).text());
    await clock.advance(60_000);
    expect(await asking).toMatchObject({ code: 'connect_timeout', phase: 'connect' });
  });

  test('aborted', async () => {
    const client = createClient({ baseUrl: 'http://127.0.0.1:1', target: 'ollama' });
    const asking = failureOf(client.chat(question, { signal: AbortSignal.abort() }).text());
    expect(await asking).toMatchObject({ name: 'AbortError', code: 'aborted' });
  });
});

test('no code is without a sample', () => {
  const seen = new Set<ErrorCode>([
    ...samples.map(([code]) => code),
    ...reported,
    'connect_timeout',
    'aborted',
  ]);
  expect(codes.filter((code) => !seen.has(code))).toEqual([]);
});

test.skipIf(!hasFixtures)('C80 oai-no-done: an error that /v1 lost on its way is no answer', async () => {
  const answer = reply(200, fixture('openai-chat-stream-midstream-error.sse'), {
    'Content-Type': 'text/event-stream',
  });
  expect(await ask(answer, 'openai')).toMatchObject({ code: 'truncated', retryable: true });
});

describe('canaries: neither key, prompt nor answer is in what may be logged', () => {
  /** 32 characters that nothing else holds. */
  const canary = fc.string({
    unit: fc.constantFrom(...'ABCDEFGHJKLMNPQRSTUVWXYZ23456789'),
    minLength: 32,
    maxLength: 32,
  });

  test('wherever a server repeats them', { timeout: 60_000 }, async () => {
    let answer: Answer = hangUp;
    const server = await serve((exchange) => answer(exchange));
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(canary, canary, canary),
        fc.constantFrom<Target>('ollama', 'openai', 'kit'),
        fc.constantFrom(200, 400, 401, 404, 429, 500, 503),
        fc.constantFrom('error', 'page', 'stream', 'record'),
        async ([key, prompt, reply_], target, status, where) => {
          const echo = `cannot do it for ${key}: "${prompt}"`;
          const bodies = {
            error: JSON.stringify({
              error: { message: echo, error: echo },
              detail: echo,
              code: 'bad_request',
              status,
            }),
            page: `<html>${echo}</html>`,
            stream: toLines(piece(reply_), { error: echo }),
            record: `${toLines(piece(reply_))}{"message": ${echo}\n`,
          };
          answer = reply(status, bodies[where as keyof typeof bodies]);
          const heard: unknown[] = [];
          const hear = (message: string, fields?: object): void => void heard.push([message, fields]);
          const client = createClient({
            baseUrl: server.url,
            target,
            credentials: key,
            headers: { 'X-Key': key },
            retry: { maxAttempts: 2, baseMs: 0, maxRetryAfterMs: 0 },
            logger: { debug: hear, info: hear, warn: hear, error: hear },
            hooks: {
              error: () => {
                throw new Error(echo);
              },
            },
          });
          const error = await failureOf(
            client.chat({ model: 'm', messages: [{ role: 'user', content: prompt }] }).text(),
          );
          if (!isZiggieError(error)) throw error;
          const logged = [error.message, JSON.stringify(error), JSON.stringify(heard), String(error)].join(
            '\n',
          );
          for (const secret of [key, prompt, reply_]) expect(logged).not.toContain(secret);
        },
      ),
      { numRuns: 150 },
    );
  });
});
