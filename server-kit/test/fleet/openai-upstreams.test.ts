import { callTool, cut, error, say, stall, think } from '@ziggie/llm-testing';
import { startFakeOpenAI } from '@ziggie/llm-testing/node';
import { describe, expect, test } from 'vitest';
import { type Bench, eventsIn, hello, problemIn, startBench } from '../harness.ts';
import { administer, chatAs, closeLater, isWhole, shown, startFleet } from './fleet.ts';

const endless = Number.POSITIVE_INFINITY;
const apiKey = 'sk-canary-7f3a9c';

type Profile = 'vllm' | 'llama.cpp' | 'openai';
const tool = { type: 'function', function: { name: 'weather', description: 'The weather.', parameters: {} } };

async function startWith(profile: Profile) {
  const models = [{ name: 'org/Model-1', capabilities: ['completion', 'tools', 'thinking', 'vision'] }];
  const server = closeLater(await startFakeOpenAI({ profile, apiKey, models, tokensPerSecond: endless }));
  const bench = await startBench({
    upstreams: [{ url: server.url, name: 'cloud', dialect: 'openai', apiKey, slots: 8 }],
  });
  return { server, bench };
}

const ask = (bench: Bench, body: Record<string, unknown> = {}) =>
  bench.chat({ ...hello, model: 'org/model-1', ...body });

describe.each(['vllm', 'llama.cpp', 'openai'] as const)('an upstream that speaks as %s does', (profile) => {
  test('answers a chat as the same events, with its own count of tokens', async () => {
    const { server, bench } = await startWith(profile);
    server.fake.script([say('Hello there')]);
    const events = await eventsIn(await ask(bench, { options: { temperature: 0.5 }, max_tokens: 50 }));
    expect(events[0]).toMatchObject({ type: 'start', model: 'org/model-1', upstreamModel: 'org/Model-1' });
    const text = events.flatMap((event) => (event.type === 'text-delta' ? [event.text] : [])).join('');
    expect(text).toBe('Hello there');
    expect(events.at(-2)).toMatchObject({ type: 'usage', source: 'upstream' });
    expect(events.at(-1)).toMatchObject({ type: 'done', finishReason: 'stop' });
    const [sent] = server.fake.report().requests.filter(({ method }) => method === 'POST');
    expect(sent?.path).toBe('/v1/chat/completions');
    expect(sent?.body).toMatchObject({
      model: 'org/Model-1',
      stream: true,
      stream_options: { include_usage: true },
      temperature: 0.5,
      max_tokens: 50,
    });
    expect(sent?.headers['authorization']).toBe(`Bearer ${apiKey}`);
  });

  test('a complete answer has Ollama’s record shape', async () => {
    const { server, bench } = await startWith(profile);
    server.fake.script([say('Hello there')]);
    const response = await ask(bench, { stream: false });
    expect(await response.json()).toMatchObject({
      model: 'org/model-1',
      message: { role: 'assistant', content: 'Hello there' },
      done: true,
      done_reason: 'stop',
      prompt_eval_count: expect.any(Number),
      eval_count: expect.any(Number),
    });
  });

  test('a tool call is whole, and its answer goes back with the id of its call', async () => {
    const { server, bench } = await startWith(profile);
    server.fake.script([callTool('weather', { city: 'Oslo' })]);
    const events = await eventsIn(await ask(bench, { tools: [tool] }));
    expect(events.find(({ type }) => type === 'tool-call')).toMatchObject({
      name: 'weather',
      arguments: { city: 'Oslo' },
    });
    expect(events.at(-1)).toMatchObject({ finishReason: 'tool_calls' });
    server.fake.script([say('Rain')]);
    const messages = [
      ...hello.messages,
      {
        role: 'assistant',
        content: '',
        tool_calls: [{ function: { name: 'weather', arguments: { city: 'Oslo' } } }],
      },
      { role: 'tool', content: 'rain', tool_name: 'weather' },
    ];
    expect(isWhole(await eventsIn(await ask(bench, { tools: [tool], messages })))).toBe(true);
    const id = expect.stringMatching(/^call_/);
    const sent = server.fake.report().requests.at(-1)?.body as { messages: { tool_call_id?: string }[] };
    expect(sent.messages[1]).toMatchObject({ tool_calls: [{ id, function: { name: 'weather' } }] });
    expect(sent.messages[2]).toMatchObject({ role: 'tool', tool_call_id: id, content: 'rain' });
    expect(JSON.stringify(sent.messages[1])).toContain(`"${sent.messages[2]?.tool_call_id}"`);
  });

  test('a prompt, and one that must stay as it is', async () => {
    const { server, bench } = await startWith(profile);
    for (const raw of [false, true]) {
      const response = await bench.answer('/generate', {
        body: { model: 'org/model-1', prompt: 'Hi', ...(raw ? { raw } : {}) },
      });
      expect(isWhole(await eventsIn(response))).toBe(true);
    }
    const paths = server.fake
      .report()
      .requests.filter(({ method }) => method === 'POST')
      .map(({ path }) => path);
    expect(paths).toEqual(['/v1/chat/completions', '/v1/completions']);
  });

  test.each([
    ['400', 400, 'bad_request'],
    ['401', 401, 'upstream_error'],
    ['429', 429, 'server_busy'],
    ['500', 500, 'upstream_error'],
    ['503', 503, 'server_busy'],
  ])('%s is told in our own words', async (_what, status, code) => {
    const { server, bench } = await startWith(profile);
    server.fake.script([error('secret-text-of-theirs', { status })]);
    const problem = await problemIn(await ask(bench));
    expect(problem.code).toBe(code);
    expect(JSON.stringify([problem, bench.logs])).not.toContain('secret-text-of-theirs');
  });

  test('a stream that breaks off is an error, never an end', async () => {
    const { server, bench } = await startWith(profile);
    server.fake.script([say('Hel'), cut()]);
    const events = await eventsIn(await ask(bench));
    expect(events.at(-1)).toMatchObject({ type: 'error', code: 'truncated' });
  });

  test('a caller who leaves frees it at once', async () => {
    const { server, bench } = await startWith(profile);
    server.fake.script([say('a b c d e f g h'), stall()]);
    const left = new AbortController();
    const response = await bench.chat({ ...hello, model: 'org/model-1' }, { signal: left.signal });
    left.abort();
    await response.text().catch(() => {});
    await server.fake.waitFor(({ openGenerations }) => openGenerations === 0);
  });
});

