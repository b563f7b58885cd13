import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type Bench, problemIn, startBench } from '../harness.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const texts = ['red apples', 'green pears'];
const ask = async (bench: Bench, path: string, body: Record<string, unknown>) => {
  const response = await bench.answer(path, { body: { model: 'stand-in-embed', ...body } });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

/** A model server of OpenAI's dialect whose vectors a test decides. */
async function startVectors(answer: (body: { input: string[] }) => unknown): Promise<string> {
  const server = createServer((req, res) => {
    let text = '';
    req.on('data', (chunk) => {
      text += chunk;
    });
    req.on('end', () => {
      const isList = req.url === '/v1/models';
      const body = isList
        ? { object: 'list', data: [{ id: 'bge', object: 'model' }] }
        : answer(JSON.parse(text));
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(
    () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

describe('vectors', () => {
  test('/embed and /api/embed give one vector for each text, in their order, with the count', async () => {
    const bench = await startBench();
    const native = await ask(bench, '/embed', { input: texts });
    const ollama = await ask(bench, '/api/embed', { input: texts });
    expect(native.status).toBe(200);
    expect(native.body).toMatchObject({ model: 'stand-in-embed', prompt_eval_count: expect.any(Number) });
    expect(native.body['embeddings']).toHaveLength(2);
    expect(ollama.body['embeddings']).toEqual(native.body['embeddings']);
    const one = await ask(bench, '/embed', { input: texts[1] });
    expect(one.body['embeddings']).toEqual([(native.body['embeddings'] as unknown[])[1]]);
  });

  test('/api/embeddings gives one, /v1/embeddings a list, as numbers or as base64 of float32', async () => {
    const bench = await startBench();
    const { body } = await ask(bench, '/embed', { input: texts });
    const [first] = body['embeddings'] as number[][];
    expect((await ask(bench, '/api/embeddings', { prompt: texts[0] })).body).toEqual({ embedding: first });
    const floats = await ask(bench, '/v1/embeddings', { input: texts });
    expect(floats.body).toMatchObject({
      object: 'list',
      model: 'stand-in-embed',
      data: [
        { object: 'embedding', index: 0, embedding: first },
        { object: 'embedding', index: 1 },
      ],
      usage: { prompt_tokens: body['prompt_eval_count'], total_tokens: body['prompt_eval_count'] },
    });
    const coded = await ask(bench, '/v1/embeddings', { input: texts[0], encoding_format: 'base64' });
    const [{ embedding }] = coded.body['data'] as [{ embedding: string }];
    const bytes = Buffer.from(embedding, 'base64');
    const decoded = Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(at * 4));
    expect(decoded).toEqual(first?.map(Math.fround));
  });

  test('what is not a text, or too many of them, is refused before anything is sent', async () => {
    const bench = await startBench();
    for (const input of ['', [], [''], [1], null, undefined, {}, new Array(513).fill('x')]) {
      for (const path of ['/embed', '/api/embed', '/v1/embeddings']) {
        expect((await ask(bench, path, { input })).status, `${path} ${JSON.stringify(input)}`).toBe(400);
      }
    }
    expect((await ask(bench, '/embed', { input: 'x', dimension: 8 })).status).toBe(400);
    expect(bench.ollama.fake.report().requests).toEqual([]);
  });

  test('dimensions are passed on; what decides about memory is not', async () => {
    const bench = await startBench();
    await ask(bench, '/embed', { input: 'x', dimensions: 8, keep_alive: -1, options: { num_ctx: 1 } });
    const sent = bench.ollama.fake.report().requests.findLast(({ path }) => path === '/api/embed')?.body;
    expect(sent).toEqual({ model: 'stand-in-embed:latest', input: ['x'], dimensions: 8 });
  });

  test('a model that only makes vectors is loaded without a prompt, once', async () => {
    const bench = await startBench();
    for (const input of ['a', 'b']) expect((await ask(bench, '/embed', { input })).status).toBe(200);
    const posts = bench.ollama.fake.report().requests.filter(({ method }) => method === 'POST');
    expect(posts.map(({ path, body }) => [path, (body as { input: unknown }).input])).toEqual([
      ['/api/embed', []],
      ['/api/embed', ['a']],
      ['/api/embed', ['b']],
    ]);
  });

  test('content rules hold for them', async () => {
    const bench = await startBench({
      content: { redact: { input: ['email'] }, blockedPhrases: ['the launch code'] },
    });
    await ask(bench, '/embed', { input: ['write to ada@example.org'] });
    const sent = bench.ollama.fake.report().requests.findLast(({ path }) => path === '/api/embed')?.body;
    expect(sent).toMatchObject({ input: ['write to [email]'] });
    const refused = await bench.answer('/v1/embeddings', {
      body: { model: 'stand-in-embed', input: ['fine', 'The  Launch code'] },
    });
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ error: { code: 'content_filter' } });
  });

  test('from a server of OpenAI’s dialect: its order is by index, its count is believed', async () => {
    const url = await startVectors(({ input }) => ({
      object: 'list',
      data: input.map((_, index) => ({ object: 'embedding', index, embedding: [index, 1] })).reverse(),
      usage: { prompt_tokens: 7 },
    }));
    const bench = await startBench({ upstreams: [{ url, dialect: 'openai' }] });
    const { status, body } = await ask(bench, '/embed', { model: 'bge', input: texts });
    expect({ status, body }).toMatchObject({
      status: 200,
      body: {
        embeddings: [
          [0, 1],
          [1, 1],
        ],
        prompt_eval_count: 7,
      },
    });
  });

  test.each<[string, unknown[]]>([
    ['too few', [[1, 2]]],
    ['of two lengths', [[1, 2], [1]]],
    [
      'with a hole',
      [
        [1, null],
        [1, 2],
      ],
    ],
    ['empty', [[], []]],
  ])('%s are a failure and never passed on', async (_what, vectors) => {
    const url = await startVectors(() => ({
      data: vectors.map((embedding, index) => ({ index, embedding })),
    }));
    const bench = await startBench({ upstreams: [{ url, dialect: 'openai' }] });
    const response = await bench.answer('/embed', { body: { model: 'bge', input: texts } });
    expect(response.status).toBe(502);
    expect(await problemIn(response)).toMatchObject({ code: 'malformed_record' });
  });
});

describe('what counts', () => {
  test('one bucket for every surface: another spelling of a route is no second allowance', async () => {
    const bench = await startBench({ limits: { requestsPerMinute: 3 } });
    const chat = { model: 'stand-in', messages: [{ role: 'user', content: 'Hi' }], stream: false };
    const statuses: number[] = [];
    for (const path of ['/chat', '/api/chat', '/v1/chat/completions', '/v1/messages', '/chat']) {
      const response = await bench.answer(path, {
        body: path === '/v1/messages' ? { ...chat, max_tokens: 9 } : chat,
      });
      await response.text();
      statuses.push(response.status);
    }
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
  });

  test('each text of a batch counts, before it is sent', async () => {
    const bench = await startBench({
      limits: { rules: [{ per: 'user', unit: 'inputTokens', window: 'day', limit: 1000 }] },
    });
    const batch = new Array(500).fill('word '.repeat(20));
    const refused = await ask(bench, '/embed', { input: batch });
    expect(refused.status).toBe(429);
    expect(bench.ollama.fake.report().requests.filter(({ path }) => path === '/api/embed')).toEqual([]);
    expect((await ask(bench, '/embed', { input: batch.slice(0, 5) })).status).toBe(200);
    const limits = (await (await bench.answer('/me/limits')).json()) as {
      limits: { unit: string; left: number }[];
    };
    const used = 1000 - (limits.limits.find(({ unit }) => unit === 'inputTokens')?.left ?? 1000);
    expect(used).toBeGreaterThan(50);
    expect(used).toBeLessThan(1000);
  });
});
