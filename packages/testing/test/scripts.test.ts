import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  begin,
  callTool,
  createManualClock,
  cut,
  error,
  garbage,
  huge,
  say,
  shape,
  slow,
  stall,
  think,
} from '../src/index.ts';
import { ask, doors, firstChunk, inProcess, jsonOf, overSocket, recordsOf, textOf } from './doors.ts';

describe.each(doors)('scripts, $name', ({ open }) => {
  it('play once, in order, and then the built-in answers return', async () => {
    const { fake, post } = await open();
    fake.script(say('first'));
    fake.script([say('sec'), say('ond')]);
    const text = async () => textOf(await recordsOf(await post('/api/chat', ask('hi'))));
    expect([await text(), await text()]).toEqual(['first', 'second']);
    expect(await text()).toMatch(/stand-in/);
  });

  it('answer only what fits, as often as said', async () => {
    const { fake, post } = await open();
    fake.script(say('about cats'), { contains: 'cat', times: 2 });
    fake.script(say('thought'), { model: 'STAND-IN-thinking', times: Number.POSITIVE_INFINITY });
    const text = async (question: string, model = 'stand-in') =>
      (await jsonOf(await post('/api/chat', ask(question, { model, stream: false })))).message?.content;
    expect(await text('a dog?')).toMatch(/stand-in/);
    expect(await text('a cat?')).toBe('about cats');
    expect(await text('dog?', 'stand-in-thinking:latest')).toBe('thought');
    expect(await text('cats?')).toBe('about cats');
    expect(await text('cats?')).toMatch(/stand-in/);
    expect(await text('again', 'stand-in-thinking')).toBe('thought');
  });

  it('match the last user message, and the prompt of generate', async () => {
    const { fake, post } = await open();
    fake.script(say('yes'), { contains: 'now' });
    const messages = [
      { role: 'user', content: 'now' },
      { role: 'assistant', content: 'now' },
      { role: 'user', content: 'later' },
    ];
    const chat = await jsonOf(await post('/api/chat', { model: 'stand-in', messages, stream: false }));
    expect(chat.message?.content).not.toBe('yes');
    const body = { model: 'stand-in', prompt: 'right now', stream: false };
    expect(await jsonOf(await post('/api/generate', body))).toMatchObject({ response: 'yes' });
  });

  it('think() comes as thinking and is left out when thinking is off', async () => {
    const { fake, post } = await open();
    fake.script([think('hm, well'), say('so')], { times: 3 });
    const body = (more = {}) => ask('x', { model: 'stand-in-thinking', stream: false, ...more });
    const on = await jsonOf(await post('/api/chat', body()));
    expect(on.message).toEqual({ role: 'assistant', content: 'so', thinking: 'hm, well' });
    const off = await jsonOf(await post('/api/chat', body({ think: false })));
    expect(off.message).toEqual({ role: 'assistant', content: 'so' });
    const generate = { model: 'stand-in-thinking', prompt: 'x', stream: false };
    expect(await jsonOf(await post('/api/generate', generate))).toMatchObject({ thinking: 'hm, well' });
  });

  it('garbage() stands in the stream byte for byte', async () => {
    const { fake, post } = await open();
    fake.script([say('ok'), garbage(new Uint8Array([0xff, 0xfe, 0x0a])), garbage('{broken\n'), say('on')]);
    const bytes = new Uint8Array(await (await post('/api/chat', ask('x'))).arrayBuffer());
    const at = bytes.indexOf(0xff);
    expect([...bytes.slice(at, at + 3)]).toEqual([0xff, 0xfe, 0x0a]);
    expect(new TextDecoder().decode(bytes)).toContain('\n{broken\n{"model"');
  });

  it('shape() alone shapes the answer that comes anyway', async () => {
    const { fake, post } = await open();
    fake.script(shape({ status: 203, headers: { 'x-proxy': 'yes' }, limitBytes: 20, limitCut: 'end' }));
    const response = await post('/api/chat', ask('x'));
    expect([response.status, response.headers.get('x-proxy')]).toEqual([203, 'yes']);
    expect(await response.text()).toBe('{"model":"stand-in",');
    fake.script(shape({ headers: { 'content-type': undefined } }), { path: '/api/tags' });
    const tags = await post('/api/tags', {}, { method: 'GET', body: null });
    expect(tags.headers.get('content-type')).toBeNull();
    expect(((await tags.json()) as { models: unknown[] }).models).toHaveLength(4);
  });

  it('begin() sends the status line before anything is said', async () => {
    const { fake, post } = await open({ clock: createManualClock() });
    fake.script([begin(), stall()]);
    const leaving = new AbortController();
    const response = await post('/api/chat', ask('x'), { signal: leaving.signal });
    expect(response.status).toBe(200);
    leaving.abort();
    await fake.waitFor((report) => report.openGenerations === 0);
  });

  it('words that no route of this kind can say are refused with what can be played there', async () => {
    const { fake, post } = await open();
    fake.script(say('x'), { path: '/api/show' });
    const response = await post('/api/show', { model: 'stand-in' });
    expect([response.status, await response.text()]).toEqual([
      500,
      expect.stringMatching(/say\(\).*replay\(\)/),
    ]);
  });

  it('huge() is one record', async () => {
    const { fake, post } = await open();
    fake.script(huge(2_000_000));
    const records = await recordsOf(await post('/api/chat', ask('x')));
    expect(records.map((record) => record.message?.content.length)).toEqual([2_000_000, 0]);
  });

  it('cut("reset") breaks the connection, before the first record and after', async () => {
    const { fake, post } = await open();
    fake.script(cut('reset'));
    await expect(post('/api/chat', ask('x'))).rejects.toThrow(TypeError);
    fake.script([say('half'), cut('reset')]);
    const response = await post('/api/chat', ask('x'));
    await expect(response.text()).rejects.toThrow(TypeError);
    expect(fake.report()).toMatchObject({ openGenerations: 0, disconnects: [] });
  });

  it('cut() of a whole answer leaves half of the JSON', async () => {
    const { fake, post } = await open();
    fake.script([say('half an answer'), cut()]);
    const text = await (await post('/api/chat', ask('x', { stream: false }))).text();
    expect(text).toMatch(/^\{"model"/);
    expect(() => JSON.parse(text)).toThrow(SyntaxError);
    fake.script([think('hm'), cut('reset')]);
    const reset = await post('/api/chat', ask('x', { stream: false }));
    await expect(reset.text()).rejects.toThrow(TypeError);
    await (await post('/api/version', '')).text();
    expect(fake.report()).toMatchObject({ openGenerations: 0, disconnects: [] });
  });

  it('error() can have its own body', async () => {
    const { fake, post } = await open();
    fake.script(error('', { status: 502, body: '<html>', headers: { 'content-type': 'text/html' } }));
    const response = await post('/api/chat', ask('x'));
    expect([response.status, response.headers.get('content-type')]).toEqual([502, 'text/html']);
    expect(await response.text()).toBe('<html>');
  });

  it('error() in a whole answer has its status, whatever came before', async () => {
    const { fake, post } = await open();
    fake.script([say('some'), error('boom', { status: 500 })]);
    const response = await post('/api/chat', ask('x', { stream: false }));
    expect([response.status, await response.text()]).toEqual([500, '{"error":"boom"}']);
  });

  it('callTool() works in generate too', async () => {
    const { fake, post } = await open();
    fake.script(callTool('f'));
    const records = await recordsOf(await post('/api/generate', { model: 'stand-in', prompt: 'x' }));
    expect(records[0]).toMatchObject({
      response: '',
      tool_calls: [{ function: { name: 'f', arguments: {} } }],
    });
  });

  it('num_predict and stop end a script as they end an answer', async () => {
    const { fake, post } = await open();
    fake.script(say('one two three STOP four'), { times: 2 });
    const run = async (options: object) => recordsOf(await post('/api/chat', ask('x', { options })));
    const short = await run({ num_predict: 2 });
    expect(textOf(short)).toBe('one two');
    expect(short.at(-1)).toMatchObject({ done_reason: 'length', eval_count: 2 });
    const stopped = await run({ stop: ['e ST'] });
    expect(textOf(stopped)).toBe('one two thre');
    expect(stopped.at(-1)).toMatchObject({ done_reason: 'stop', eval_count: stopped.length - 1 });
  });

  it('a prompt beyond num_ctx counts as half the window, and nothing says so', async () => {
    const { post } = await open();
    const options = { num_ctx: 20 };
    const long = await jsonOf(await post('/api/chat', ask('word '.repeat(50), { options, stream: false })));
    expect(long).toMatchObject({ prompt_eval_count: 10, done_reason: 'stop' });
    const short = await jsonOf(await post('/api/chat', ask('word word', { options, stream: false })));
    expect(short['prompt_eval_count']).toBe(6);
  });

  it('reset() ends what is open and forgets scripts and report', async () => {
    const { fake, post } = await open();
    fake.script(stall());
    fake.script(say('never'));
    const open1 = post('/api/chat', ask('x')).catch((cause: unknown) => cause);
    await fake.waitFor((report) => report.openGenerations === 1);
    fake.reset();
    expect(await open1).toBeInstanceOf(TypeError);
    expect(fake.report()).toEqual({
      requests: [],
      openGenerations: 0,
      waiting: 0,
      disconnects: [],
      loaded: [],
    });
    const text = textOf(await recordsOf(await post('/api/chat', ask('x'))));
    expect(text).not.toContain('never');
  });

  it('the report has what was asked and when', async () => {
    const clock = createManualClock();
    const { fake, post } = await open({ clock, loadMs: 500 });
    fake.script([say('a b'), stall(1000)]);
    const answer = post('/api/chat?x=1', ask('hi'), { headers: { 'X-Test': 'yes' } }).then((r) => r.text());
    await fake.waitFor((report) => report.waiting === 1);
    await clock.advance(500);
    await fake.waitFor((report) => report.requests[0]?.records === 2);
    await clock.advance(1000);
    await answer;
    expect(fake.report().requests).toEqual([
      {
        id: 1,
        method: 'POST',
        path: '/api/chat',
        headers: expect.objectContaining({ 'x-test': 'yes' }),
        body: ask('hi'),
        startedAt: 0,
        firstByteAt: 500,
        endedAt: 1500,
        disconnectedAt: undefined,
        records: 3,
      },
    ]);
  });
});

it('slow() and stall() change the pace of the clock', async () => {
  const clock = createManualClock();
  const { fake, post } = await inProcess.open({ clock, tokensPerSecond: 10 });
  fake.script([say('a b'), slow(1), say(' c d'), stall(5000), say(' e')]);
  const arrivals: number[] = [];
  const reading = post('/api/chat', ask('x')).then(async (response) => {
    for await (const _ of response.body as ReadableStream<Uint8Array>) arrivals.push(clock.now());
  });
  await clock.advance(20_000);
  await reading;
  expect(arrivals).toEqual([100, 200, 1200, 2200, 8200, 8200]);
});

it('waitFor() says what it saw when the condition never holds', async () => {
  const { fake } = await inProcess.open();
  await expect(fake.waitFor(() => false, 1)).rejects.toThrow(/within 1 ms \(0 requests/);
  await expect(
    fake.waitFor(() => {
      throw new RangeError('mine');
    }),
  ).rejects.toThrow('mine');
});

it('close() of a server resets open answers and keeps the report', async () => {
  const { startFakeOllama } = await import('../src/node.ts');
  const server = await startFakeOllama();
  server.fake.script([say('half'), stall()]);
  const response = await fetch(`${server.url}/api/chat`, { method: 'POST', body: JSON.stringify(ask('x')) });
  await server.close();
  await expect(response.text()).rejects.toThrow(TypeError);
  expect(server.fake.report()).toMatchObject({ openGenerations: 0, disconnects: [], loaded: [] });
  expect(server.fake.report().requests).toHaveLength(1);
  await expect(fetch(server.url)).rejects.toThrow(TypeError);
  await server.close();
});

it('a reader that does not read holds the writer back', async () => {
  const { fake, url } = await overSocket.open();
  fake.script(Array.from({ length: 400 }, () => huge(100_000)));
  const response = await fetch(`${url}/api/chat`, { method: 'POST', body: JSON.stringify(ask('x')) });
  const sent = () => fake.report().requests[0]?.records ?? 0;
  let before = -1;
  // It stands still when the buffers of both ends are full, far below the 40 MB of the answer.
  while (sent() !== before) {
    before = sent();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(before).toBeGreaterThan(0);
  expect(before).toBeLessThan(200);
  expect((await response.text()).length).toBeGreaterThan(40_000_000);
});

it('nothing runs ahead of a reader in process', async () => {
  const { fake, post } = await inProcess.open();
  fake.script(say('one two three four five'));
  const { cancel } = await firstChunk(await post('/api/chat', ask('x')));
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(fake.report().requests[0]?.records).toBeLessThanOrEqual(2);
  await cancel();
});

it('the report keeps the newest thousand requests', async () => {
  const { fake, fetch: get } = await inProcess.open();
  for (let count = 0; count < 1001; count++) await get('/');
  const { requests } = fake.report();
  expect([requests.length, requests[0]?.id, requests.at(-1)?.id]).toEqual([1000, 2, 1001]);
});

it.each([
  ['before the first record', stall()],
  ['after it', [say('one'), stall()]],
])('a half-closed connection is a client that left, as it is for Go: %s', async (_when, steps) => {
  const { fake, url } = await overSocket.open();
  fake.script(steps);
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  const body = JSON.stringify(ask('x'));
  socket.on('error', () => {});
  socket.write(`POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  await fake.waitFor((report) => report.openGenerations === 1);
  socket.end();
  await fake.waitFor((report) => report.openGenerations === 0 && report.disconnects.length === 1);
  socket.destroy();
});
