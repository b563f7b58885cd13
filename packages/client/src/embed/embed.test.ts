import { createFakeOllama } from '@ziggie/llm-testing';
import { describe, expect, test } from 'vitest';
import { instantClock, noTimeouts } from '../../test/clock.ts';
import { fixture, hasFixtures } from '../../test/fixtures.ts';
import { failureOf } from '../../test/samples.ts';
import { type Answer, reply, serve, silence } from '../../test/scripted-server.ts';
import { type ClientOptions, createClient } from '../index.ts';

const client = (url: string, more: Partial<ClientOptions> = {}) =>
  createClient({
    baseUrl: url,
    target: 'ollama',
    clock: instantClock(),
    timeouts: noTimeouts,
    random: () => 0,
    ...more,
  });

/** Answers each text `n` with the vector `[n]`, in whatever order the test lets go. */
function counting(hold: (answer: () => void) => void = (answer) => answer()): Answer {
  return (exchange) => {
    const { input } = JSON.parse(exchange.body) as { input: string[] };
    const embeddings = input.map((text) => [Number(text)]);
    const body = JSON.stringify({ model: 'm', embeddings, prompt_eval_count: input.length });
    hold(() => reply(200, body)(exchange));
  };
}

const texts = Array.from({ length: 100 }, (_, index) => String(index));

test('many texts go in batches, four at once, and come back in order', async () => {
  const held: (() => void)[] = [];
  let most = 0;
  let open = 0;
  const server = await serve(
    counting((answer) => {
      most = Math.max(most, ++open);
      held.push(() => {
        open--;
        answer();
      });
      // The last one that came is answered first.
      if (open < 4 && server.exchanges.length < 10) return;
      setTimeout(() => {
        for (const go of held.splice(0).reverse()) go();
      });
    }),
  );
  const result = await client(server.url).embed({ model: 'm', input: texts, batchSize: 10 });
  expect(result.embeddings).toEqual(texts.map((text) => [Number(text)]));
  expect(result.usage).toEqual({ inputTokens: 100, outputTokens: 0, source: 'upstream' });
  expect(most).toBe(4);
  expect(server.exchanges).toHaveLength(10);
  expect(result.attempts).toHaveLength(10);
});

