import Anthropic from '@anthropic-ai/sdk';
import { Ollama } from 'ollama';
import OpenAI from 'openai';
import { afterEach, describe, expect, it } from 'vitest';
import { callTool, error, type FakeOpenAIOptions, fault, say, think } from '../src/index.ts';
import { startFakeOllama, startFakeOpenAI } from '../src/node.ts';

// What other people's clients make of the stand-in: the shapes are right when they read them.

const toClose: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of toClose.splice(0)) await close();
});

async function ollamaServer() {
  const server = await startFakeOllama({
    tokensPerSecond: Number.POSITIVE_INFINITY,
    pullBytesPerSecond: Number.POSITIVE_INFINITY,
  });
  toClose.push(() => server.close());
  return server;
}

async function openAiServer(options: FakeOpenAIOptions) {
  const server = await startFakeOpenAI({ tokensPerSecond: Number.POSITIVE_INFINITY, ...options });
  toClose.push(() => server.close());
  const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'key', maxRetries: 0 });
  return { server, fake: server.fake, client };
}

const hi = [{ role: 'user' as const, content: 'hi' }];
const tool = {
  type: 'function' as const,
  function: { name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
};

describe('the client of Ollama', () => {
  it('chats: streamed, whole, with thinking and tools', async () => {
    const { url, fake } = await ollamaServer();
    const client = new Ollama({ host: url });
    fake.script([think('Hm.'), say('It is '), say('sunny.')], { times: 2 });
    let text = '';
    let thinking = '';
    for await (const part of await client.chat({ model: 'stand-in-thinking', messages: hi, stream: true })) {
      text += part.message.content;
      thinking += part.message.thinking ?? '';
      if (part.done) expect(part.eval_count).toBeGreaterThan(3);
    }
    expect([thinking, text]).toEqual(['Hm.', 'It is sunny.']);
    const whole = await client.chat({ model: 'stand-in-thinking', messages: hi });
    expect(whole.message).toMatchObject({ content: 'It is sunny.', thinking: 'Hm.' });
    fake.script(callTool('get_weather', { city: 'Oslo' }));
    const called = await client.chat({ model: 'stand-in', messages: hi, tools: [tool] });
    expect(called.message.tool_calls?.[0]?.function).toMatchObject({
      name: 'get_weather',
      arguments: { city: 'Oslo' },
    });
  });

  it('uses every other method', async () => {
    const { url, fake } = await ollamaServer();
    const client = new Ollama({ host: url });
    fake.script(say('The sky'));
    expect((await client.generate({ model: 'stand-in', prompt: 'Why?' })).response).toBe('The sky');
    const { embeddings } = await client.embed({ model: 'stand-in-embed', input: ['a', 'b'] });
    expect(embeddings).toHaveLength(2);
    const { embedding } = await client.embeddings({ model: 'stand-in-embed', prompt: 'a' });
    expect(embedding).toHaveLength(256);
    const statuses: string[] = [];
    for await (const part of await client.pull({ model: 'qwen3', stream: true })) statuses.push(part.status);
    expect(statuses.at(-1)).toBe('success');
    expect((await client.pull({ model: 'all-minilm' })).status).toBe('success');
    expect((await client.create({ model: 'mario', from: 'qwen3', system: 'Mario' })).status).toBe('success');
    expect((await client.copy({ source: 'mario', destination: 'luigi' })).status).toBe('success');
    expect((await client.push({ model: 'mario' })).status).toBe('success');
    expect((await client.delete({ model: 'mario' })).status).toBe('success');
    const names = (await client.list()).models.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['luigi:latest', 'qwen3:latest', 'all-minilm:latest']));
    expect(names).not.toContain('mario:latest');
    expect((await client.show({ model: 'luigi' })).capabilities).toContain('thinking');
    expect((await client.ps()).models.map(({ name }) => name)).toContain('stand-in:latest');
    expect((await client.version()).version).toBe('0.33.0');
  });

  it('throws what the real server makes it throw', async () => {
    const { url, fake } = await ollamaServer();
    const client = new Ollama({ host: url });
    await expect(client.chat({ model: 'nope', messages: hi })).rejects.toMatchObject({
      status_code: 404,
      error: "model 'nope' not found",
    });
    await expect(client.pull({ model: 'nope' })).rejects.toThrow('file does not exist');
    fake.script(fault('F036'));
    const read = async () => {
      for await (const part of await client.chat({ model: 'stand-in', messages: hi, stream: true }))
        void part;
    };
    await expect(read()).rejects.toThrow('Did not receive done');
  });
});

