import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { callTool, cut, error, say, stall, think } from '@ziggie/llm-testing';
import { startFakeOpenAI } from '@ziggie/llm-testing/node';
import express from 'express';
import OpenAI from 'openai';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ziggieExpress } from '../../src/express.ts';
import type { ServerKitOptions } from '../../src/index.ts';
import { type Bench, startBench } from '../harness.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A kit in an Express app on a real socket, and OpenAI's own client in front of it. */
async function mount(
  options: Partial<ServerKitOptions> = {},
): Promise<{ bench: Bench; client: OpenAI; url: string }> {
  const bench = await startBench(options);
  const server = createServer(express().use('/llm', ziggieExpress(bench.kit)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/llm`;
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: await bench.token(), maxRetries: 0 });
  return { bench, client, url };
}

type Mounted = Awaited<ReturnType<typeof mount>>;

const weather = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const weatherTool = {
  type: 'function' as const,
  name: 'weather',
  description: 'Now',
  parameters: weather,
  strict: false,
};
const sent = ({ bench }: Mounted) =>
  bench.ollama.fake
    .report()
    .requests.filter(({ path }) => path === '/api/chat')
    .at(-1)?.body as Record<string, unknown>;

describe("OpenAI's client: responses", () => {
  let at: Mounted;
  beforeEach(async () => {
    at = await mount();
  });

  test('a whole answer, with its counts and what was asked', async () => {
    at.bench.ollama.fake.script([say('Hello there')]);
    const response = await at.client.responses.create({
      model: 'stand-in',
      instructions: 'Be brief.',
      input: 'Hello',
      max_output_tokens: 50,
      temperature: 0.5,
      metadata: { kind: 'greeting' },
    });
    expect(response.output_text).toBe('Hello there');
    expect(response).toMatchObject({
      object: 'response',
      status: 'completed',
      model: 'stand-in',
      instructions: 'Be brief.',
      max_output_tokens: 50,
      store: false,
      previous_response_id: null,
      error: null,
      incomplete_details: null,
      metadata: { kind: 'greeting' },
      output: [{ type: 'message', role: 'assistant', status: 'completed' }],
    });
    const { usage } = response;
    expect(usage?.input_tokens).toBeGreaterThan(0);
    expect(usage?.total_tokens).toBe((usage?.input_tokens ?? 0) + (usage?.output_tokens ?? 0));
    expect(sent(at)).toMatchObject({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hello' },
      ],
      options: { num_predict: 50, temperature: 0.5 },
    });
  });

  test('a stream: every event in its order, numbered, and the same answer at its end', async () => {
    at.bench.ollama.fake.script([think('Let me see. '), think('Ah.'), say('Hello '), say('there')]);
    const events: { type: string; sequence_number: number }[] = [];
    const stream = await at.client.responses.create({
      model: 'stand-in-thinking',
      input: 'Hello',
      reasoning: { effort: 'high' },
      stream: true,
    });
    for await (const event of stream) events.push(event as (typeof events)[number]);
    expect(events.map(({ sequence_number: number }) => number)).toEqual(events.map((_, number) => number));
    const types = events.map(({ type }) => type);
    // Runs of pieces as one.
    expect(types.filter((type, index) => type !== types[index - 1])).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.reasoning_text.delta',
      'response.reasoning_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ]);
    const last = events.at(-1) as unknown as { response: OpenAI.Responses.Response };
    expect(last.response.output).toMatchObject([
      { type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: 'Let me see. Ah.' }] },
      { type: 'message', content: [{ type: 'output_text', text: 'Hello there' }] },
    ]);
    expect(last.response.usage?.output_tokens).toBeGreaterThan(0);
    expect(sent(at)).toMatchObject({ think: 'high' });
  });

  test("the client's own accumulator agrees, item by item", async () => {
    at.bench.ollama.fake.script([think('Hm.'), say('I call. '), callTool('weather', { city: 'Oslo' })]);
    const stream = at.client.responses.stream({
      model: 'stand-in-thinking',
      input: 'Hello',
      tools: [weatherTool],
    });
    const final = await stream.finalResponse();
    expect(final.output.map(({ type }) => type)).toEqual(['reasoning', 'message', 'function_call']);
    expect(final.output_text).toBe('I call. ');
    expect(final.output[2]).toMatchObject({
      name: 'weather',
      arguments: '{"city":"Oslo"}',
      status: 'completed',
    });
    expect(final.status).toBe('completed');
  });

  test('functions: there and back, with the items as they were given', async () => {
    at.bench.ollama.fake.script([callTool('weather', { city: 'Oslo' })]);
    const question = { role: 'user' as const, content: 'How is it in Oslo?' };
    const first = await at.client.responses.create({
      model: 'stand-in',
      input: [question],
      tools: [weatherTool],
      tool_choice: { type: 'function', name: 'weather' },
    });
    const call = first.output.find((item) => item.type === 'function_call');
    if (call?.type !== 'function_call') throw new Error('No function was called.');
    expect(JSON.parse(call.arguments)).toEqual({ city: 'Oslo' });
    at.bench.ollama.fake.script([say('It rains.')]);
    const second = await at.client.responses.create({
      model: 'stand-in',
      input: [
        question,
        ...(first.output as OpenAI.Responses.ResponseInputItem[]),
        { type: 'function_call_output', call_id: call.call_id, output: 'rain' },
      ],
      tools: [weatherTool],
    });
    expect(second.output_text).toBe('It rains.');
    expect(sent(at)['messages']).toEqual([
      question,
      {
        role: 'assistant',
        content: '',
        tool_calls: [{ id: call.call_id, function: { name: 'weather', arguments: { city: 'Oslo' } } }],
      },
      { role: 'tool', content: 'rain', tool_call_id: call.call_id, tool_name: 'weather' },
    ]);
  });

  test('what an assistant thought, said and called in a row is one message; images and roles are understood', async () => {
    const png = 'iVBORw0KGgo=';
    at.bench.ollama.fake.script([say('Yes.')]);
    await at.client.responses.create({
      model: 'stand-in-vision',
      input: [
        { role: 'developer', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'What is it?' },
            { type: 'input_image', image_url: `data:image/png;base64,${png}`, detail: 'auto' },
          ],
        },
        { type: 'reasoning', id: 'rs_1', summary: [], content: [{ type: 'reasoning_text', text: 'Hm.' }] },
        { role: 'assistant', content: 'A cat.' },
        { type: 'function_call', call_id: 'c1', name: 'weather', arguments: '{"city":"Oslo"}' },
        { type: 'function_call_output', call_id: 'c1', output: [{ type: 'input_text', text: 'rain' }] },
        { role: 'assistant', content: 'It rains.' },
        { role: 'user', content: 'Sure?' },
      ],
    });
    expect(sent(at)['messages']).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'What is it?', images: [png] },
      {
        role: 'assistant',
        content: 'A cat.',
        thinking: 'Hm.',
        tool_calls: [{ id: 'c1', function: { name: 'weather', arguments: { city: 'Oslo' } } }],
      },
      { role: 'tool', content: 'rain', tool_call_id: 'c1', tool_name: 'weather' },
      { role: 'assistant', content: 'It rains.' },
      { role: 'user', content: 'Sure?' },
    ]);
  });

  test('a format reaches the model, and the client reads the object', async () => {
    at.bench.ollama.fake.script([say('{"city":"Oslo"}')]);
    const response = await at.client.responses.parse({
      model: 'stand-in',
      input: 'Where?',
      text: { format: { type: 'json_schema', name: 'place', schema: weather, strict: true } },
    });
    expect(response.output_parsed).toEqual({ city: 'Oslo' });
    expect(sent(at)).toMatchObject({ format: weather });
    await at.client.responses.create({
      model: 'stand-in',
      input: 'x',
      text: { format: { type: 'json_object' } },
    });
    expect(sent(at)).toMatchObject({ format: 'json' });
  });

  test('an answer that is cut at its length is incomplete, streamed and whole', async () => {
    const ask = { model: 'stand-in', input: 'Hello', max_output_tokens: 1 };
    const words = [say('one two three four five six')];
    at.bench.ollama.fake.script(words);
    const response = await at.client.responses.create(ask);
    expect(response).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
    });
    at.bench.ollama.fake.script(words);
    const types: string[] = [];
    for await (const event of await at.client.responses.create({ ...ask, stream: true }))
      types.push(event.type);
    expect(types.at(-1)).toBe('response.incomplete');
  });

  test.each([
    ['dies', [say('half '), cut()], 'truncated'],
    ['fails', [say('half '), error('boom')], 'upstream_error'],
  ])(
    'a model server that %s in the middle: failed, thrown, and never completed',
    async (_how, script, code) => {
      at.bench.ollama.fake.script(script);
      const events: OpenAI.Responses.ResponseStreamEvent[] = [];
      const stream = await at.client.responses.create({ model: 'stand-in', input: 'Hello', stream: true });
      const end = await (async () => {
        for await (const event of stream) events.push(event);
      })().catch((thrown: unknown) => thrown);
      expect(end).toBeInstanceOf(OpenAI.APIError);
      expect(end).toMatchObject({ code });
      const failed = events.at(-1);
      expect(failed).toMatchObject({
        type: 'response.failed',
        response: {
          status: 'failed',
          error: { code },
          output: [{ status: 'incomplete', content: [{ text: 'half ' }] }],
        },
      });
      expect(events.some(({ type }) => type === 'response.completed')).toBe(false);
    },
  );

  test('a failure before the first event has its status, in the form of OpenAI', async () => {
    const missing = await at.client.responses
      .create({ model: 'nothing', input: 'Hello' })
      .catch((thrown: unknown) => thrown);
    expect(missing).toBeInstanceOf(OpenAI.NotFoundError);
    const wrong = new OpenAI({ baseURL: `${at.url}/v1`, apiKey: 'wrong', maxRetries: 0 });
    const refused = await wrong.responses
      .create({ model: 'stand-in', input: 'x' })
      .catch((thrown: unknown) => thrown);
    expect(refused).toBeInstanceOf(OpenAI.AuthenticationError);
  });

  test('leaving frees the model server', async () => {
    at.bench.ollama.fake.script([say('begun '), stall(60_000)]);
    const stream = await at.client.responses.create({ model: 'stand-in', input: 'Hello', stream: true });
    for await (const event of stream) if (event.type === 'response.output_text.delta') break;
    await at.bench.ollama.fake.waitFor(({ openGenerations }) => openGenerations === 0);
  });

  test('reasoning on a model that does not think is a wish', async () => {
    at.bench.ollama.fake.script([say('Hello')]);
    const response = await at.client.responses.create({
      model: 'stand-in',
      input: 'Hello',
      reasoning: { effort: 'medium', summary: 'auto' },
      include: ['reasoning.encrypted_content'],
    });
    expect(response.output_text).toBe('Hello');
    expect(sent(at)).not.toHaveProperty('think');
  });
});

describe('what would need a memory, or something else that is not here, is refused by its name', () => {
  test.each([
    [{ previous_response_id: 'resp_1' }, 'previous_response_id: answers are not kept here'],
    [{ store: true }, 'store: answers are not kept here'],
    [{ conversation: 'conv_1' }, 'conversation: none are kept here'],
    [{ background: true }, 'background: '],
    [{ prompt: { id: 'p' } }, 'prompt: '],
    [{ tools: [{ type: 'web_search' }] }, 'tools.0: "web_search" cannot be run here'],
    [{ tool_choice: { type: 'web_search' } }, 'tool_choice: '],
    [
      { tools: [weatherTool], tool_choice: { type: 'function', name: 'other' } },
      'tool_choice: names a function',
    ],
    [{ input: [{ type: 'item_reference', id: 'x' }] }, 'input.0: items are not kept here'],
    [{ input: [{ type: 'computer_call_output' }] }, 'input.0: only messages'],
    [{ input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'f' }] }] }, 'input.0.content.0: '],
    [
      { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'http://127.0.0.1/x' }] }] },
      'an address is not fetched',
    ],
    [
      { input: [{ type: 'function_call', call_id: 'c', name: 'f', arguments: '{' }] },
      'input.0: the arguments',
    ],
    [{ input: [] }, 'input'],
    [{ input: '' }, 'input'],
    [{ text: { format: { type: 'json_schema', name: 'x' } } }, 'text.format: has no schema'],
    [{ max_output_tokens: 0 }, 'max_output_tokens'],
  ])('%j', async (more, words) => {
    const bench = await startBench();
    const body = { model: 'stand-in', input: 'Hello', ...more };
    const response = await bench.answer('/v1/responses', { body });
    expect(response.status).toBe(400);
    const problem = (await response.json()) as { error: { message: string; type: string } };
    expect(problem.error.type).toBe('invalid_request_error');
    expect(problem.error.message).toContain(words);
    expect(bench.ollama.fake.report().requests.filter(({ path }) => path === '/api/chat')).toEqual([]);
  });

  test('`store: false` and nulls are not asking for anything', async () => {
    const bench = await startBench();
    const nothing = {
      store: false,
      previous_response_id: null,
      background: false,
      tools: null,
      tool_choice: null,
    };
    const response = await bench.answer('/v1/responses', {
      body: { model: 'stand-in', input: 'Hello', ...nothing },
    });
    expect(response.status).toBe(200);
  });
});

test('a model server that speaks the dialect of OpenAI answers as well', async () => {
  const server = await startFakeOpenAI({ tokensPerSecond: Number.POSITIVE_INFINITY });
  closers.push(() => server.close());
  const at = await mount({ upstreams: [{ url: server.url, dialect: 'openai', slots: 8 }] });
  const models = await at.client.models.list();
  server.fake.script([say('Hello from afar')]);
  const stream = at.client.responses.stream({ model: models.data[0]?.id ?? '', input: 'Hello' });
  expect((await stream.finalResponse()).output_text).toBe('Hello from afar');
});
