import type { StreamEvent } from '@ziggie/llm-protocol';
import { callTool, say, think } from '@ziggie/llm-testing';
import { createParser } from 'eventsource-parser';
import { describe, expect, test } from 'vitest';
import { chunk, lastRecord, streamEnd, streamHead, textRecord } from '../raw-ollama.ts';
import {
  eventsOf,
  expectWellFormed,
  question,
  readerOf,
  startWithFake,
  startWithRaw,
  textOf,
  until,
} from '../stream-harness.ts';

const tool = {
  type: 'function',
  function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
};

describe('POST /chat', () => {
  test('streams events in NDJSON: start, text, usage, done, numbered without gaps', async () => {
    const { ask, ollama, log } = await startWithFake();
    ollama.fake.script([say('One two three.')]);
    const response = await ask('/chat', question());
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    expect(response.headers.get('cache-control')).toBe('no-store, no-transform');
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    expect(response.headers.get('x-request-id')).toMatch(/^req_[0-9a-f]{32}$/);
    expect(response.headers.get('server-timing')).toMatch(/auth;dur=.*model;dur=.*total;dur=/);
    const events = await eventsOf(response);
    expectWellFormed(events);
    expect(events[0]).toEqual({
      type: 'start',
      seq: 0,
      id: response.headers.get('x-ziggie-stream-id'),
      model: 'stand-in',
      upstreamModel: 'stand-in:latest',
      resumable: false,
    });
    expect(textOf(events)).toBe('One two three.');
    const usage = events.at(-2);
    expect(usage).toMatchObject({ type: 'usage', source: 'upstream' });
    const done = events.at(-1);
    if (done?.type !== 'done') throw new Error('no done');
    expect(done.finishReason).toBe('stop');
    expect(done.timings.totalMs).toBeGreaterThan(0);
    expect(done.timings.ttftMs).toBeGreaterThan(0);
    expect(done.timings.ttftMs as number).toBeLessThanOrEqual(done.timings.totalMs as number);
    expect(log).toHaveLength(1);
    expect(log[0]).toMatchObject({ level: 'info', outcome: 'ok', status: 200, model: 'stand-in:latest' });
  });

  test('streams the same events as server-sent events when asked to', async () => {
    const { ask, ollama } = await startWithFake();
    ollama.fake.script([say('Grüße, 世界 👋')]);
    const response = await ask('/chat', question(), { headers: { accept: 'text/event-stream' } });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const events: StreamEvent[] = [];
    const ids: (string | undefined)[] = [];
    const parser = createParser({
      onEvent(message) {
        ids.push(message.id);
        events.push(JSON.parse(message.data) as StreamEvent);
      },
    });
    parser.feed(await response.text());
    expectWellFormed(events);
    expect(ids).toEqual(events.map((event) => String(event.seq)));
    expect(textOf(events)).toBe('Grüße, 世界 👋');
  });

  test('gives thinking apart from text, and tool calls whole', async () => {
    const { ask, ollama } = await startWithFake(
      {},
      { models: [{ name: 'all', capabilities: ['completion', 'thinking', 'tools'] }] },
    );
    ollama.fake.script([think('Hm.'), say('Let me look.'), callTool('weather', { city: 'Oslo' })]);
    const events = await eventsOf(
      await ask('/chat', { ...question('Hi', 'all'), tools: [tool], think: true }),
    );
    expectWellFormed(events);
    expect(events.map((event) => (event.type === 'thinking-delta' ? event.text : '')).join('')).toBe('Hm.');
    expect(textOf(events)).toBe('Let me look.');
    const calls = events.filter((event) => event.type === 'tool-call');
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject({ name: 'weather', arguments: { city: 'Oslo' } });
    expect(events.at(-1)).toMatchObject({ type: 'done', finishReason: 'tool_calls' });
  });

  test('stream: false gives one record in the shape of Ollama', async () => {
    const { ask, ollama, log } = await startWithFake(
      {},
      { models: [{ name: 'all', capabilities: ['completion', 'thinking', 'tools'] }] },
    );
    ollama.fake.script([think('Hm.'), say('Hello there.'), callTool('weather', { city: 'Oslo' })]);
    const body = { ...question('Hi', 'all'), tools: [tool], think: true, stream: false };
    const response = await ask('/chat', body);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    const record = (await response.json()) as Record<string, unknown>;
    expect(record).toMatchObject({
      model: 'all',
      message: {
        role: 'assistant',
        content: 'Hello there.',
        thinking: 'Hm.',
        tool_calls: [{ function: { index: 0, name: 'weather', arguments: { city: 'Oslo' } } }],
      },
      done: true,
      done_reason: 'stop',
    });
    expect(record['created_at']).toMatch(/^\d{4}-\d\d-\d\dT/);
    expect(record['eval_count']).toBeGreaterThan(0);
    expect(log).toHaveLength(1);
    expect(log[0]).toMatchObject({ outcome: 'ok', outputTokens: record['eval_count'] });
  });
});