describe('the client of OpenAI on the routes of Ollama', () => {
  const open = async () => {
    const { url, fake } = await ollamaServer();
    return { fake, client: new OpenAI({ baseURL: `${url}/v1`, apiKey: 'ollama', maxRetries: 0 }) };
  };

  it('chats with tools and a final completion from its own helper', async () => {
    const { fake, client } = await open();
    fake.script([
      say('Let me look.'),
      callTool('get_weather', { city: 'Oslo' }),
      callTool('get_weather', { city: 'Rome' }),
    ]);
    const stream = client.chat.completions.stream({
      model: 'stand-in',
      messages: hi,
      tools: [tool],
      stream_options: { include_usage: true },
    });
    const completion = await stream.finalChatCompletion();
    expect(completion.usage?.completion_tokens).toBeGreaterThan(2);
    const [choice] = completion.choices;
    expect(choice?.finish_reason).toBe('tool_calls');
    expect(
      choice?.message.tool_calls?.map((call) => ('function' in call ? call.function.arguments : '')),
    ).toEqual(['{"city":"Oslo"}', '{"city":"Rome"}']);
  });

  it('completes, embeds, lists, responds', async () => {
    const { fake, client } = await open();
    fake.script(say('blue'));
    const completion = await client.completions.create({ model: 'stand-in', prompt: 'The sky is' });
    expect(completion.choices[0]?.text).toBe('blue');
    const embedded = await client.embeddings.create({ model: 'stand-in-embed', input: ['a', 'b'] });
    // It asks for base64 and decodes it.
    expect(Math.hypot(...(embedded.data[1]?.embedding ?? []))).toBeCloseTo(1, 5);
    expect((await client.models.list()).data.map(({ id }) => id)).toContain('stand-in:latest');
    expect((await client.models.retrieve('stand-in')).owned_by).toBe('library');
    fake.script([think('Hm.'), say('Hello'), callTool('f', { a: 1 })]);
    const events: string[] = [];
    let text = '';
    for await (const event of await client.responses.create({
      model: 'stand-in-thinking',
      input: 'hi',
      stream: true,
    })) {
      events.push(event.type);
      if (event.type === 'response.output_text.delta') text += event.delta;
      if (event.type === 'response.completed') expect(event.response.usage?.output_tokens).toBeGreaterThan(1);
    }
    expect(text).toBe('Hello');
    expect(events.at(-1)).toBe('response.completed');
    fake.script(say('Whole'));
    expect((await client.responses.create({ model: 'stand-in', input: 'hi' })).output_text).toBe('Whole');
  });

  it('errors have their class', async () => {
    const { client } = await open();
    const ask = (model: string) => client.chat.completions.create({ model, messages: hi });
    await expect(ask('nope')).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(ask('stand-in-embed')).rejects.toBeInstanceOf(OpenAI.BadRequestError);
  });
});

describe('the client of Anthropic on the routes of Ollama', () => {
  const open = async () => {
    const { url, fake } = await ollamaServer();
    return { fake, client: new Anthropic({ baseURL: url, apiKey: 'ollama', maxRetries: 0 }) };
  };

  it('reads thinking, text and tools from a stream', async () => {
    const { fake, client } = await open();
    fake.script([think('Hm.'), say('Let me look.'), callTool('get_weather', { city: 'Oslo' })]);
    const message = await client.messages
      .stream({
        model: 'stand-in-thinking',
        max_tokens: 100,
        messages: hi,
        tools: [{ name: 'get_weather', input_schema: { type: 'object' } }],
      })
      .finalMessage();
    expect(message.stop_reason).toBe('tool_use');
    expect(message.content).toMatchObject([
      { type: 'thinking', thinking: 'Hm.' },
      { type: 'text', text: 'Let me look.' },
      { type: 'tool_use', name: 'get_weather', input: { city: 'Oslo' } },
    ]);
    expect(message.usage.output_tokens).toBeGreaterThan(4);
  });

  it('reads a whole answer, sends results and images back', async () => {
    const { fake, client } = await open();
    fake.script(say('It is sunny.'));
    const message = await client.messages.create({
      model: 'stand-in-vision',
      max_tokens: 100,
      system: 'Be brief.',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
            { type: 'text', text: 'What is it?' },
          ],
        },
        { role: 'assistant', content: [{ type: 'tool_use', id: 'call_1', name: 'f', input: { a: 1 } }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'call_1', content: 'ok' }] },
      ],
    });
    expect(message.content).toEqual([{ type: 'text', text: 'It is sunny.' }]);
    expect(message.stop_reason).toBe('end_turn');
  });

  it('throws for an end that never came, and for an unknown model', async () => {
    const { fake, client } = await open();
    fake.script([say('The'), error('unexpected EOF')]);
    const body = { model: 'stand-in', max_tokens: 9, messages: hi };
    await expect(client.messages.stream(body).finalMessage()).rejects.toThrow(/stream ended|without/i);
    await expect(client.messages.create({ ...body, model: 'nope' })).rejects.toBeInstanceOf(
      Anthropic.NotFoundError,
    );
  });
});

