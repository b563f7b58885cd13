import { describe, expect, it } from 'vitest';
import { callTool, error, say, think, thinkAndSay } from '../src/index.ts';
import { ask, doors, jsonOf, recordsOf, textOf } from './doors.ts';

// The numbers are those of the conformance table for servers; every case runs through both doors.

type Json = Record<string, unknown> & {
  choices?: { delta: Record<string, unknown>; finish_reason: unknown }[];
};

/** The events of an SSE answer: their names, their data parsed, and whether `[DONE]` came. */
async function eventsOf(response: Response) {
  const text = await response.text();
  const blocks = text.split('\n\n').filter((block) => block !== '');
  const data = blocks.map((block) => block.replace(/^event: .*\n/, '').replace(/^data: /, ''));
  return {
    names: blocks.map((block) => /^event: (.*)/.exec(block)?.[1]),
    data: data.filter((one) => one !== '[DONE]').map((one) => JSON.parse(one) as Json),
    done: data.at(-1) === '[DONE]',
  };
}

const openAi = (more: Record<string, unknown> = {}) => ({ ...ask('hi'), stream: true, ...more });
const user = [{ role: 'user', content: 'hi' }];
const weatherTool = { type: 'function', function: { name: 'get_weather', parameters: { type: 'object' } } };

