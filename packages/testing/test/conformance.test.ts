import { existsSync, readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { describe, expect, it } from 'vitest';
import { callTool, createManualClock, cut, error, say } from '../src/index.ts';
import { ask, doors, jsonOf, overSocket, recordsOf, textOf } from './doors.ts';
import { shape } from './shapes.ts';

// The numbers are those of the conformance table for servers; every case runs through both doors.

const fixtures = new URL('../../../../shared/fixtures/ollama/', import.meta.url);
const fixture = (name: string) => readFileSync(new URL(name, fixtures), 'utf8');
const lines = (name: string) =>
  fixture(name)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

async function expectJson(response: Response, status: number, body: unknown) {
  expect(response.status).toBe(status);
  expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(await response.text()).toBe(JSON.stringify(body));
}

const TEXT = 'text/plain';
const NDJSON = 'application/x-ndjson';

describe.each(doors)('$name', ({ open }) => {
  it('E1 root', async () => {
    const response = await (await open()).fetch('/');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await response.text()).toBe('Ollama is running');
  });

  it('E2 root-head', async () => {
    const response = await (await open()).fetch('/', { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('');
  });

  it('E3 version', async () => {
    await expectJson(await (await open()).fetch('/api/version'), 200, { version: '0.33.0' });
  });

  it('E4 tags-empty', async () => {
    await expectJson(await (await open({ models: [] })).fetch('/api/tags'), 200, { models: [] });
  });

  it('E5 tags-one', async () => {
    const door = await open({ models: ['test-model'] });
    const { models } = (await jsonOf(await door.fetch('/api/tags'))) as { models: Record<string, unknown>[] };
    expect(models).toHaveLength(1);
    expect(models[0]).toMatchObject({ name: 'test-model:latest', model: 'test-model:latest' });
    expect(models[0]).not.toHaveProperty('expires_at');
  });

  it('E8 route-404', async () => {
    const response = await (await open()).fetch('/api/nope');
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toBe(TEXT);
    expect(await response.text()).toBe('404 page not found');
  });

  it('E9 method-405', async () => {
    const response = await (await open()).fetch('/api/chat');
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST');
    expect(response.headers.get('content-type')).toBe(TEXT);
    expect(await response.text()).toBe('405 method not allowed');
  });

  it('E10 ps-head', async () => {
    expect((await (await open()).fetch('/api/ps', { method: 'HEAD' })).status).toBe(405);
  });

  it('E11 trailing-slash', async () => {
    const door = await open();
    const post = await door.post('/api/chat/', ask('hi'), { redirect: 'manual' });
    expect([post.status, post.headers.get('location')]).toEqual([307, '/api/chat']);
    const get = await door.fetch('/api/tags/', { redirect: 'manual' });
    expect([get.status, get.headers.get('location')]).toEqual([301, '/api/tags']);
    const followed = await door.post('/api/chat/', ask('hi', { stream: false }));
    expect(await jsonOf(followed)).toMatchObject({ done: true });
  });

  it('E12 chat-basic', async () => {
    const door = await open();
    const response = await door.post('/api/chat', ask('hi'));
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(NDJSON);
    const records = await recordsOf(response);
    expect(records.length).toBeGreaterThan(10);
    const last = records.pop();
    expect(records.every((record) => record.done === false && !('done_reason' in record))).toBe(true);
    expect(records.every((record) => !('total_duration' in record))).toBe(true);
    expect(last).toMatchObject({
      done: true,
      done_reason: 'stop',
      model: 'stand-in',
      message: { content: '' },
    });
    expect(last?.eval_count).toBe(records.length);
    for (const metric of ['total_duration', 'load_duration', 'prompt_eval_duration', 'eval_duration']) {
      expect(Number.isInteger(last?.[metric]) && Number(last?.[metric]) > 0, metric).toBe(true);
    }
    expect(String(last?.['created_at'])).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/);
  });

  it('E13 chat-nonstream', async () => {
    const door = await open();
    const streamed = textOf(await recordsOf(await door.post('/api/chat', ask('hi'))));
    const response = await door.post('/api/chat', ask('hi', { stream: false }));
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const text = await response.text();
    expect(text.endsWith('}')).toBe(true);
    expect(JSON.parse(text)).toMatchObject({
      message: { content: streamed },
      done: true,
      done_reason: 'stop',
    });
  });

  it('E14 chat-load', async () => {
    const door = await open();
    const response = await door.post('/api/chat', { model: 'stand-in', messages: [] });
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(Object.keys(await jsonOf(response))).toEqual([
      'model',
      'created_at',
      'message',
      'done',
      'done_reason',
    ]);
    expect(door.fake.report().loaded).toEqual(['stand-in:latest']);
  });

  it('E15 chat-unload', async () => {
    const door = await open();
    const unload = { model: 'stand-in', messages: [], keep_alive: 0 };
    expect(await jsonOf(await door.post('/api/chat', unload))).toMatchObject({ done_reason: 'unload' });
    expect(door.fake.report().loaded).toEqual([]);
    await door.post('/api/chat', { model: 'stand-in' });
    expect(door.fake.report().loaded).toEqual(['stand-in:latest']);
    expect(await jsonOf(await door.post('/api/chat', unload))).toMatchObject({ done: true });
    expect(door.fake.report().loaded).toEqual([]);
  });

  it('E16 gen-load / gen-unload', async () => {
    const door = await open();
    const load = await jsonOf(await door.post('/api/generate', { model: 'stand-in', prompt: '' }));
    expect(load).toMatchObject({ response: '', done: true, done_reason: 'load' });
    expect(door.fake.report().loaded).toEqual(['stand-in:latest']);
    const body = { model: 'stand-in', keep_alive: 0 };
    const unload = await jsonOf(await door.post('/api/generate', body));
    expect(unload).toMatchObject({ response: '', done: true, done_reason: 'unload' });
    expect(door.fake.report().loaded).toEqual([]);
  });

  it('E17 gen-empty-prompt-image', async () => {
    const body = { model: 'stand-in-vision', prompt: '', images: ['AAAA'] };
    expect(await jsonOf(await (await open()).post('/api/generate', body))).toMatchObject({
      done_reason: 'load',
    });
  });

  it('E18 gen-context', async () => {
    const door = await open();
    const records = await recordsOf(await door.post('/api/generate', { model: 'stand-in', prompt: 'sky' }));
    const last = records.pop();
    expect(records.some((record) => 'context' in record)).toBe(false);
    expect(last?.['context']).toHaveLength(Number(last?.['prompt_eval_count']) + Number(last?.eval_count));
  });

  it('E19 gen-raw', async () => {
    const body = { model: 'stand-in', prompt: 'sky', raw: true };
    const records = await recordsOf(await (await open()).post('/api/generate', body));
    expect(records.at(-1)).toMatchObject({ done: true });
    expect(records.at(-1)).not.toHaveProperty('context');
  });

  it('E20 gen-raw-conflict', async () => {
    const body = { model: 'stand-in', prompt: 'sky', raw: true, system: 'be brief' };
    await expectJson(await (await open()).post('/api/generate', body), 400, {
      error: 'raw mode does not support template, system, or context',
    });
  });

  it('E21 chat-no-model', async () => {
    await expectJson(await (await open()).post('/api/chat', {}), 400, { error: 'model is required' });
  });

  it('E22 gen-no-model', async () => {
    await expectJson(await (await open()).post('/api/generate', {}), 404, { error: "model '' not found" });
  });

  it.each(['/api/chat', '/api/generate', '/api/show', '/api/embed', '/api/copy'])(
    'E23 empty-body %s',
    async (path) => {
      await expectJson(await (await open()).post(path, ''), 400, { error: 'missing request body' });
    },
  );

  it.each([
    ['chat', { model: 'nope', messages: [] }, "model 'nope' not found"],
    ['show', { model: 'nope' }, "model 'nope:latest' not found"],
    ['embed', { model: 'nope', input: 'x' }, 'model "nope" not found, try pulling it first'],
    ['copy', { source: 'nope', destination: 'other' }, 'model "nope" not found'],
  ])('E24 unknown-model %s', async (path, body, text) => {
    await expectJson(await (await open()).post(`/api/${path}`, body), 404, { error: text });
  });

  it('E25 bad-name', async () => {
    const response = await (await open()).post('/api/chat', { model: 'bad name' });
    await expectJson(response, 400, { error: 'invalid model name' });
  });

  it('E26 no-tools', async () => {
    const tools = [{ type: 'function', function: { name: 'f', parameters: {} } }];
    const response = await (await open({ models: ['plain'] })).post(
      '/api/chat',
      ask('hi', { model: 'plain', tools }),
    );
    await expectJson(response, 400, {
      error: 'registry.ollama.ai/library/plain:latest does not support tools',
    });
  });

  it('E27 no-thinking', async () => {
    const door = await open({ models: ['test'] });
    const chat = (think: unknown) =>
      door.post('/api/chat', ask('hi', { model: 'test', think, stream: false }));
    await expectJson(await chat(true), 400, { error: '"test" does not support thinking' });
    await expectJson(await chat('high'), 400, { error: '"test" does not support thinking' });
    expect((await chat(false)).status).toBe(200);
  });

  it('E28 no-insert', async () => {
    const door = await open({ models: ['test'] });
    const response = await door.post('/api/generate', { model: 'test', prompt: 'a', suffix: 'b' });
    await expectJson(response, 400, {
      error: 'registry.ollama.ai/library/test:latest does not support insert',
    });
  });

  it('E29 embed-model-chat', async () => {
    const door = await open({ models: [{ name: 'bert', capabilities: ['embedding'] }] });
    const chat = await door.post('/api/chat', ask('hi', { model: 'bert' }));
    await expectJson(chat, 400, { error: '"bert" does not support chat' });
    const generate = await door.post('/api/generate', { model: 'bert', prompt: 'x' });
    await expectJson(generate, 400, { error: '"bert" does not support generate' });
  });

  it('E30 think-default', async () => {
    const door = await open();
    const body = ask('hi', { model: 'stand-in-thinking' });
    const records = await recordsOf(await door.post('/api/chat', body));
    const thinking = records.filter((record) => record.message?.thinking);
    expect(thinking.length).toBeGreaterThan(5);
    expect(thinking.every((record) => record.message?.content === '')).toBe(true);
    const off = await recordsOf(await door.post('/api/chat', { ...body, think: false }));
    expect(off.some((record) => record.message?.thinking)).toBe(false);
  });

  it('E31 think-bad', async () => {
    const response = await (await open()).post('/api/chat', ask('hi', { think: 'ultra' }));
    await expectJson(response, 400, {
      error: 'invalid think value: "ultra" (must be "high", "medium", "low", "max", true, or false)',
    });
  });

  it('E34 tools-rendered', async () => {
    const door = await open();
    door.fake.script([callTool('get_weather', { city: 'Paris' })]);
    const records = await recordsOf(await door.post('/api/chat', ask('weather in Paris?')));
    expect(records).toHaveLength(2);
    expect(records[0]).toMatchObject({ done: false, message: { content: '' } });
    const [call] = records[0]?.message?.tool_calls ?? [];
    expect(call?.id).toMatch(/^call_[a-z0-9]{8}$/);
    expect(call?.function).toEqual({ index: 0, name: 'get_weather', arguments: { city: 'Paris' } });
    expect(records[1]).toMatchObject({ done: true, done_reason: 'stop', eval_count: 1 });
  });

  it('E37 tools-parallel', async () => {
    const door = await open();
    door.fake.script([callTool('f', { a: 1 }), callTool('f', { a: 2 })], { times: 2 });
    const records = await recordsOf(await door.post('/api/chat', ask('both')));
    const calls = records.flatMap((record) => record.message?.tool_calls ?? []);
    expect(calls.map((call) => call.function.index)).toEqual([0, 1]);
    expect(new Set(calls.map((call) => call.id)).size).toBe(2);
    const whole = await jsonOf(await door.post('/api/chat', ask('both', { stream: false })));
    expect(whole.message?.tool_calls).toHaveLength(2);
  });

  it.each([
    [429, true],
    [503, false],
  ])('E39 error-prestream %i', async (status, stream) => {
    const door = await open();
    door.fake.script([error('slow <down>', { status, headers: { 'Retry-After': '7' } })]);
    const response = await door.post('/api/chat', ask('hi', { stream }));
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('retry-after')).toBe('7');
    expect(await response.text()).toBe('{"error":"slow \\u003cdown\\u003e"}');
    expect(door.fake.report()).toMatchObject({ openGenerations: 0, disconnects: [] });
  });

  it('E40 error-midstream', async () => {
    const door = await open();
    const message = 'an error was encountered while running the model: unexpected EOF';
    door.fake.script([say('The answer'), error(message)]);
    const response = await door.post('/api/chat', ask('hi'));
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(NDJSON);
    const records = await recordsOf(response);
    expect(textOf(records)).toBe('The answer');
    expect(records.at(-1)).toEqual({ error: message });
    expect(records.some((record) => record.done)).toBe(false);
    expect(door.fake.report()).toMatchObject({ openGenerations: 0, disconnects: [] });
  });

  it('E41 silent-end', async () => {
    const door = await open();
    door.fake.script([say('The answer'), cut()]);
    const records = await recordsOf(await door.post('/api/chat', ask('hi')));
    expect(textOf(records)).toBe('The answer');
    expect(records.at(-1)).toMatchObject({ done: false });
    door.fake.script(cut());
    const nothing = await door.post('/api/chat', ask('hi'));
    expect([nothing.status, await nothing.text()]).toEqual([200, '']);
    expect(door.fake.report()).toMatchObject({ openGenerations: 0, disconnects: [] });
  });

  it('E42 option-type', async () => {
    const response = await (await open()).post('/api/chat', ask('hi', { options: { num_ctx: '8192' } }));
    await expectJson(response, 500, { error: 'option "num_ctx" must be of type integer' });
  });

  it('E43 option-unknown', async () => {
    const response = await (await open()).post('/api/chat', ask('hi', { options: { mirostat: 1 } }));
    expect(response.status).toBe(200);
  });

  it.each([42, 42.5, '42m', -1, -3.14, '-1m', '1h30m', '0'])('E44 keep-alive %j', async (keepAlive) => {
    const response = await (await open()).post('/api/chat', { model: 'stand-in', keep_alive: keepAlive });
    expect(response.status).toBe(200);
  });

  it.each([
    ['-1', 'time: missing unit in duration "-1"'],
    ['300', 'time: missing unit in duration "300"'],
    ['soon', 'time: invalid duration "soon"'],
  ])('E44 keep-alive refused %j', async (keepAlive, text) => {
    const response = await (await open()).post('/api/chat', { model: 'stand-in', keep_alive: keepAlive });
    await expectJson(response, 400, { error: text });
  });

  it('E45 html-escape', async () => {
    const door = await open();
    door.fake.script([say('<b>Tom & Jerry</b>\u2028\u2029 東京')], { times: 2 });
    const streamed = await (await door.post('/api/chat', ask('hi'))).text();
    expect(streamed).not.toMatch(/[<>&\u2028\u2029]/);
    expect(streamed).toContain('東京');
    const whole = await (await door.post('/api/chat', ask('hi', { stream: false }))).text();
    expect(whole).toContain('\\u003cb\\u003eTom \\u0026 Jerry\\u003c/b\\u003e\\u2028\\u2029 東京');
  });

  it('E50 copy ok', async () => {
    const door = await open({ models: ['a'] });
    const response = await door.post('/api/copy', { source: 'a', destination: 'b' });
    expect([response.status, await response.text()]).toEqual([200, '']);
    expect((await door.post('/api/show', { model: 'b' })).status).toBe(200);
  });

  it.each([
    ['text', 1],
    [['one', 'two'], 2],
    ['', 0],
  ])('E53 embed %j, E54 embed-unit', async (input, count) => {
    const response = await (await open()).post('/api/embed', {
      model: 'stand-in-embed',
      input,
      dimensions: 16,
    });
    const { embeddings } = (await jsonOf(response)) as { embeddings: number[][] };
    expect(embeddings).toHaveLength(count);
    for (const vector of embeddings) expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
  });

  it('E56 cors-ok / cors-bad', async () => {
    const door = await open();
    const from = (origin: string, path = '/api/tags') => door.fetch(path, { headers: { origin } });
    const good = await from('http://localhost:3000');
    expect(good.status).toBe(200);
    expect(good.headers.get('access-control-allow-origin')).toBe('http://localhost:3000');
    expect(good.headers.get('vary')).toBe('Origin');
    expect((await from('http://localhost:3000', '/nope')).headers.get('vary')).toBe('Origin');
    for (const origin of ['https://evil.example', 'http://localhost.evil.example', 'null']) {
      const bad = await from(origin);
      expect([bad.status, await bad.text()]).toEqual([403, '']);
      expect(bad.headers.has('access-control-allow-origin')).toBe(false);
    }
  });

  it('E57 preflight', async () => {
    const response = await (await open()).fetch('/api/chat', {
      method: 'OPTIONS',
      headers: { origin: 'http://localhost:3000', 'access-control-request-method': 'POST' },
    });
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-max-age')).toBe('43200');
    expect(response.headers.get('access-control-allow-headers')).not.toMatch(/x-request-id/i);
  });

  it('E69 ps-forever', async () => {
    const door = await open();
    const expiry = async () => {
      const { models } = (await jsonOf(await door.fetch('/api/ps'))) as { models: Record<string, string>[] };
      return (Date.parse(models[0]?.['expires_at'] ?? '') - Date.now()) / 31_557_600_000;
    };
    await door.post('/api/chat', { model: 'stand-in', keep_alive: -1 });
    expect(await expiry()).toBeGreaterThan(200);
    await door.post('/api/chat', { model: 'stand-in', keep_alive: '10m' });
    expect(await expiry()).toBeLessThan(0.001);
  });

  describe.skipIf(!existsSync(fixtures))('has the shape of the transcripts', () => {
    it('E12 of chat', async () => {
      const records = await recordsOf(await (await open()).post('/api/chat', ask('hi')));
      const [first, ...rest] = lines('chat-basic.ndjson');
      expect(shape(records[0])).toEqual(shape(first));
      expect(shape(records.at(-1))).toEqual(shape(rest.at(-1)));
    });

    it('E13 of whole answers', async () => {
      const whole = await jsonOf(await (await open()).post('/api/chat', ask('hi', { stream: false })));
      expect(shape(whole)).toEqual(shape(lines('chat-basic-nonstream.json')[0]));
    });

    it.each([
      ['chat-load.json', '/api/chat', undefined],
      ['chat-unload.json', '/api/chat', 0],
      ['generate-load.json', '/api/generate', undefined],
      ['generate-unload.json', '/api/generate', 0],
    ])('E14 to E16 of %s', async (name, path, keepAlive) => {
      const answer = await (await open()).post(path, { model: 'stand-in', keep_alive: keepAlive });
      expect(shape(await jsonOf(answer))).toEqual(shape(lines(name)[0]));
    });

    it('E18 of generate', async () => {
      const door = await open();
      const records = await recordsOf(await door.post('/api/generate', { model: 'stand-in', prompt: 'sky' }));
      const [first, ...rest] = lines('generate-basic.ndjson');
      expect(shape(records[0])).toEqual(shape(first));
      expect(shape(records.at(-1))).toEqual(shape(rest.at(-1)));
    });

    it('E30 of thinking', async () => {
      const body = ask('hi', { model: 'stand-in-thinking' });
      const records = await recordsOf(await (await open()).post('/api/chat', body));
      expect(shape(records[0])).toEqual(shape(lines('chat-thinking.ndjson')[0]));
    });

    it('E34 of tool calls', async () => {
      const door = await open();
      door.fake.script([callTool('get_weather', { city: 'Paris' })]);
      const records = await recordsOf(await door.post('/api/chat', ask('weather')));
      expect(records.map(shape)).toEqual(lines('chat-tools-single.ndjson').map(shape));
    });

    it('E5 of tags, ps and show', async () => {
      const door = await open();
      await door.post('/api/chat', { model: 'stand-in' });
      expect(shape(await jsonOf(await door.fetch('/api/tags')))).toEqual(shape(lines('tags.json')[0]));
      expect(shape(await jsonOf(await door.fetch('/api/ps')))).toEqual(shape(lines('ps.json')[0]));
      const show = Object.keys(await jsonOf(await door.post('/api/show', { model: 'stand-in' })));
      // No parameters and no tensors: there are none.
      const real = Object.keys(lines('show.json')[0]).filter((name) => !/parameters|tensors/.test(name));
      expect(show).toEqual(real);
    });
  });
});