describe.each(['vllm', 'llama.cpp', 'openai'] as const)('the client of OpenAI on %s', (profile) => {
  it('chats: streamed with usage, whole, cut by length', async () => {
    const { fake, client } = await openAiServer({ profile });
    fake.script(say('one two three'), { times: 3 });
    const stream = client.chat.completions.stream({
      model: 'stand-in',
      messages: hi,
      stream_options: { include_usage: true },
    });
    const completion = await stream.finalChatCompletion();
    expect(completion.choices[0]?.message.content).toBe('one two three');
    expect(completion.usage).toMatchObject({
      completion_tokens: 3,
      total_tokens: 3 + (completion.usage?.prompt_tokens ?? 0),
    });
    const whole = await client.chat.completions.create({ model: 'stand-in', messages: hi });
    expect(whole.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: 'one two three' } });
    const short = await client.chat.completions.create({
      model: 'stand-in',
      messages: hi,
      max_completion_tokens: 2,
    });
    expect(short.choices[0]).toMatchObject({ finish_reason: 'length', message: { content: 'one two' } });
  });

  it('sends the arguments of tools in pieces', async () => {
    const { fake, client } = await openAiServer({ profile });
    const city = 'A city with a long and "quoted" name';
    fake.script([callTool('get_weather', { city }), callTool('get_weather', { city: 'Rome' })], { times: 2 });
    const stream = client.chat.completions.stream({ model: 'stand-in', messages: hi, tools: [tool] });
    let pieces = 0;
    stream.on('chunk', (chunk) => {
      pieces += chunk.choices[0]?.delta.tool_calls?.length ?? 0;
    });
    const { choices } = await stream.finalChatCompletion();
    expect(pieces).toBeGreaterThan(6);
    const calls = choices[0]?.message.tool_calls ?? [];
    expect(calls.map((call) => ('function' in call ? JSON.parse(call.function.arguments).city : ''))).toEqual(
      [city, 'Rome'],
    );
    expect(new Set(calls.map(({ id }) => id)).size).toBe(2);
    const whole = await client.chat.completions.create({ model: 'stand-in', messages: hi, tools: [tool] });
    expect(whole.choices[0]?.message.content).toBeNull();
    expect(whole.choices[0]?.message.tool_calls).toHaveLength(2);
  });

  it('completes, embeds and lists', async () => {
    const { fake, client } = await openAiServer({ profile });
    fake.script(say('blue'), { times: 2 });
    expect(
      (await client.completions.create({ model: 'stand-in', prompt: 'The sky is' })).choices[0]?.text,
    ).toBe('blue');
    let text = '';
    for await (const part of await client.completions.create({
      model: 'stand-in',
      prompt: 'x',
      stream: true,
    })) {
      text += part.choices[0]?.text ?? '';
    }
    expect(text).toBe('blue');
    const { data } = await client.embeddings.create({ model: 'stand-in-embed', input: 'a cat' });
    expect(data[0]?.embedding).toHaveLength(256);
    expect((await client.models.list()).data.map(({ id }) => id)).toContain('stand-in');
  });

  it('a failure in the stream is an error of the client', async () => {
    const { fake, client } = await openAiServer({ profile });
    fake.script([say('The'), error('out of memory')]);
    const stream = client.chat.completions.stream({ model: 'stand-in', messages: hi });
    await expect(stream.finalChatCompletion()).rejects.toThrow(/out of memory/);
  });

  it('refuses a wrong key', async () => {
    const { client } = await openAiServer({ profile, apiKey: 'another' });
    await expect(client.chat.completions.create({ model: 'stand-in', messages: hi })).rejects.toBeInstanceOf(
      OpenAI.AuthenticationError,
    );
  });
});