describe.each(doors)('$name', ({ open }) => {
  it('E6 v1-models-empty', async () => {
    const response = await (await open({ models: [] })).fetch('/v1/models');
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.text()).toBe('{"object":"list","data":null}\n');
  });

  it('E7 v1-models-one', async () => {
    const door = await open({ models: ['test-model', 'me/other'] });
    const { data } = (await (await door.fetch('/v1/models')).json()) as { data: Json[] };
    expect(data[0]).toMatchObject({ id: 'test-model:latest', object: 'model', owned_by: 'library' });
    expect(data[1]).toMatchObject({ id: 'me/other:latest', owned_by: 'me' });
    expect(await (await door.fetch('/v1/models/test-model')).json()).toMatchObject({ id: 'test-model' });
    const missing = await door.fetch('/v1/models/nope');
    expect([missing.status, (await missing.json()).error.message]).toEqual([404, "model 'nope' not found"]);
    const deeper = await door.fetch('/v1/models/me/other');
    expect([deeper.status, await deeper.text()]).toEqual([404, '404 page not found']);
  });

  it.each([-1, 21])('E32 top_logprobs-range %i', async (top) => {
    const response = await (await open()).post('/api/chat', ask('hi', { top_logprobs: top }));
    expect([response.status, await response.json()]).toEqual([
      400,
      { error: 'top_logprobs must be between 0 and 20' },
    ]);
  });

  it('E33 logprobs', async () => {
    const door = await open();
    door.fake.script(say('Hi é'), { times: 4 });
    const [plain] = await recordsOf(await door.post('/api/chat', ask('hi', { logprobs: true })));
    expect(plain?.['logprobs']).toEqual([{ token: 'Hi', logprob: expect.any(Number), bytes: [72, 105] }]);
    const [, top] = await recordsOf(
      await door.post('/api/chat', ask('hi', { logprobs: true, top_logprobs: 3 })),
    );
    const [first] = (top?.['logprobs'] ?? []) as {
      bytes: number[];
      logprob: number;
      top_logprobs: { logprob: number }[];
    }[];
    expect(first?.bytes).toEqual([...new TextEncoder().encode(' é')]);
    expect(first?.top_logprobs).toHaveLength(3);
    expect(first?.top_logprobs.map(({ logprob }) => logprob)).toEqual(
      first?.top_logprobs.map(({ logprob }) => logprob).sort((a, b) => b - a),
    );
    const whole = await jsonOf(await door.post('/api/chat', ask('hi', { logprobs: true, stream: false })));
    expect(whole['logprobs']).toHaveLength(2);
    const none = await recordsOf(await door.post('/api/chat', ask('hi')));
    expect(none.some((record) => 'logprobs' in record)).toBe(false);
  });

  it('E35 tools-on-done', async () => {
    const door = await open();
    door.fake.script(callTool('get_weather', { city: 'Seattle' }, { onLastRecord: true }));
    const records = await recordsOf(await door.post('/api/chat', ask('weather')));
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({ done: true, done_reason: 'stop', message: { content: '' } });
    expect(records[0]?.message?.tool_calls).toHaveLength(1);
  });

  it('E36 tools-native', async () => {
    const door = await open({
      models: [{ name: 'hf', capabilities: ['completion', 'tools', 'thinking'], chatPath: 'native' }],
    });
    door.fake.script([think('Tools.'), callTool('f', { a: 1 }), callTool('f', { a: 2 })]);
    const records = await recordsOf(await door.post('/api/chat', ask('weather', { model: 'hf' })));
    expect(records.slice(0, -1).every((record) => !record.message?.tool_calls)).toBe(true);
    const calls = records.at(-1)?.message?.tool_calls ?? [];
    expect(records.at(-1)?.done).toBe(true);
    expect(calls.map((call) => call.function.index)).toEqual([0, 1]);
    for (const { id } of calls) expect(id).toMatch(/^[A-Za-z0-9]{32}$/);
  });

  it('E38 structured-think', async () => {
    const format = { type: 'object', properties: { answer: { type: 'string' } }, required: ['answer'] };
    const door = await open({ prefillMsPerToken: 0.1 });
    const body = ask('answer as json', { model: 'stand-in-thinking', format });
    const records = await recordsOf(await door.post('/api/chat', body));
    const firstText = records.findIndex((record) => record.message?.content);
    expect(firstText).toBeGreaterThan(0);
    expect(records.slice(0, firstText).every((record) => record.message?.thinking)).toBe(true);
    expect(records.slice(firstText).some((record) => record.message?.thinking)).toBe(false);
    expect(JSON.parse(textOf(records))).toEqual({ answer: expect.any(String) });
    // The figures are those of the second run: the thinking is not counted.
    expect(records.at(-1)?.eval_count).toBe(records.length - 1 - firstText);
  });

  it('images need a model that sees', async () => {
    const door = await open();
    const messages = [{ role: 'user', content: 'what is it?', images: ['AAAA'] }];
    const blind = await door.post('/api/chat', { model: 'stand-in', messages });
    expect([blind.status, await blind.json()]).toEqual([
      400,
      { error: 'registry.ollama.ai/library/stand-in:latest does not support vision' },
    ]);
    expect(
      textOf(await recordsOf(await door.post('/api/chat', { model: 'stand-in-vision', messages }))),
    ).toMatch(/picture/);
    const url = [
      { role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://x.example/a.png' } }] },
    ];
    const remote = await door.post('/v1/chat/completions', { model: 'stand-in-vision', messages: url });
    expect((await remote.json()).error.message).toMatch(/image URLs are not currently supported/);
    const data = [
      { role: 'user', content: [{ type: 'image_url', image_url: 'data:image/png;base64,AAAA' }] },
    ];
    const inline = await door.post('/v1/chat/completions', { model: 'stand-in-vision', messages: data });
    expect(inline.status).toBe(200);
  });

  it('E59 oai-stream', async () => {
    const door = await open();
    door.fake.script(say('Hello there!'));
    const body = openAi({ stream_options: { include_usage: true } });
    const response = await door.post('/v1/chat/completions', body);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const { data, done } = await eventsOf(response);
    expect(data.map((chunk) => chunk.choices?.[0]?.delta)).toEqual([
      { role: 'assistant', content: 'Hello' },
      { content: ' there' },
      { content: '!' },
      {},
      undefined,
    ]);
    expect(data.at(-2)?.choices?.[0]?.finish_reason).toBe('stop');
    expect(data.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 3 } });
    expect(data.slice(0, -1).some((chunk) => 'usage' in chunk)).toBe(false);
    expect(new Set(data.map((chunk) => chunk['created'])).size).toBe(1);
    expect(done).toBe(true);
    expect(
      (await eventsOf(await door.post('/v1/chat/completions', openAi()))).data.at(-1)?.choices,
    ).toHaveLength(1);
  });

  it('E60 oai-empty', async () => {
    const door = await open();
    door.fake.script(say(''));
    const { data, done } = await eventsOf(await door.post('/v1/chat/completions', openAi()));
    expect(data.map((chunk) => chunk.choices?.[0]?.delta)).toEqual([{ role: 'assistant', content: '' }, {}]);
    expect(done).toBe(true);
  });

  it('E61 oai-mixed', async () => {
    const door = await open();
    door.fake.script([think('One'), thinkAndSay(' two.', '2')]);
    const body = openAi({ model: 'stand-in-thinking', logprobs: true });
    const { data } = await eventsOf(await door.post('/v1/chat/completions', body));
    expect(data.slice(0, 3).map((chunk) => chunk.choices?.[0]?.delta)).toEqual([
      { role: 'assistant', content: '', reasoning: 'One' },
      { reasoning: ' two.' },
      { content: '2' },
    ]);
    expect(data.map((chunk) => 'logprobs' in (chunk.choices?.[0] ?? {}))).toEqual([true, true, false, false]);
  });

  it('E62 oai-length', async () => {
    const door = await open();
    door.fake.script([callTool('get_weather'), say('and a long text')], { times: 2 });
    const body = openAi({ max_tokens: 2, tools: [weatherTool] });
    const { data } = await eventsOf(await door.post('/v1/chat/completions', body));
    expect(data.at(-1)?.choices?.[0]?.finish_reason).toBe('length');
    const whole = await (await door.post('/v1/chat/completions', { ...body, stream: false })).json();
    expect(whole.choices[0].finish_reason).toBe('length');
  });

  it('E63 oai-midstream-error', async () => {
    const door = await open();
    door.fake.script([say('The answer'), error('unexpected EOF')]);
    const { data, done } = await eventsOf(await door.post('/v1/chat/completions', openAi()));
    expect(data.at(-1)).toMatchObject({
      model: '',
      choices: [{ delta: { content: '' }, finish_reason: null }],
    });
    expect(done).toBe(false);
    expect(JSON.stringify(data)).not.toContain('unexpected EOF');
  });

  it.each([
    [404, 'not_found_error', { model: 'nope' }],
    [400, 'invalid_request_error', { model: 'plain', tools: [weatherTool] }],
    [400, 'invalid_request_error', { reasoning_effort: 'huge' }],
    [400, 'invalid_request_error', { model: 'plain', reasoning_effort: 'high' }],
  ])('E64 oai-errors %i %s', async (status, type, more) => {
    const door = await open({ models: ['stand-in', 'plain'] });
    const response = await door.post('/v1/chat/completions', openAi(more));
    expect(response.status).toBe(status);
    expect((await response.json()).error).toMatchObject({ type, param: null, code: null });
  });

  it('E64 oai-errors: a busy server, and the cloud keeps its own shape', async () => {
    const door = await open();
    door.fake.script(
      error('server busy, please try again.  maximum pending requests exceeded', { status: 503 }),
    );
    const busy = await door.post('/v1/chat/completions', openAi());
    expect([busy.status, (await busy.json()).error.type]).toEqual([503, 'api_error']);
    const cloud = await door.post('/v1/chat/completions', openAi({ model: 'gpt-oss:120b-cloud' }));
    expect([cloud.status, (await cloud.json()).error]).toEqual([401, 'unauthorized']);
    const nothing = await door.post('/v1/chat/completions', '');
    expect([nothing.status, (await nothing.json()).error.message]).toEqual([400, 'EOF']);
  });

  it('E65 oai-empty-messages', async () => {
    const door = await open();
    const message = async (messages: unknown[]) => {
      const response = await door.post('/v1/chat/completions', { model: 'stand-in', messages });
      return [response.status, (await response.json()).error.message];
    };
    expect(await message([])).toEqual([400, "[] is too short - 'messages'"]);
    expect(await message([{ role: 'user', content: null }])).toEqual([
      400,
      'invalid message content type: <nil>',
    ]);
  });

  it('E66 oai-base64-embed', async () => {
    const door = await open();
    const vector = async (format: string) => {
      const body = { model: 'stand-in-embed', input: 'a cat', dimensions: 8, encoding_format: format };
      return (await (await door.post('/v1/embeddings', body)).json()).data[0].embedding;
    };
    const floats: number[] = await vector('float');
    const bytes = Buffer.from(await vector('base64'), 'base64');
    expect(floats.map((_, at) => bytes.readFloatLE(at * 4))).toEqual(floats.map(Math.fround));
    const tokens = await door.post('/v1/embeddings', { model: 'stand-in-embed', input: [1, 2] });
    expect([tokens.status, (await tokens.json()).error.message]).toEqual([400, 'invalid input type']);
  });

  it.each([
    [{ model: 'stand-in', messages: user }, 'max_tokens is required and must be positive'],
    [{ model: 'stand-in', messages: user, max_tokens: 0 }, 'max_tokens is required and must be positive'],
    [{ model: 'stand-in', max_tokens: 5 }, 'messages is required'],
    [{ model: 'stand-in', max_tokens: 5, messages: [] }, 'messages is required'],
    [{ max_tokens: 5, messages: user }, 'model is required'],
  ])('E67 anthropic-validate %j', async (body, message) => {
    const response = await (await open()).post('/v1/messages', body);
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      type: 'error',
      error: { type: 'invalid_request_error', message },
      request_id: expect.stringMatching(/^req_[0-9a-f]{24}$/),
    });
  });

  it('E68 anthropic-stream', async () => {
    const door = await open();
    door.fake.script([think('Use the tool.'), say('Hm.'), callTool('get_weather', { city: 'Paris' })]);
    const body = {
      model: 'stand-in-thinking',
      max_tokens: 256,
      stream: true,
      messages: user,
      tools: [{ name: 'get_weather', input_schema: { type: 'object' } }],
    };
    const { names, data } = await eventsOf(await door.post('/v1/messages', body));
    expect(names).toEqual(data.map((event) => event['type']));
    expect(names.filter((name, at) => name !== names[at - 1])).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
    const last = data.at(-2) as unknown as { delta: unknown; usage: Record<string, number> };
    expect(last.delta).toEqual({ stop_reason: 'tool_use' });
    // As many as there were pieces, where the first event only guessed.
    const pieces = data.filter((event) => event['type'] === 'content_block_delta');
    expect(last.usage['output_tokens']).toBe(pieces.length);
  });

  it('a thinking budget on a model that cannot think is dropped, not refused', async () => {
    const door = await open();
    const body = {
      model: 'stand-in',
      max_tokens: 9,
      messages: user,
      thinking: { type: 'enabled', budget_tokens: 5 },
    };
    expect((await door.post('/v1/messages', body)).status).toBe(200);
    const system = { ...body, system: [{ type: 'text', text: 'Be brief.' }], max_tokens: 1 };
    expect(await (await door.post('/v1/messages', system)).json()).toMatchObject({
      stop_reason: 'max_tokens',
    });
  });

  it('responses carry thinking and calls as items', async () => {
    const door = await open();
    door.fake.script([think('Hm.'), say('So'), callTool('f', { a: 1 }), say(' dropped')], { times: 2 });
    const body = { model: 'stand-in-thinking', input: 'hi', stream: true };
    const { names, data, done } = await eventsOf(await door.post('/v1/responses', body));
    expect(done).toBe(false);
    expect(names.at(-1)).toBe('response.completed');
    const sequence = data.map((event) => event['sequence_number']);
    expect(sequence).toEqual(sequence.map((_, at) => at));
    const { response } = data.at(-1) as unknown as { response: { output: Json[] } };
    expect(response.output.map((item) => item['type'])).toEqual(['reasoning', 'message', 'function_call']);
    expect(JSON.stringify(response)).not.toContain('dropped');
    const whole = await (await door.post('/v1/responses', { ...body, stream: false })).json();
    expect(whole.output).toHaveLength(3);
    expect(whole.status).toBe('completed');
  });

  it('OpenAI options reach the model: stop, max_tokens, response_format', async () => {
    const door = await open();
    door.fake.script(say('one two three four'), { times: 2 });
    const content = async (more: object) => {
      const response = await door.post('/v1/chat/completions', { ...ask('hi'), ...more });
      return (await response.json()).choices[0];
    };
    expect(await content({ stop: ' three' })).toMatchObject({ message: { content: 'one two' } });
    expect(await content({ max_tokens: 1, max_completion_tokens: 4 })).toMatchObject({
      message: { content: 'one' },
      finish_reason: 'length',
    });
    const schema = { type: 'object', properties: { n: { type: 'integer', minimum: 7 } }, required: ['n'] };
    const format = { type: 'json_schema', json_schema: { name: 'x', schema } };
    expect(JSON.parse((await content({ response_format: format })).message.content)).toEqual({ n: 7 });
  });

  it('a tool result finds the name of its call', async () => {
    const door = await open();
    const messages = [
      { role: 'user', content: 'weather?' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
      },
      { role: 'tool', tool_call_id: 'call_1', content: 'sunny' },
    ];
    expect((await door.post('/v1/chat/completions', { model: 'stand-in', messages })).status).toBe(200);
    const broken = structuredClone(messages) as typeof messages & {
      1: { tool_calls: { function: { arguments: string } }[] };
    };
    const call = broken[1].tool_calls[0];
    if (call) call.function.arguments = '{"a"';
    expect((await door.post('/v1/chat/completions', { model: 'stand-in', messages: broken })).status).toBe(
      400,
    );
  });
});