describe('over a socket only', () => {
  const withHost = (url: string, host: string) =>
    new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
      httpRequest(`${url}/api/version`, { headers: { host } }, (response) => {
        let body = '';
        response.on('data', (chunk) => {
          body += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode, body }));
      })
        .on('error', reject)
        .end();
    });

  it.each([
    'evil.example',
    'evil.example:11434',
    'localhost.evil.example',
    'a.local.example',
    '8.8.8.8',
    '[2001:db8::1]',
  ])('E58 host-guard refuses %s', async (host) => {
    const { url } = await overSocket.open();
    expect(await withHost(url, host)).toEqual({ status: 403, body: '' });
  });

  it.each([
    'localhost',
    'localhost:11434',
    '127.0.0.1:1',
    '[::1]:1',
    '192.168.1.5',
    'gpu.local',
    'a.internal',
  ])('E58 host-guard lets %s pass', async (host) => {
    const { url } = await overSocket.open();
    expect((await withHost(url, host)).status).toBe(200);
  });

  it('sends the status line only with the first record', async () => {
    const clock = createManualClock();
    const door = await overSocket.open({ clock, loadMs: 60_000 });
    let answered = false;
    const pending = door.post('/api/chat', ask('hi')).then((response) => {
      answered = true;
      return response.text();
    });
    await door.fake.waitFor((report) => report.waiting === 1);
    await clock.advance(59_999);
    expect(answered).toBe(false);
    await clock.advance(1);
    expect(await pending).toContain('"done":true');
  });
});