test('a batch that fails is tried again for itself', async () => {
  let failures = 2;
  const answer = counting();
  const server = await serve((exchange) => (failures-- > 0 ? reply(503, '') : answer)(exchange));
  const { embeddings, attempts } = await client(server.url).embed({
    model: 'm',
    input: texts,
    batchSize: 25,
  });
  expect(embeddings).toEqual(texts.map((text) => [Number(text)]));
  expect(server.exchanges).toHaveLength(6);
  expect(attempts.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(attempts.filter(({ code }) => code === 'server_busy')).toHaveLength(2);
});

test('a batch that fails for good ends the others, and no more begin', async () => {
  const server = await serve(
    silence,
    reply(400, '{"error":"the input length exceeds the context length"}'),
    silence,
  );
  const error = await failureOf(client(server.url).embed({ model: 'm', input: texts, batchSize: 10 }));
  expect(error).toMatchObject({ code: 'context_overflow' });
  await Promise.all(server.exchanges.filter(({ body }) => body).map(({ closed }) => closed));
  expect(server.exchanges.length).toBeLessThanOrEqual(4);
});

test('the signal ends all of them', async () => {
  const server = await serve(silence);
  const controller = new AbortController();
  const asking = failureOf(
    client(server.url).embed({ model: 'm', input: texts }, { signal: controller.signal }),
  );
  await server.arrived(4);
  controller.abort('enough');
  expect(await asking).toMatchObject({ code: 'aborted', cause: 'enough' });
  await Promise.all(server.exchanges.map(({ closed }) => closed));
});

test('options go out by their names on the wire', async () => {
  const server = await serve(counting());
  await client(server.url).embed({
    model: 'm',
    input: '1',
    dimensions: 8,
    truncate: false,
    keepAlive: '5m',
    options: { num_ctx: 512 },
  });
  expect(JSON.parse(server.exchanges[0]?.body ?? '')).toEqual({
    model: 'm',
    input: ['1'],
    dimensions: 8,
    truncate: false,
    keep_alive: '5m',
    options: { num_ctx: 512 },
  });
});

test('an Ollama without /api/embed is asked the old way, one text at a time', async () => {
  const server = await serve((exchange) => {
    if (exchange.request.url === '/api/embed') reply(404, '404 page not found')(exchange);
    else reply(200, `{"embedding":[${(JSON.parse(exchange.body) as { prompt: string }).prompt}]}`)(exchange);
  });
  const { embeddings, usage } = await client(server.url).embed({ model: 'm', input: ['7', '8'] });
  expect(embeddings).toEqual([[7], [8]]);
  expect(usage.source).toBe('estimated');
  expect(server.exchanges.map(({ request }) => request.url)).toEqual([
    '/api/embed',
    '/api/embeddings',
    '/api/embeddings',
  ]);
});

test('an unknown model is no reason to ask the old way', async () => {
  const server = await serve(reply(404, '{"error":"model \\"m\\" not found, try pulling it first"}'));
  expect(await failureOf(client(server.url).embed({ model: 'm', input: 'a' }))).toMatchObject({
    code: 'model_not_found',
  });
  expect(server.exchanges).toHaveLength(1);
});

describe('vectors that cannot be right are an error', () => {
  test.each([
    ['too few', '{"embeddings":[[1]]}'],
    ['none at all', '{"embeddings":[]}'],
    ['an empty one', '{"embeddings":[[1],[]]}'],
    ['a hole', '{"embeddings":[[1],[null]]}'],
    ['of two lengths', '{"embeddings":[[1],[1,2]]}'],
    ['not a list', '{}'],
  ])('%s', async (_, body) => {
    const server = await serve(reply(200, body));
    const asking = client(server.url, { retry: { maxAttempts: 1 } }).embed({ model: 'm', input: ['a', 'b'] });
    expect(await failureOf(asking)).toMatchObject({ code: 'malformed_record' });
  });
});

test.skipIf(!hasFixtures)('the transcript of Ollama is read', async () => {
  const body = fixture('embed.json');
  const { embeddings } = JSON.parse(body.toString()) as { embeddings: number[][] };
  const server = await serve(reply(200, body));
  const result = await client(server.url).embed({ model: 'm', input: embeddings.map(() => 'a') });
  expect(result.embeddings).toEqual(embeddings);
});

test('against the kit it is /embed', async () => {
  const server = await serve(counting());
  await client(server.url, { target: 'kit' }).embed({ model: 'm', input: '1' });
  expect(server.exchanges[0]?.request.url).toBe('/embed');
});

test('against the stand-in texts with the same words are near each other', async () => {
  const fake = createFakeOllama();
  const { embeddings } = await client('http://fake', {
    fetch: (input, init) => fake.fetch(input as string, init),
  }).embed({
    model: 'stand-in-embed',
    input: ['the cat sat on the mat', 'a cat sat on a mat', 'quarterly revenue grew'],
  });
  const near = (a = 0, b = 0) =>
    (embeddings[a] ?? []).reduce((sum, value, index) => sum + value * (embeddings[b]?.[index] ?? 0), 0);
  expect(embeddings).toHaveLength(3);
  expect(near(0, 0)).toBeCloseTo(1, 3);
});

test.each([
  ['no text', { input: '' }],
  ['an empty list', { input: [] }],
  ['a list with an empty text', { input: ['a', ''] }],
  ['no model', { model: '' }],
  ['half a batch', { batchSize: 0.5 }],
  ['no requests at once', { concurrency: 0 }],
])('%s is a TypeError before anything is sent', async (_, wrong) => {
  const asking = () => client('http://127.0.0.1:1').embed({ model: 'm', input: 'a', ...wrong });
  await expect(asking()).rejects.toThrow(TypeError);
});
