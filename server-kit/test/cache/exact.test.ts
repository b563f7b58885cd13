import { callTool, say, think } from '@ziggie/llm-testing';
import { describe, expect, test } from 'vitest';
import { MemoryCacheStore } from '../../src/index.ts';
import { eventsIn, hello, SetClock } from '../harness.ts';
import { readOf, repeatable, startCached } from './cached-kit.ts';

test('without the option nothing is kept, and no header speaks of it', async () => {
  const kit = await startCached({ cache: undefined });
  for (let at = 0; at < 2; at++)
    expect((await readOf(await kit.as({}, '/chat', repeatable))).cache).toBeNull();
  expect(kit.generations).toBe(2);
});

test('the same question of the same tenant gets the same text without a model', async () => {
  const kit = await startCached();
  const first = await readOf(await kit.as({ sub: 'ada' }, '/chat', repeatable));
  const second = await readOf(await kit.as({ sub: 'bob' }, '/chat', repeatable));
  expect(first.cache).toBe('miss');
  expect(second).toEqual({ ...first, cache: 'hit' });
  expect(first.text.length).toBeGreaterThan(20);
  expect(kit.generations).toBe(1);
  const [miss, hit] = kit.logs.map(({ fields }) => fields);
  expect(miss).toMatchObject({ cache: 'miss', outcome: 'ok', outputTokens: expect.any(Number) });
  expect(hit).toMatchObject({ cache: 'hit', outcome: 'ok', model: 'stand-in:latest' });
  expect(hit).not.toHaveProperty('outputTokens');
});

test('an answer that its length ended does not even get to the store', async () => {
  const put: string[] = [];
  class Watched extends MemoryCacheStore {
    override put(...given: Parameters<MemoryCacheStore['put']>): void {
      put.push(given[1]);
      super.put(...given);
    }
  }
  const kit = await startCached({ stores: { cache: new Watched(new SetClock()) } });
  await readOf(await kit.as({}, '/chat', { ...repeatable, options: { temperature: 0, num_predict: 3 } }));
  expect(put).toEqual([]);
  await readOf(await kit.as({}, '/chat', repeatable));
  expect(put).toHaveLength(1);
});

test('a played back answer says the same counts, and its own times', async () => {
  const kit = await startCached();
  const first = await eventsIn(await kit.as({}, '/chat', repeatable));
  const second = await eventsIn(await kit.as({}, '/chat', repeatable));
  const [usage, done] = first.slice(-2);
  expect(second.at(-2)).toMatchObject({ ...usage, seq: expect.any(Number) });
  expect(done).toMatchObject({ type: 'done', timings: { decodeMs: expect.any(Number) } });
  expect(second.at(-1)).toEqual({
    type: 'done',
    finishReason: 'stop',
    timings: { ttftMs: expect.any(Number), totalMs: expect.any(Number) },
    seq: expect.any(Number),
  });
});

// The words of the caller differ in what travels only.
const wanted = { model: 'stand-in', messages: repeatable.messages };
const openAi = { ...wanted, temperature: 0 };
const surfaces: [path: string, body: object, textOf: (response: Response) => Promise<string>][] = [
  ['/chat', repeatable, async (one) => (await readOf(one)).text],
  ['/chat', { ...repeatable, stream: false }, async (one) => (await one.json()).message.content],
  ['/api/chat', { ...repeatable, stream: false }, async (one) => (await one.json()).message.content],
  [
    '/api/chat',
    repeatable,
    async (one) =>
      linesOf(await one.text())
        .map(({ message }) => message.content)
        .join(''),
  ],
  ['/v1/chat/completions', openAi, async (one) => (await one.json()).choices[0].message.content],
  [
    '/v1/chat/completions',
    { ...openAi, stream: true },
    async (one) =>
      dataOf(await one.text())
        .map(({ choices }) => choices[0]?.delta.content ?? '')
        .join(''),
  ],
  ['/v1/messages', { ...openAi, max_tokens: 4096 }, async (one) => (await one.json()).content[0].text],
  [
    '/v1/messages',
    { ...openAi, max_tokens: 4096, stream: true },
    async (one) =>
      dataOf(await one.text())
        .map(({ delta }) => delta?.text ?? '')
        .join(''),
  ],
];

