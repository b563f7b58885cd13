import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import Anthropic from '@anthropic-ai/sdk';
import { ChatOllama } from '@langchain/ollama';
import { callTool, error, say, stall, think } from '@ziggie/llm-testing';
import { startFakeOpenAI } from '@ziggie/llm-testing/node';
import { embedMany, generateText, jsonSchema, streamText, tool } from 'ai';
import express from 'express';
import { Ollama } from 'ollama';
import { createOllama } from 'ollama-ai-provider-v2';
import OpenAI from 'openai';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ziggieExpress } from '../../src/express.ts';
import type { ServerKitOptions } from '../../src/index.ts';
import { type Bench, startBench } from '../harness.ts';

const run = promisify(execFile);
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Mounted {
  bench: Bench;
  /** Of the mount. */
  url: string;
  token: string;
}

/** A kit in an Express app on a real socket: what a client that exists is pointed at. */
async function mount(options: Partial<ServerKitOptions> = {}): Promise<Mounted> {
  const bench = await startBench(options);
  const server = createServer(express().use('/llm', ziggieExpress(bench.kit)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(
    () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  );
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/llm`;
  return { bench, url, token: await bench.token() };
}

const weather = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
};
const ask = [{ role: 'user' as const, content: 'Hello' }];
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

/** What the model server was last asked. */
function sent({ bench }: Mounted): Record<string, unknown> {
  const { requests } = bench.ollama.fake.report();
  return requests.filter(({ path }) => path === '/api/chat').at(-1)?.body as Record<string, unknown>;
}

describe('the ollama package', () => {
  let at: Mounted;
  let client: Ollama;
  beforeEach(async () => {
    at = await mount();
    client = new Ollama({ host: at.url, headers: { Authorization: `Bearer ${at.token}` } });
  });

  test('chat: whole and streamed, with thinking and the counts', async () => {
    at.bench.ollama.fake.script([think('Hm.'), say('Hello there')]);
    const whole = await client.chat({ model: 'stand-in-thinking', messages: ask, think: true });
    expect(whole.message).toMatchObject({ role: 'assistant', content: 'Hello there', thinking: 'Hm.' });
    expect(whole).toMatchObject({ done: true, done_reason: 'stop', model: 'stand-in-thinking' });
    expect(whole.eval_count).toBeGreaterThan(0);
    at.bench.ollama.fake.script([think('Hm.'), say('Hello there')]);
    let text = '';
    let thinking = '';
    let last: { done?: boolean; eval_count?: number } = {};
    for await (const part of await client.chat({ model: 'stand-in-thinking', messages: ask, stream: true })) {
      text += part.message.content;
      thinking += part.message.thinking ?? '';
      last = part;
    }
    expect({ text, thinking }).toEqual({ text: 'Hello there', thinking: 'Hm.' });
    expect(last).toMatchObject({ done: true, done_reason: 'stop', eval_count: whole.eval_count });
  });

  test('tools, images and formats reach the model; a tool call comes back whole', async () => {
    at.bench.ollama.fake.script(callTool('weather', { city: 'Paris' }));
    const { message } = await client.chat({
      model: 'stand-in',
      messages: ask,
      tools: [{ type: 'function', function: { name: 'weather', description: 'Now', parameters: weather } }],
    });
    expect(message.tool_calls?.[0]?.function).toMatchObject({
      name: 'weather',
      arguments: { city: 'Paris' },
    });
    expect(sent(at)).toMatchObject({ tools: [{ function: { name: 'weather', parameters: weather } }] });
    await client.chat({
      model: 'stand-in-vision',
      messages: [{ role: 'user', content: 'What is it?', images: [png] }],
      format: weather,
      options: { temperature: 0, num_ctx: 99_999, top_k: 3 },
      keep_alive: -1,
    });
    expect(sent(at)).toMatchObject({
      format: weather,
      messages: [{ images: [png.toString('base64')] }],
      options: { temperature: 0, top_k: 3 },
    });
    // Decided by the operator: they would reload or pin the model for everybody.
    expect(JSON.stringify(sent(at))).not.toMatch(/num_ctx|keep_alive/);
  });

  test('generate, embed, list, ps, show', async () => {
    at.bench.ollama.fake.script(say('A story'));
    const whole = await client.generate({ model: 'stand-in', prompt: 'Tell', system: 'Short' });
    expect(whole).toMatchObject({ response: 'A story', done: true });
    let text = '';
    at.bench.ollama.fake.script(say('A story'));
    for await (const part of await client.generate({ model: 'stand-in', prompt: 'Tell', stream: true })) {
      text += part.response;
    }
    expect(text).toBe('A story');
    const { embeddings } = await client.embed({ model: 'stand-in-embed', input: ['a', 'b'] });
    expect(embeddings).toHaveLength(2);
    const { models } = await client.list();
    expect(models.map(({ name }) => name).sort()).toContain('stand-in:latest');
    expect(models[0]).toMatchObject({
      digest: expect.stringMatching(/^[a-f0-9]+$/),
      size: expect.any(Number),
    });
    expect(Number.isNaN(Date.parse(String(models[0]?.modified_at)))).toBe(false);
    expect((await client.ps()).models.map(({ name }) => name)).toContain('stand-in:latest');
    const shown = await client.show({ model: 'stand-in-thinking' });
    expect(shown).toMatchObject({ capabilities: expect.arrayContaining(['thinking']) });
    expect(JSON.stringify(shown)).not.toMatch(/template|modelfile|license|system/i);
  });

  test('what changes models is closed', async () => {
    const model = 'stand-in';
    for (const change of [
      () => client.pull({ model }),
      () => client.push({ model }),
      () => client.create({ model, from: model }),
      () => client.copy({ source: model, destination: 'other' }),
      () => client.delete({ model }),
    ]) {
      await expect(change()).rejects.toThrow(/administrators/);
    }
    expect(at.bench.ollama.fake.report().requests).toEqual([]);
  });

  test('a failure in a stream is thrown, and so is one before it', async () => {
    at.bench.ollama.fake.script([say('Half'), error('llama runner process has terminated: signal: killed')]);
    const parts = await client.chat({ model: 'stand-in', messages: ask, stream: true });
    const read = async () => {
      for await (const _part of parts);
    };
    await expect(read()).rejects.toThrow('The model stopped unexpectedly');
    await expect(client.chat({ model: 'none', messages: ask })).rejects.toThrow(
      'There is no such model here',
    );
    const stranger = new Ollama({ host: at.url, headers: { Authorization: 'Bearer x' } });
    await expect(stranger.list()).rejects.toThrow(/sign|token|credential/i);
  });
});

describe('the openai package', () => {
  const clientOf = ({ url, token }: Mounted) =>
    new OpenAI({ baseURL: `${url}/v1`, apiKey: token, maxRetries: 0 });

  test('chat: whole and streamed, with thinking, the counts when asked for, and tools', async () => {
    const at = await mount();
    const client = clientOf(at);
    at.bench.ollama.fake.script([think('Hm.'), say('Hello there')]);
    const whole = await client.chat.completions.create({ model: 'stand-in-thinking', messages: ask });
    expect(whole.choices[0]).toMatchObject({
      finish_reason: 'stop',
      message: { role: 'assistant', content: 'Hello there', reasoning: 'Hm.' },
    });
    expect(whole.usage?.total_tokens).toBeGreaterThan(1);
    for (const include of [true, false]) {
      at.bench.ollama.fake.script([think('Hm.'), say('Hello there'), callTool('weather', { city: 'Paris' })]);
      const stream = await client.chat.completions.create({
        model: 'stand-in-thinking',
        messages: ask,
        stream: true,
        ...(include ? { stream_options: { include_usage: true } } : {}),
        tools: [{ type: 'function', function: { name: 'weather', parameters: weather } }],
      });
      let text = '';
      const counts: unknown[] = [];
      const ends: unknown[] = [];
      let call = '';
      for await (const chunk of stream) {
        const [choice] = chunk.choices;
        text += choice?.delta.content ?? '';
        call += choice?.delta.tool_calls?.[0]?.function?.arguments ?? '';
        if (chunk.usage) counts.push(chunk.usage);
        if (choice?.finish_reason) ends.push(choice.finish_reason);
      }
      expect({ text, call, ends }).toEqual({
        text: 'Hello there',
        call: '{"city":"Paris"}',
        ends: ['tool_calls'],
      });
      expect(counts).toHaveLength(include ? 1 : 0);
    }
  });

  test('its helper runs a whole loop of tools', async () => {
    const at = await mount();
    at.bench.ollama.fake.script(callTool('weather', { city: 'Paris' }));
    at.bench.ollama.fake.script(say('It rains.'));
    const runner = clientOf(at).chat.completions.runTools({
      model: 'stand-in',
      messages: ask,
      tools: [
        {
          type: 'function',
          function: {
            name: 'weather',
            description: 'Now',
            parse: JSON.parse,
            parameters: weather,
            function: () => 'rain',
          },
        },
      ],
    });
    expect(await runner.finalContent()).toBe('It rains.');
    const { messages } = sent(at) as { messages: Record<string, unknown>[] };
    expect(messages.at(-1)).toMatchObject({ role: 'tool', content: 'rain', tool_name: 'weather' });
    expect(messages.at(-2)).toMatchObject({
      tool_calls: [{ function: { name: 'weather', arguments: { city: 'Paris' } } }],
    });
  });

  test('images, formats and sampling go by Ollama’s names', async () => {
    const at = await mount();
    const url = `data:image/png;base64,${png.toString('base64')}`;
    await clientOf(at).chat.completions.create({
      model: 'stand-in-vision',
      messages: [
        { role: 'developer', content: 'Be short' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What?' },
            { type: 'image_url', image_url: { url } },
          ],
        },
      ],
      response_format: { type: 'json_schema', json_schema: { name: 'w', schema: weather } },
      temperature: 0.5,
      stop: 'END',
      max_completion_tokens: 7,
      tool_choice: 'none',
      tools: [{ type: 'function', function: { name: 'weather', parameters: weather } }],
      reasoning_effort: 'none',
      user: 'somebody',
      logit_bias: {},
    });
    expect(sent(at)).toEqual({
      model: 'stand-in-vision:latest',
      stream: true,
      format: weather,
      think: false,
      options: { temperature: 0.5, stop: ['END'], num_predict: 7 },
      messages: [
        { role: 'system', content: 'Be short' },
        { role: 'user', content: 'What?', images: [png.toString('base64')] },
      ],
    });
  });

  test('an image by address is never fetched; more than one choice is refused', async () => {
    const at = await mount();
    const client = clientOf(at);
    const image = { type: 'image_url' as const, image_url: { url: 'http://169.254.169.254/' } };
    await expect(
      client.chat.completions.create({
        model: 'stand-in-vision',
        messages: [{ role: 'user', content: [image] }],
      }),
    ).rejects.toMatchObject({ status: 400, code: 'bad_request', type: 'invalid_request_error' });
    await expect(
      client.chat.completions.create({ model: 'stand-in', messages: ask, n: 2 }),
    ).rejects.toMatchObject({ status: 400 });
  });

  test('completions, models and embeddings', async () => {
    const at = await mount();
    const client = clientOf(at);
    at.bench.ollama.fake.script(say('once'));
    const whole = await client.completions.create({ model: 'stand-in', prompt: 'Tell' });
    expect(whole.choices[0]).toMatchObject({ text: 'once', finish_reason: 'stop' });
    at.bench.ollama.fake.script(say('once more'));
    let text = '';
    for await (const chunk of await client.completions.create({
      model: 'stand-in',
      prompt: 'Tell',
      stream: true,
    })) {
      text += chunk.choices[0]?.text ?? '';
    }
    expect(text).toBe('once more');
    const ids: string[] = [];
    for await (const model of client.models.list()) ids.push(model.id);
    expect(ids).toContain('stand-in:latest');
    expect(await client.models.retrieve('stand-in:latest')).toMatchObject({
      object: 'model',
      owned_by: 'library',
    });
    await expect(client.models.retrieve('none')).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
    });
    // It asks for base64 by itself and turns it back.
    const { data } = await client.embeddings.create({ model: 'stand-in-embed', input: ['a', 'b'] });
    expect(data.map(({ embedding }) => embedding.length > 1)).toEqual([true, true]);
  });

  test('each failure has its class, its status, and none ends a stream as if it were whole', async () => {
    const at = await mount({ limits: { requestsPerMinute: 4 } });
    const client = clientOf(at);
    at.bench.ollama.fake.script([say('Half'), error('llama runner process has terminated')]);
    const stream = await client.chat.completions.create({ model: 'stand-in', messages: ask, stream: true });
    let text = '';
    const read = async () => {
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    };
    await expect(read()).rejects.toMatchObject({ code: 'runner_crashed', type: 'server_error' });
    expect(text).toBe('Half');
    const stranger = new OpenAI({ baseURL: `${at.url}/v1`, apiKey: 'x', maxRetries: 0 });
    await expect(stranger.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
    for (let at4 = 0; at4 < 3; at4++) await client.models.list();
    const limited = await client.models.list().then(
      () => undefined,
      (thrown: unknown) => thrown as InstanceType<typeof OpenAI.APIError>,
    );
    expect(limited).toBeInstanceOf(OpenAI.RateLimitError);
    expect(limited?.code).toBe('rate_limit_exceeded');
    expect(limited?.headers?.get('x-ratelimit-remaining-requests')).toBe('0');
    expect(limited?.headers?.get('retry-after')).toBe('15');
  });
});

describe('the Anthropic package', () => {
  const clientOf = ({ url, token }: Mounted) =>
    new Anthropic({ baseURL: url, authToken: token, apiKey: null, maxRetries: 0 });
  const most = { model: 'stand-in-thinking', max_tokens: 64, messages: ask };

  test('messages: whole and streamed, with thinking, tools and the counts', async () => {
    const at = await mount();
    const client = clientOf(at);
    const script = () =>
      at.bench.ollama.fake.script([think('Hm.'), say('Hello there'), callTool('weather', { city: 'Paris' })]);
    const tools = [{ name: 'weather', input_schema: { ...weather, type: 'object' as const } }];
    script();
    const whole = await client.messages.create({
      ...most,
      tools,
      thinking: { type: 'enabled', budget_tokens: 1024 },
    });
    expect(whole.content).toMatchObject([
      { type: 'thinking', thinking: 'Hm.' },
      { type: 'text', text: 'Hello there' },
      { type: 'tool_use', name: 'weather', input: { city: 'Paris' } },
    ]);
    expect(whole).toMatchObject({ stop_reason: 'tool_use', role: 'assistant' });
    expect(whole.usage.output_tokens).toBeGreaterThan(0);
    script();
    const streamed = await client.messages.stream({ ...most, tools }).finalMessage();
    expect(streamed.content).toMatchObject(
      whole.content.map((block) =>
        block.type === 'tool_use' ? { ...block, id: expect.any(String) } : block,
      ),
    );
    expect(streamed).toMatchObject({
      stop_reason: 'tool_use',
      usage: { output_tokens: whole.usage.output_tokens },
    });
  });

  test('a result of a tool, an image, a system prompt and stop words reach the model', async () => {
    const at = await mount();
    await clientOf(at).messages.create({
      ...most,
      model: 'stand-in-vision',
      system: [{ type: 'text', text: 'Be short', cache_control: { type: 'ephemeral' } }],
      stop_sequences: ['END'],
      // The model cannot think: the wish is dropped instead of refused.
      thinking: { type: 'enabled', budget_tokens: 1024 },
      messages: [
        { role: 'user', content: 'What is it?' },
        {
          role: 'assistant',
          content: [{ type: 'tool_use', id: 't1', name: 'weather', input: { city: 'Paris' } }],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 't1', content: [{ type: 'text', text: 'rain' }] },
            {
              type: 'image',
              source: { type: 'base64', media_type: 'image/png', data: png.toString('base64') },
            },
            { type: 'text', text: 'And this?' },
          ],
        },
      ],
    });
    expect(sent(at)).toEqual({
      model: 'stand-in-vision:latest',
      stream: true,
      options: { stop: ['END'], num_predict: 64 },
      messages: [
        { role: 'system', content: 'Be short' },
        { role: 'user', content: 'What is it?' },
        {
          role: 'assistant',
          content: '',
          tool_calls: [{ id: 't1', function: { name: 'weather', arguments: { city: 'Paris' } } }],
        },
        { role: 'tool', content: 'rain', tool_call_id: 't1', tool_name: 'weather' },
        { role: 'user', content: 'And this?', images: [png.toString('base64')] },
      ],
    });
  });

  test('a failure in a stream is thrown; others have their class', async () => {
    const at = await mount();
    const client = clientOf(at);
    at.bench.ollama.fake.script([say('Half'), error('llama runner process has terminated')]);
    await expect(client.messages.stream(most).finalMessage()).rejects.toThrow(/stopped unexpectedly/);
    await expect(client.messages.create({ ...most, model: 'none' })).rejects.toBeInstanceOf(
      Anthropic.NotFoundError,
    );
    const stranger = new Anthropic({ baseURL: at.url, apiKey: 'x', maxRetries: 0 });
    await expect(stranger.messages.create(most)).rejects.toBeInstanceOf(Anthropic.AuthenticationError);
  });

  test('its own key header is read here', async () => {
    const at = await mount({ auth: { keys: { pepper: 'a pepper for tests, longer than 32 bytes' } } });
    const { key } = await at.bench.kit.keys.create({ ownerId: 'ada', roles: ['user'] });
    const client = new Anthropic({ baseURL: at.url, apiKey: key, maxRetries: 0 });
    at.bench.ollama.fake.script(say('Hi'));
    expect((await client.messages.create(most)).content).toMatchObject([{ type: 'text', text: 'Hi' }]);
  });
});

describe('the AI SDK', () => {
  test('through its Ollama provider', async () => {
    const at = await mount();
    const ollama = createOllama({
      baseURL: `${at.url}/api`,
      headers: { Authorization: `Bearer ${at.token}` },
    });
    at.bench.ollama.fake.script(say('Hello there'));
    expect((await generateText({ model: ollama('stand-in'), prompt: 'Hello' })).text).toBe('Hello there');
    at.bench.ollama.fake.script(say('Hello there'));
    expect(await streamText({ model: ollama('stand-in'), prompt: 'Hello' }).text).toBe('Hello there');
    const { embeddings } = await embedMany({
      model: ollama.textEmbeddingModel('stand-in-embed'),
      values: ['a', 'b'],
    });
    expect(embeddings).toHaveLength(2);
  });

  test('through its provider for OpenAI’s form, with a tool', async () => {
    const at = await mount();
    const provider = createOpenAICompatible({
      name: 'kit',
      baseURL: `${at.url}/v1`,
      apiKey: at.token,
      includeUsage: true,
    });
    at.bench.ollama.fake.script(callTool('weather', { city: 'Paris' }));
    const { toolResults } = await generateText({
      model: provider('stand-in'),
      prompt: 'Hello',
      tools: {
        weather: tool({
          inputSchema: jsonSchema<{ city: string }>(weather as never),
          execute: ({ city }) => `rain in ${city}`,
        }),
      },
    });
    expect(toolResults.map(({ output }) => output)).toEqual(['rain in Paris']);
    at.bench.ollama.fake.script([think('Hm.'), say('Hello there')]);
    const streamed = streamText({ model: provider('stand-in-thinking'), prompt: 'Hello' });
    expect(await streamed.text).toBe('Hello there');
    expect(await streamed.reasoningText).toBe('Hm.');
    expect((await streamed.usage).outputTokens).toBeGreaterThan(0);
  });
});

test('LangChain’s ChatOllama: whole and streamed', async () => {
  const at = await mount();
  const model = new ChatOllama({
    baseUrl: at.url,
    model: 'stand-in',
    headers: { Authorization: `Bearer ${at.token}` },
    maxRetries: 0,
  });
  at.bench.ollama.fake.script(say('Hello there'));
  expect((await model.invoke('Hello')).content).toBe('Hello there');
  at.bench.ollama.fake.script(say('Hello there'));
  let text = '';
  for await (const chunk of await model.stream('Hello')) text += chunk.content as string;
  expect(text).toBe('Hello there');
});

test('curl: a stream in each form ends as that form ends', async () => {
  const at = await mount();
  const body = JSON.stringify({ model: 'stand-in', messages: ask, stream: true, max_tokens: 32 });
  const read = async (path: string) => {
    at.bench.ollama.fake.script(say('Hello there'));
    const { stdout } = await run('curl', [
      '-sN',
      `${at.url}${path}`,
      '-H',
      `Authorization: Bearer ${at.token}`,
      '-H',
      'Content-Type: application/json',
      '-d',
      body,
    ]);
    return stdout;
  };
  expect(await read('/api/chat')).toMatch(/"done":true[^\n]*}\n$/);
  expect(await read('/v1/chat/completions')).toMatch(/data: \[DONE\]\n\n$/);
  expect(await read('/v1/messages')).toMatch(/event: message_stop\ndata: {"type":"message_stop"}\n\n$/);
});

describe('over a server of OpenAI’s dialect', () => {
  test('every surface gives what it gives over Ollama', async () => {
    const vllm = await startFakeOpenAI({ profile: 'vllm' });
    closers.push(() => vllm.close());
    const at = await mount({ upstreams: [{ url: `${vllm.url}/v1`, dialect: 'openai' }] });
    const script = () => vllm.fake.script(say('Hello there'));
    script();
    const ollama = new Ollama({ host: at.url, headers: { Authorization: `Bearer ${at.token}` } });
    const model = (await ollama.list()).models[0]?.name ?? '';
    expect((await ollama.chat({ model, messages: ask })).message.content).toBe('Hello there');
    script();
    const openai = new OpenAI({ baseURL: `${at.url}/v1`, apiKey: at.token, maxRetries: 0 });
    const whole = await openai.chat.completions.create({ model, messages: ask });
    expect(whole.choices[0]?.message.content).toBe('Hello there');
    expect(whole.usage?.completion_tokens).toBeGreaterThan(0);
    script();
    const anthropic = new Anthropic({ baseURL: at.url, authToken: at.token, apiKey: null, maxRetries: 0 });
    const message = await anthropic.messages.stream({ model, max_tokens: 32, messages: ask }).finalMessage();
    expect(message.content).toMatchObject([{ type: 'text', text: 'Hello there' }]);
  });
});

test('a sign of life in each form: the client goes on waiting and reads no word of it', async () => {
  const at = await mount({ timeouts: { heartbeatMs: 20 } });
  const passing = setInterval(() => at.bench.clock.advance(10), 5);
  closers.push(async () => clearInterval(passing));
  const read = async (path: string) => {
    at.bench.ollama.fake.script([say('Hi'), stall(undefined)]);
    const leave = new AbortController();
    const response = await fetch(`${at.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${at.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'stand-in', messages: ask, stream: true, max_tokens: 32 }),
      signal: leave.signal,
    });
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array);
      if ((text.match(/"content":""},"done":false|\n:\n|event: ping/g) ?? []).length >= 2) break;
    }
    leave.abort();
    return text;
  };
  expect(await read('/api/chat')).toContain('"message":{"role":"assistant","content":""},"done":false}');
  expect(await read('/v1/chat/completions')).toContain('\n:\n\n');
  expect(await read('/v1/messages')).toContain('event: ping\ndata: {"type":"ping"}\n\n');
});
