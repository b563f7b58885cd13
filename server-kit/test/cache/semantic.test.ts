import { callTool } from '@ziggie/llm-testing';
import { expect, onTestFinished, test } from 'vitest';
import type { ServerKitOptions } from '../../src/index.ts';
import { chunk, lastRecord, startRawOllama, streamEnd, streamHead, textRecord } from '../raw-ollama.ts';
import { type CachedKit, readOf, startCached, type Who } from './cached-kit.ts';
import { questions } from './questions.ts';

const semantic = { model: 'stand-in-embed', threshold: 0.75 };
const body = (content: string, more: object = {}) => ({
  model: 'stand-in',
  messages: [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content },
  ],
  options: { temperature: 0 },
  ...more,
});

async function events(kit: CachedKit) {
  const token = await kit.token({ roles: ['admin'] });
  const response = await kit.answer('/admin/cache', { token });
  return ((await response.json()) as { events: Record<string, number> }).events;
}

const start = (more: Partial<ServerKitOptions['cache']> = {}) =>
  startCached({ cache: { semantic, ...more } });
const ask = async (kit: CachedKit, words: string, more: object = {}, who: Who = {}) =>
  readOf(await kit.as(who, '/chat', body(words, more)));

test('fifty questions in other words are answered at once, fifty others are not, and none of another tenant', async () => {
  const kit = await start();
  const answers: string[] = [];
  for (const { question } of questions) {
    const { text, cache } = await ask(kit, question);
    expect([cache, question]).toEqual(['miss', question]);
    answers.push(text);
  }
  expect(kit.generations).toBe(50);
  for (const [at, { paraphrase }] of questions.entries()) {
    expect([paraphrase, await ask(kit, paraphrase)]).toEqual([
      paraphrase,
      { text: answers[at], cache: 'hit' },
    ]);
  }
  expect(kit.generations).toBe(50);
  for (const { other } of questions) expect([other, (await ask(kit, other)).cache]).toEqual([other, 'miss']);
  expect(kit.generations).toBe(100);
  for (const who of [{ tenant: 'umbrella' }, { tenant: undefined }] as Who[]) {
    for (const { paraphrase } of questions) expect((await ask(kit, paraphrase, {}, who)).cache).toBe('miss');
  }
  expect(kit.generations).toBe(200);
  expect(await events(kit)).toMatchObject({
    semantic: 50,
    hit: 0,
    miss: 200,
    stored: 200,
    embedding_failed: 0,
  });
});

const { question, paraphrase } = questions[0] as (typeof questions)[number];

test.each([
  ['another model', { model: 'stand-in-thinking' }],
  ['other options', { options: { temperature: 0, seed: 4 } }],
  ['a format', { format: 'json' }],
  ['a tool', { tools: [{ type: 'function', function: { name: 'look_up' } }] }],
  [
    'another system prompt',
    {
      messages: [
        { role: 'system', content: 'Be long.' },
        { role: 'user', content: paraphrase },
      ],
    },
  ],
  [
    'another turn before',
    {
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: 'Hello' },
        { role: 'user', content: paraphrase },
      ],
    },
  ],
])('with %s it is another question, however it is worded', async (_name, more) => {
  const kit = await start();
  await ask(kit, question);
  expect((await ask(kit, paraphrase, more)).cache).toBe('miss');
  expect((await ask(kit, paraphrase)).cache).toBe('hit');
});

test('within the scope of a user nobody else’s question counts', async () => {
  const kit = await start({ scope: 'user' });
  await ask(kit, question, {}, { sub: 'ada' });
  expect((await ask(kit, paraphrase, {}, { sub: 'bob' })).cache).toBe('miss');
  expect((await ask(kit, paraphrase, {}, { sub: 'ada' })).cache).toBe('hit');
});

test('a call of a tool answers its own question only', async () => {
  const kit = await start();
  const tools = [
    {
      type: 'function',
      function: {
        name: 'get_weather',
        parameters: { type: 'object', properties: { city: { type: 'string' } } },
      },
    },
  ];
  kit.ollama.fake.script([callTool('get_weather', { city: 'Paris' })]);
  const weather = (words: string) => kit.as({}, '/chat', { ...body(words, { tools }), stream: false });
  const first = await (await weather('What is the weather in Paris? Use the tool.')).json();
  expect(first).toMatchObject({ message: { tool_calls: [{}] } });
  const second = await weather('What is the weather in Paris, please? Use the tool.');
  expect(second.headers.get('x-ziggie-cache')).toBe('miss');
});

test('an embedding model that is not there, or makes no vectors, is a plain miss', async () => {
  for (const model of ['no-such-model', 'stand-in']) {
    const kit = await start({ semantic: { model } });
    expect((await ask(kit, question)).cache).toBe('miss');
    expect((await ask(kit, paraphrase)).cache).toBe('miss');
    expect(await events(kit)).toMatchObject({ embedding_failed: 2, semantic: 0, stored: 2 });
  }
});

test('an embedding model that hangs is waited for no longer than was said, and let go of', async () => {
  const raw = await startRawOllama(({ path, socket }) => {
    if (path !== '/api/embed')
      socket.write(streamHead + chunk(textRecord('hi')) + chunk(lastRecord) + streamEnd);
  });
  onTestFinished(() => raw.close());
  const kit = await startCached({
    upstreams: [{ url: raw.url, slots: 8 }],
    cache: { semantic: { model: 'raw', timeoutMs: 150 } },
  });
  // The list of models is known then, so that the time goes by at the model that hangs.
  await kit.as({}, '/models', undefined);
  const began = performance.now();
  const answer = await readOf(await kit.as({}, '/chat', body(question, { model: 'raw' })));
  expect(answer).toEqual({ text: 'hi', cache: 'miss' });
  expect(performance.now() - began).toBeLessThan(1000);
  const embed = raw.exchanges.find(({ path }) => path === '/api/embed');
  await embed?.closed;
  expect(embed).toBeDefined();
});

test('what is purged, or too old, answers nobody in other words either', async () => {
  const kit = await start({ ttlMs: 60_000 });
  await ask(kit, question);
  await kit.as({ roles: ['admin'] }, '/admin/cache/purge', { tenant: 'acme' });
  expect((await ask(kit, paraphrase)).cache).toBe('miss');
  kit.clock.advance(60_001);
  expect((await ask(kit, question)).cache).toBe('miss');
});

test('questions beyond the bound are forgotten, the oldest first', async () => {
  const kit = await start({ semantic: { ...semantic, maxEntries: 2 } });
  for (const one of questions.slice(0, 3)) await ask(kit, one.question);
  expect((await ask(kit, questions[2]?.paraphrase ?? '')).cache).toBe('hit');
  expect((await ask(kit, questions[1]?.paraphrase ?? '')).cache).toBe('hit');
  expect((await ask(kit, questions[0]?.paraphrase ?? '')).cache).toBe('miss');
});

test('fifty at once with the same words are one vector and one generation', async () => {
  const kit = await start();
  await Promise.all(Array.from({ length: 50 }, () => ask(kit, question)));
  const embeds = kit.ollama.fake.report().requests.filter(({ path }) => path === '/api/embed');
  // One of them brings the model into memory.
  expect(embeds.length).toBeLessThanOrEqual(2);
  expect(kit.generations).toBe(1);
});