test('thinking that comes in a member of its own', async () => {
  const { server, bench } = await startWith('vllm');
  server.fake.script([think('hmm'), say('Yes')]);
  const types = (await eventsIn(await ask(bench, { think: true }))).map(({ type }) => type);
  expect(types).toEqual(['start', 'thinking-delta', 'text-delta', 'usage', 'done']);
});

test('an image goes as a data URL', async () => {
  const { server, bench } = await startWith('openai');
  const png = 'iVBORw0KGgo=';
  await (await ask(bench, { messages: [{ role: 'user', content: 'What?', images: [png] }] })).text();
  const sent = server.fake.report().requests.at(-1)?.body;
  expect(JSON.stringify(sent)).toContain(`data:image/png;base64,${png}`);
});

test('both dialects side by side: one list, and a fallback in the cloud before the first token', async () => {
  const cloud = closeLater(
    await startFakeOpenAI({ models: ['stand-in', 'only-there'], tokensPerSecond: endless, apiKey }),
  );
  const more = [{ url: cloud.url, name: 'cloud', dialect: 'openai' as const, apiKey, slots: 8 }];
  const fleet = await startFleet(1, { more });
  const list = (await (await fleet.answer('/models')).json()) as { models: { name: string }[] };
  const names = list.models.map(({ name }) => name);
  expect(names).toContain('only-there');
  // One model under two spellings is one model.
  expect(names.filter((name) => name.startsWith('stand-in') && !name.includes('-in-'))).toHaveLength(1);

  expect((await administer(fleet, 'drain', 'cloud')).status).toBe(200);
  expect(isWhole(await chatAs(fleet, 'ada'))).toBe(true);
  expect((await administer(fleet, 'undrain', 'cloud')).status).toBe(200);
  await fleet.gpus[0]?.down();
  for (let at = 0; at < 4; at++) expect(isWhole(await chatAs(fleet, `user-${at}`))).toBe(true);
  const seen = cloud.fake.report().requests.filter(({ method }) => method === 'POST');
  expect(seen).toHaveLength(4);
  expect(seen[0]?.body).toMatchObject({ model: 'stand-in' });
});

test('the key of an upstream is in no log line, no answer and no list', async () => {
  const { server, bench } = await startWith('openai');
  server.fake.script([error('no', { status: 401 })]);
  const said = [
    await (await ask(bench)).text(),
    await (await ask(bench)).text(),
    JSON.stringify(await shown(bench)),
    await (await bench.answer('/health', { token: null })).text(),
    JSON.stringify(bench.logs),
  ];
  await server.close();
  said.push(await (await ask(bench)).text(), JSON.stringify(bench.logs));
  expect(said.join()).not.toContain('canary');
});
