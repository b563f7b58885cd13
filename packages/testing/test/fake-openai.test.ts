import { describe, expect, it } from 'vitest';
import {
  createFakeOpenAI,
  createManualClock,
  error,
  type FakeOpenAIOptions,
  say,
  stall,
  think,
} from '../src/index.ts';
import { startFakeOpenAI } from '../src/node.ts';

const INSTANT = Number.POSITIVE_INFINITY;
const profiles = ['vllm', 'llama.cpp', 'openai'] as const;

function open(options: FakeOpenAIOptions) {
  const fake = createFakeOpenAI({ tokensPerSecond: INSTANT, ...options });
  const get = (path: string, headers = {}) => fake.fetch(`http://127.0.0.1${path}`, { headers });
  const post = (path: string, body: unknown, init: RequestInit = {}) =>
    fake.fetch(`http://127.0.0.1${path}`, { method: 'POST', body: JSON.stringify(body), ...init });
  const chat = (more: object = {}, init?: RequestInit) =>
    post(
      '/v1/chat/completions',
      { model: 'stand-in', messages: [{ role: 'user', content: 'hi' }], ...more },
      init,
    );
  return { fake, get, post, chat };
}

const chunksOf = async (response: Response) =>
  (await response.text())
    .split('\n\n')
    .filter((block) => block.startsWith('data: {'))
    .map((block) => JSON.parse(block.slice(6)));

/** The members of every chunk in order, equal neighbours once. */
const keys = (chunks: object[]) =>
  chunks.map((chunk) => Object.keys(chunk).join(' ')).filter((one, at, all) => one !== all[at - 1]);

describe('chunks of each server', () => {
  it('vLLM', async () => {
    const { fake, chat } = open({ profile: 'vllm' });
    fake.script([think('Hm'), say('Hi')]);
    const chunks = await chunksOf(
      await chat({ model: 'stand-in-thinking', stream: true, stream_options: { include_usage: true } }),
    );
    expect(keys(chunks)).toEqual([
      'id object created model choices',
      'id object created model choices usage',
    ]);
    expect(chunks[0].id).toMatch(/^chatcmpl-[0-9a-f]{32}$/);
    expect(chunks.map((chunk) => chunk.choices[0]?.delta)).toEqual([
      { role: 'assistant', content: '' },
      { reasoning: 'Hm' },
      { content: 'Hi' },
      { content: '' },
      undefined,
    ]);
    expect(chunks[3].choices[0]).toEqual({
      index: 0,
      delta: { content: '' },
      logprobs: null,
      finish_reason: 'stop',
      stop_reason: null,
    });
    expect(Object.keys(chunks[4].usage)).toEqual([
      'prompt_tokens',
      'total_tokens',
      'completion_tokens',
      'prompt_tokens_details',
    ]);
  });

  it('vLLM before it renamed the field', async () => {
    const { fake, chat } = open({ profile: 'vllm', thinkingFields: ['reasoning_content'] });
    fake.script(think('Hm'));
    const chunks = await chunksOf(await chat({ model: 'stand-in-thinking', stream: true }));
    expect(chunks[1].choices[0].delta).toEqual({ reasoning_content: 'Hm' });
  });

  it('llama.cpp', async () => {
    const clock = createManualClock();
    const { fake, chat } = open({ profile: 'llama.cpp', clock, tokensPerSecond: 10 });
    fake.script([think('Hm'), say('Hi')]);
    const answer = chat({ model: 'any name', stream: true }).then(chunksOf);
    await clock.advance(1000);
    const chunks = await answer;
    expect(keys(chunks)).toEqual([
      'choices created id model system_fingerprint object',
      'choices created id model system_fingerprint object timings',
    ]);
    expect(Object.keys(chunks[0].choices[0])).toEqual(['finish_reason', 'index', 'delta']);
    expect(chunks[0].choices[0].delta).toEqual({ role: 'assistant', content: null });
    // The first model does not think.
    expect(chunks[1].choices[0].delta).toEqual({ content: 'Hi' });
    expect(chunks.at(-1).choices[0]).toEqual({ finish_reason: 'stop', index: 0, delta: {} });
    expect(chunks.at(-1).timings).toMatchObject({
      predicted_n: 1,
      predicted_ms: 100,
      predicted_per_second: 10,
      prompt_n: expect.any(Number),
    });
  });

  it('OpenAI', async () => {
    const { fake, chat } = open({});
    fake.script([think('Hm'), say('Hi')]);
    const chunks = await chunksOf(
      await chat({ model: 'stand-in-thinking', stream: true, stream_options: { include_usage: true } }),
    );
    expect(keys(chunks)).toEqual(['id object created model service_tier system_fingerprint choices usage']);
    expect(chunks.slice(0, -1).every((chunk) => chunk.usage === null)).toBe(true);
    expect(chunks.map((chunk) => chunk.choices[0]?.delta)).toEqual([
      { role: 'assistant', content: '', refusal: null },
      { content: 'Hi' },
      {},
      undefined,
    ]);
    // It thinks in secret, and counts it.
    expect(chunks.at(-1).usage.completion_tokens_details.reasoning_tokens).toBe(1);
  });
});

