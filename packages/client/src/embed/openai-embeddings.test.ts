import { error, replay, shape } from '@ziggie/llm-testing';
import { startFakeOllama, startFakeOpenAI } from '@ziggie/llm-testing/node';
import { describe, expect, onTestFinished, test } from 'vitest';
import { failureOf } from '../../test/samples.ts';
import { createClient, type EmbedRequest } from '../index.ts';

const servers = {
  'Ollama’s /v1': () => startFakeOllama(),
  vllm: () => startFakeOpenAI({ profile: 'vllm' }),
  'llama.cpp': () => startFakeOpenAI({ profile: 'llama.cpp' }),
  openai: () => startFakeOpenAI({ profile: 'openai' }),
} as const;

async function serverOf(name: keyof typeof servers) {
  const server = await servers[name]();
  onTestFinished(() => server.close());
  const client = createClient({ baseUrl: server.url, target: 'openai', retry: { baseMs: 0 } });
  const embed = (input: EmbedRequest['input'], more: Partial<EmbedRequest> = {}) =>
    client.embed({ model: 'stand-in-embed', input, ...more });
  return { server, embed };
}

const dot = (a: readonly number[] = [], b: readonly number[] = []): number =>
  a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);

describe.each(Object.keys(servers) as (keyof typeof servers)[])(
  'embed() in the form of OpenAI, %s',
  (name) => {
    test('one text, many texts, in order and with their tokens', async () => {
      const { server, embed } = await serverOf(name);
      const one = await embed('the cat sat on the mat');
      expect(one.embeddings).toHaveLength(1);
      expect(one.usage?.inputTokens).toBeGreaterThan(0);
      const many = await embed(['a bill for the gas', 'the cat sat on a mat', 'the cat sat on the mat']);
      expect(many.embeddings).toHaveLength(3);
      expect(many.embeddings[2]).toEqual(one.embeddings[0]);
      expect(dot(many.embeddings[1], many.embeddings[2])).toBeGreaterThan(
        dot(many.embeddings[0], many.embeddings[2]),
      );
      const asked = server.fake.report().requests.map(({ path, body }) => [path, body]);
      expect(asked[0]).toEqual([
        '/v1/embeddings',
        { model: 'stand-in-embed', input: ['the cat sat on the mat'], encoding_format: 'float' },
      ]);
    });

    test('batches come back in the order of the texts', async () => {
      const { server, embed } = await serverOf(name);
      const texts = Array.from({ length: 70 }, (_, at) => `word${at} and word${at}`);
      const { embeddings } = await embed(texts);
      expect(server.fake.report().requests).toHaveLength(3);
      const again = await embed(texts.slice(65, 66));
      expect(embeddings[65]).toEqual(again.embeddings[0]);
      expect(new Set(embeddings.map(String)).size).toBe(70);
    });

    test('a busy server is asked again, an unknown model is not', async () => {
      const { server, embed } = await serverOf(name);
      server.fake.script(error('overloaded', { status: 503 }), { path: '/v1/embeddings' });
      const { attempts } = await embed('again');
      expect(attempts.map(({ status }) => status)).toEqual([503, 200]);
      if (name === 'llama.cpp') return; // It serves the one model it has, whatever it is called.
      expect(await failureOf(embed('x', { model: 'not-there' }))).toMatchObject({
        code: 'model_not_found',
        status: 404,
        attempts: { length: 1 },
      });
    });

    test('an answer that is cut is asked for again', async () => {
      const { server, embed } = await serverOf(name);
      server.fake.script(shape({ limitBytes: 40, limitCut: 'close' }), { path: '/v1/embeddings' });
      expect((await embed('cut')).attempts).toHaveLength(2);
    });
  },
);

const vectors = (data: unknown) =>
  replay(JSON.stringify({ object: 'list', data, usage: { prompt_tokens: 2, total_tokens: 2 } }), {
    headers: { 'content-type': 'application/json' },
  });

test('vectors that come in another order are put right by their index', async () => {
  const { server, embed } = await serverOf('openai');
  server.fake.script(
    vectors([
      { index: 1, embedding: [2] },
      { index: 0, embedding: [1] },
    ]),
    { path: '/v1/embeddings' },
  );
  expect((await embed(['a', 'b'])).embeddings).toEqual([[1], [2]]);
});

test.each([
  ['no list', { oops: 1 }],
  ['one too few', [{ index: 0, embedding: [1] }]],
  [
    'an index twice',
    [
      { index: 0, embedding: [1] },
      { index: 0, embedding: [2] },
    ],
  ],
  [
    'an index that is none',
    [
      { index: 0, embedding: [1] },
      { index: 7, embedding: [2] },
    ],
  ],
  [
    'an index that is no number',
    [
      { index: '__proto__', embedding: [1] },
      { index: 1, embedding: [2] },
    ],
  ],
  [
    'vectors of two lengths',
    [
      { index: 0, embedding: [1] },
      { index: 1, embedding: [2, 3] },
    ],
  ],
  [
    'something that is no number',
    [
      { index: 0, embedding: [1] },
      { index: 1, embedding: ['x'] },
    ],
  ],
  [
    'base64 where numbers were asked for',
    [
      { index: 0, embedding: 'AACAPw==' },
      { index: 1, embedding: 'AACAPw==' },
    ],
  ],
])('%s is malformed_record', async (_, data) => {
  const { server, embed } = await serverOf('openai');
  server.fake.script(vectors(data), { path: '/v1/embeddings', times: 3 });
  expect(await failureOf(embed(['a', 'b']))).toMatchObject({ code: 'malformed_record' });
});