describe('POST /generate and /generate-complete', () => {
  test('/generate streams, /generate-complete gives one record', async () => {
    const { ask, ollama } = await startWithFake();
    ollama.fake.script([say('Once upon a time.')], { times: 2 });
    const events = await eventsOf(await ask('/generate', { model: 'stand-in', prompt: 'Tell' }));
    expectWellFormed(events);
    expect(textOf(events)).toBe('Once upon a time.');
    const response = await ask('/generate-complete', { model: 'stand-in', prompt: 'Tell' });
    const record = (await response.json()) as Record<string, unknown>;
    expect(record).toMatchObject({
      model: 'stand-in',
      response: 'Once upon a time.',
      done: true,
      done_reason: 'stop',
    });
    expect(record).not.toHaveProperty('message');
  });

  test('an answer that reaches its length says so in both forms', async () => {
    const { ask, ollama } = await startWithFake();
    ollama.fake.script([say('one two three four five six seven')], { times: 2 });
    const body = { model: 'stand-in', prompt: 'Count', max_tokens: 2 };
    const events = await eventsOf(await ask('/generate', body));
    expect(events.at(-1)).toMatchObject({ type: 'done', finishReason: 'length' });
    const record = (await (await ask('/generate-complete', body)).json()) as Record<string, unknown>;
    expect(record['done_reason']).toBe('length');
  });
});

describe('connections to the model server', () => {
  test('are used again after good answers, and none counts as broken off', async () => {
    const { ask, raw } = await startWithRaw(({ socket }) => {
      socket.write(streamHead);
      socket.write(chunk(textRecord('Hi')));
      setImmediate(() => socket.write(chunk(lastRecord)));
      // The end of the framing comes in a packet of its own: it is waited for.
      setTimeout(() => socket.write(streamEnd), 10);
    });
    for (let turn = 0; turn < 20; turn++) {
      const events = await eventsOf(await ask('/chat', question('Hi', 'raw')));
      expect(events.at(-1)?.type).toBe('done');
    }
    // One for the generation, the others for the looks at what is loaded, which are asked meanwhile.
    expect(raw.sockets).toBeLessThanOrEqual(3);
    expect(raw.exchanges).toHaveLength(20);
  });

  test('the stand-in sees no disconnects after good answers', async () => {
    const { ask, ollama } = await startWithFake();
    for (let turn = 0; turn < 5; turn++) await (await ask('/chat', question())).text();
    for (let turn = 0; turn < 5; turn++) await (await ask('/chat', { ...question(), stream: false })).text();
    expect(ollama.fake.report().disconnects).toEqual([]);
    expect(ollama.fake.report().openGenerations).toBe(0);
  });

  test('an answer whose last record has come is good although the connection never ends', async () => {
    const { ask, raw } = await startWithRaw(({ socket }) => {
      socket.write(streamHead);
      socket.write(chunk(textRecord('Hi') + lastRecord));
    });
    const events = await eventsOf(await ask('/chat', question('Hi', 'raw')));
    expect(events.at(-1)?.type).toBe('done');
    await raw.exchanges[0]?.closed;
  });
});

test('a hint before the answer (103) is not taken for the answer', async () => {
  const { ask } = await startWithRaw(({ socket }) => {
    socket.write('HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n');
    socket.write(streamHead);
    socket.write(Buffer.concat([chunk(textRecord('Hi') + lastRecord), Buffer.from(streamEnd)]));
  });
  const response = await ask('/chat', question('Hi', 'raw'));
  expect(response.status).toBe(200);
  expect(textOf(await eventsOf(response))).toBe('Hi');
});

describe('a slow reader', () => {
  test('stops the reading from the model server, and gets everything in the end', async () => {
    const piece = textRecord('x'.repeat(64 * 1024));
    const pieces = 640;
    let sent = 0;
    const { ask } = await startWithRaw(({ socket }) => {
      socket.write(streamHead);
      const pump = () => {
        while (sent < pieces) {
          sent++;
          if (!socket.write(chunk(piece))) {
            socket.once('drain', pump);
            return;
          }
        }
        socket.end(Buffer.concat([chunk(lastRecord), Buffer.from(streamEnd)]));
      };
      pump();
    });
    const reader = readerOf(await ask('/chat', question('Hi', 'raw')));
    await reader.next();
    // Nothing is read for a while: what has been sent stops growing.
    let before = -1;
    await until(() => {
      const still = sent === before;
      before = sent;
      return still && sent > 0;
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    // Socket buffers of the kernel on both ends (a few MiB), not the 40 MiB of the source.
    expect(sent).toBeLessThan(pieces / 3);
    const rest = await reader.rest();
    expect(rest.length).toBeGreaterThan((pieces - 3) * 64 * 1024);
    expect(rest).toContain('"type":"done"');
  });
});