describe('failures of each server', () => {
  it.each([
    [
      'vllm',
      { message: 'The model `nope` does not exist.', type: 'NotFoundError', param: 'model', code: 404 },
    ],
    [
      'openai',
      {
        message: 'The model `nope` does not exist or you do not have access to it.',
        type: 'invalid_request_error',
        param: null,
        code: 'model_not_found',
      },
    ],
  ] as const)('%s does not know the model', async (profile, wanted) => {
    const response = await open({ profile }).chat({ model: 'nope' });
    expect([response.status, (await response.json()).error]).toEqual([404, wanted]);
  });

  it.each([
    ['vllm', { message: 'busy', type: 'ServiceUnavailableError', param: null, code: 503 }],
    ['llama.cpp', { code: 503, message: 'busy', type: 'unavailable_error' }],
    ['openai', { message: 'busy', type: 'server_error', param: null, code: null }],
  ] as const)('%s is scripted to fail, before the stream and in it', async (profile, wanted) => {
    const { fake, chat } = open({ profile });
    fake.script(error('busy', { status: 503, headers: { 'Retry-After': '3' } }));
    const early = await chat({ stream: true });
    expect([early.status, early.headers.get('retry-after'), (await early.json()).error]).toEqual([
      503,
      '3',
      wanted,
    ]);
    fake.script([say('Hi'), error('busy', { status: 503 })]);
    const late = await chunksOf(await chat({ stream: true }));
    expect(late.at(-1)).toEqual({ error: wanted });
  });

  it.each([
    ['vllm', /maximum context length is 20 tokens/, 'BadRequestError'],
    ['llama.cpp', /exceeds the available context size \(20 tokens\)/, 'exceed_context_size_error'],
    ['openai', /maximum context length is 20 tokens/, 'invalid_request_error'],
  ] as const)('%s refuses a prompt that is too long', async (profile, text, type) => {
    const { chat } = open({ profile, models: [{ name: 'stand-in', contextLength: 20 }] });
    const response = await chat({ messages: [{ role: 'user', content: 'word '.repeat(50) }] });
    expect(response.status).toBe(400);
    const { error: failure } = await response.json();
    expect(failure).toMatchObject({ message: expect.stringMatching(text), type });
    if (profile === 'llama.cpp')
      expect(failure).toMatchObject({ n_ctx: 20, n_prompt_tokens: expect.any(Number) });
  });

  it.each(profiles)('%s refuses nothing to say, and an unknown path', async (profile) => {
    const { chat, get } = open({ profile });
    expect((await chat({ messages: [] })).status).toBe(400);
    const lost = await get('/v1/nothing');
    expect([lost.status, lost.headers.get('content-type')]).toEqual([404, expect.stringContaining('json')]);
    expect((await get('/v1/chat/completions')).status).toBe(405);
  });

  it('an unknown profile is refused with the known ones', () => {
    // @ts-expect-error: a profile that does not exist.
    expect(() => createFakeOpenAI({ profile: 'tgi' })).toThrow('vllm, llama.cpp, openai');
    expect(() => createFakeOpenAI({ slots: 0 })).toThrow(RangeError);
  });
});

describe('what a server has beside', () => {
  it('vLLM: health, version, metrics, tokenize, models', async () => {
    const { fake, get, post, chat } = open({ profile: 'vllm', apiKey: 'secret', clock: createManualClock() });
    const health = await get('/health');
    expect([health.status, await health.text()]).toEqual([200, '']);
    expect((await (await get('/version')).json()).version).toMatch(/^\d+\.\d+/);
    const authorization = { authorization: 'Bearer secret' };
    fake.script(stall());
    const leaving = new AbortController();
    const silent = chat({ stream: true }, { headers: authorization, signal: leaving.signal }).catch(() => {});
    await fake.waitFor((report) => report.openGenerations === 1);
    expect(await (await get('/metrics')).text()).toContain(
      'vllm:num_requests_running{engine="0",model_name="stand-in"} 1.0',
    );
    leaving.abort();
    await silent;
    expect((await chat()).status).toBe(401);
    const { data } = await (await get('/v1/models', authorization)).json();
    expect(data[0]).toMatchObject({ owned_by: 'vllm', max_model_len: expect.any(Number), parent: null });
    const counted = await post('/tokenize', { prompt: 'one two' }, { headers: authorization });
    expect((await counted.json()).count).toBe(2);
  });

  it('llama.cpp: 503 until the model is loaded, then health, props, slots', async () => {
    const clock = createManualClock();
    const { get, chat } = open({ profile: 'llama.cpp', clock, loadMs: 5000, slots: 2 });
    for (const response of [await get('/health'), await chat()]) {
      expect([response.status, await response.json()]).toEqual([
        503,
        { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } },
      ]);
    }
    await clock.advance(5000);
    expect(await (await get('/health')).json()).toEqual({ status: 'ok' });
    const props = await (await get('/props')).json();
    expect(props).toMatchObject({ total_slots: 2, build_info: expect.any(String) });
    expect(await (await get('/slots')).json()).toHaveLength(2);
    expect((await chat()).status).toBe(200);
    const { data } = await (await get('/v1/models')).json();
    expect(data[0]).toMatchObject({ owned_by: 'llamacpp', meta: { n_ctx_train: expect.any(Number) } });
  });

  it('more requests than slots wait for their turn', async () => {
    const { fake, chat } = open({ profile: 'llama.cpp', slots: 1, clock: createManualClock() });
    fake.script(stall());
    const leaving = new AbortController();
    const first = chat({ stream: true }, { signal: leaving.signal }).catch(() => {});
    await fake.waitFor((report) => report.openGenerations === 1);
    const second = chat();
    await fake.waitFor((report) => report.waiting === 1);
    leaving.abort();
    await first;
    expect((await second).status).toBe(200);
    expect(fake.report().disconnects).toHaveLength(1);
  });

  it('it listens on a socket and checks no Host', async () => {
    const server = await startFakeOpenAI({ profile: 'vllm' });
    try {
      expect((await fetch(`${server.url}/health`)).status).toBe(200);
      await server.down();
      await expect(fetch(`${server.url}/health`)).rejects.toThrow('fetch failed');
      await server.up();
      expect((await fetch(`${server.url}/health`)).status).toBe(200);
    } finally {
      await server.close();
    }
  });
});