// biome-ignore lint/suspicious/noExplicitAny: records of four forms.
const linesOf = (text: string): any[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
const dataOf = (text: string) =>
  linesOf([...text.matchAll(/^data: (\{.*)$/gm)].map(([, data]) => data).join('\n'));

test('one generation serves every surface, in each one’s own form', async () => {
  const kit = await startCached();
  const { text } = await readOf(await kit.as({}, '/chat', repeatable));
  for (const [path, body, textOf] of surfaces) {
    const response = await kit.as({}, path, body);
    expect(response.headers.get('x-ziggie-cache')).toBe('hit');
    expect(await textOf(response)).toBe(text);
  }
  expect(kit.generations).toBe(1);
});

describe('what is not kept', () => {
  test.each([
    ['what samples', { ...repeatable, options: {} }, 'bypass'],
    ['what samples at some temperature', { ...repeatable, options: { temperature: 0.2 } }, 'bypass'],
    ['what its length ended', { ...repeatable, options: { temperature: 0, num_predict: 3 } }, 'miss'],
  ])('%s', async (_name, body, cache) => {
    const kit = await startCached();
    for (let at = 0; at < 2; at++) expect((await readOf(await kit.as({}, '/chat', body))).cache).toBe(cache);
    expect(kit.generations).toBe(2);
  });

  test('what was broken off, by the model server or by its reader', async () => {
    const kit = await startCached({}, { tokensPerSecond: 1000 });
    const leaving = new AbortController();
    const left = await kit.as({}, '/chat', repeatable, { signal: leaving.signal });
    const reader = left.body?.getReader();
    await reader?.read();
    leaving.abort();
    await reader?.cancel();
    const next = await kit.as({}, '/chat', repeatable);
    expect((await readOf(next)).cache).toBe('miss');
    expect(kit.generations).toBe(2);
  });

  test('a seed makes a sample repeatable, and the operator may want samples kept as well', async () => {
    const kit = await startCached();
    const seeded = { ...repeatable, options: { temperature: 0.7, seed: 7 } };
    expect((await readOf(await kit.as({}, '/chat', seeded))).cache).toBe('miss');
    expect((await readOf(await kit.as({}, '/chat', seeded))).cache).toBe('hit');
    const loose = await startCached({ cache: { sampled: true } });
    await readOf(await loose.as({}, '/chat', hello));
    expect((await readOf(await loose.as({}, '/chat', hello))).cache).toBe('hit');
  });

  test('models that are not named', async () => {
    const kit = await startCached({ cache: { models: ['stand-in-thinking'] } });
    expect((await readOf(await kit.as({}, '/chat', repeatable))).cache).toBe('bypass');
    const thinking = { ...repeatable, model: 'stand-in-thinking' };
    await readOf(await kit.as({}, '/chat', thinking));
    expect((await readOf(await kit.as({}, '/chat', thinking))).cache).toBe('hit');
  });
});

describe('Cache-Control of the request', () => {
  const control = (value: string) => ({ headers: { 'cache-control': value } });

  test('no-store neither takes nor keeps', async () => {
    const kit = await startCached();
    expect((await readOf(await kit.as({}, '/chat', repeatable, control('no-store')))).cache).toBe('bypass');
    expect((await readOf(await kit.as({}, '/chat', repeatable))).cache).toBe('miss');
    expect((await readOf(await kit.as({}, '/chat', repeatable, control('private, No-Store')))).cache).toBe(
      'bypass',
    );
  });

  test.each(['no-cache', 'max-age=0'])('%s asks anew, and what comes is kept', async (value) => {
    const kit = await startCached();
    await readOf(await kit.as({}, '/chat', repeatable));
    expect((await readOf(await kit.as({}, '/chat', repeatable, control(value)))).cache).toBe('miss');
    expect((await readOf(await kit.as({}, '/chat', repeatable))).cache).toBe('hit');
    expect(kit.generations).toBe(2);
  });
});

test('an answer is forgotten at the end of its time and not before', async () => {
  const kit = await startCached({ cache: { ttlMs: 60_000 } });
  await readOf(await kit.as({}, '/chat', repeatable));
  kit.clock.advance(59_000);
  expect((await readOf(await kit.as({}, '/chat', repeatable))).cache).toBe('hit');
  kit.clock.advance(1_001);
  expect((await readOf(await kit.as({}, '/chat', repeatable))).cache).toBe('miss');
});

test('thinking and calls of tools are played back as they came', async () => {
  const kit = await startCached();
  kit.ollama.fake.script([
    think('Where is that?'),
    say('I look.'),
    callTool('get_weather', { city: 'Paris', days: [1, 2] }),
    callTool('get_weather', { city: 'Rome' }),
  ]);
  const tools = [{ type: 'function', function: { name: 'get_weather' } }];
  const body = { ...repeatable, model: 'stand-in-thinking', think: true, tools };
  const seen = [];
  for (let at = 0; at < 2; at++) {
    const events = await eventsIn(await kit.as({}, '/chat', body));
    seen.push({
      thinking: events.map((event) => (event.type === 'thinking-delta' ? event.text : '')).join(''),
      text: events.map((event) => (event.type === 'text-delta' ? event.text : '')).join(''),
      calls: events.flatMap((event) => (event.type === 'tool-call' ? [{ ...event, seq: 0 }] : [])),
      finish: events.flatMap((event) => (event.type === 'done' ? [event.finishReason] : [])),
    });
  }
  expect(seen[1]).toEqual(seen[0]);
  expect(seen[0]).toMatchObject({
    thinking: 'Where is that?',
    text: 'I look.',
    calls: [{ arguments: { city: 'Paris', days: [1, 2] } }, { arguments: { city: 'Rome' } }],
    finish: ['tool_calls'],
  });
  expect(kit.generations).toBe(1);
});
