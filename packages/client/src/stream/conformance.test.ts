import { describe, expect, test } from 'vitest';
import { fixture, fixtures, hasFixtures } from '../../test/fixtures.ts';
import { askInChunks, bytes, eventsOf, resultOf } from '../../test/in-chunks.ts';
import { failureOf, last, piece, question } from '../../test/samples.ts';
import {
  lines,
  linesThenHangUp,
  linesThenSilence,
  reply,
  serve,
  silence,
  toLines,
} from '../../test/scripted-server.ts';
import { AbortedError, createClient, HttpError, StreamError } from '../index.ts';
import type { ChatEvent } from '../types.ts';

const whole = fixtures(/^(?:chat|generate)-.*\.ndjson$/).filter(
  (name) => !/error|truncated|empty-200/.test(name),
);

describe.skipIf(!hasFixtures)('transcripts', () => {
  test('there are transcripts to cut', () => {
    expect(whole.length).toBeGreaterThanOrEqual(14);
  });

  test.each(whole)(
    'C70 split-anywhere: %s in two chunks, cut at every byte, gives the same events',
    async (name) => {
      const answer = fixture(name);
      const expected = await eventsOf([answer]);
      expect(expected.at(-1)?.type).toBe('done');
      for (let at = 1; at < answer.length; at++) {
        expect(await eventsOf([answer.subarray(0, at), answer.subarray(at)]), `cut at ${at}`).toEqual(
          expected,
        );
      }
    },
  );

  test.each(whole)('C70 split-anywhere: %s byte by byte gives the same events', async (name) => {
    const answer = fixture(name);
    expect(await eventsOf([...answer].map((byte) => Uint8Array.of(byte)))).toEqual(await eventsOf([answer]));
  });

  test.each(whole)('%s ending early at any byte never looks like success', async (name) => {
    const answer = fixture(name);
    // The last record is complete one byte before the end: only its line end is missing then (C71).
    for (let length = 0; length < answer.length - 1; length++) {
      const error = await failureOf(resultOf([answer.subarray(0, length)]));
      expect(error, `ended after ${length}`).toMatchObject({ code: 'truncated', retryable: true });
    }
    await resultOf([answer.subarray(0, answer.length - 1)]);
  });

  test.each(whole)('C71 crlf-blank: %s with CRLF, blank lines, a BOM and no last line end', async (name) => {
    const answer = fixture(name).toString();
    const mangled = `\ufeff${answer.replaceAll('\n', '\r\n\r\n \n').trimEnd()}`;
    expect(await eventsOf([bytes(mangled)])).toEqual(await eventsOf([bytes(answer)]));
  });

  test('C74 missing-done: an answer without its last record is an error that carries the text', async () => {
    const error = await failureOf(resultOf([fixture('chat-truncated-no-done.ndjson')]));
    expect(error).toBeInstanceOf(StreamError);
    expect(error).toMatchObject({ code: 'truncated', phase: 'stream', partial: { text: 'hahaha' } });
  });

  test('C74 missing-done: an empty 200 is an error', async () => {
    const error = await failureOf(resultOf([fixture('chat-empty-200.ndjson')]));
    expect(error).toMatchObject({ code: 'truncated', phase: 'first-token', partial: { text: '' } });
  });

  test('C75 done-payload: tool calls in the last record are delivered', async () => {
    const { toolCalls, finishReason } = await resultOf([fixture('chat-tools-on-done-rendered.ndjson')]);
    expect(toolCalls).toEqual([{ id: 'call_0zq8m1tr', name: 'get_weather', arguments: { city: 'Seattle' } }]);
    expect(finishReason).toBe('tool_calls');
  });

  test('C76 mixed-chunk: thinking comes before the text of the same record', async () => {
    const events = await eventsOf([fixture('chat-thinking-mixed-chunk.ndjson')]);
    expect(events.map((event) => ('text' in event ? `${event.type} ${event.text}` : event.type))).toEqual([
      'start',
      'thinking-delta Easy.',
      'thinking-delta  Done.',
      'text-delta 4',
      'usage',
      'done',
    ]);
  });

  test('C77 legacy-200-error: an error line in a 200 is no empty success', async () => {
    const error = await failureOf(resultOf([fixture('chat-legacy-error-first-line.ndjson')]));
    expect(error).toBeInstanceOf(HttpError);
    expect(error).toMatchObject({ code: 'runner_crashed', status: 502, retryable: true });
  });

  test('C79 index-collision: two calls with index 0 are two calls', async () => {
    const collided = fixture('chat-tools-parallel.ndjson').toString().replaceAll('"index":1', '"index":0');
    const { toolCalls } = await resultOf([bytes(collided)]);
    expect(toolCalls.map((call) => call.arguments['city'])).toEqual(['Paris', 'Oslo']);
    expect(new Set(toolCalls.map((call) => call.id)).size).toBe(2);
  });
});

test('C71 crlf-blank: line ends of any kind, also inside our own small transcript', async () => {
  const answer = toLines(piece('Grüße '), piece('👋'), last);
  const expected = await eventsOf([bytes(answer)]);
  expect(await eventsOf([bytes(`\ufeff\r\n${answer.replaceAll('\n', '\r\n\n')}`)])).toEqual(expected);
  expect(await eventsOf([bytes(answer.trimEnd())])).toEqual(expected);
});

test('C72 long-line: a last record of 2 MB and more is read in linear time', async () => {
  const timeFor = async (megabytes: number): Promise<number> => {
    const context = new Array(megabytes * 150_000).fill(262_143).join(',');
    const answer = bytes(
      `${toLines(piece('ok'))}{"message":{"content":""},"done":true,"context":[${context}]}\n`,
    );
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < answer.length; at += 1_400) chunks.push(answer.subarray(at, at + 1_400));
    const before = process.threadCpuUsage().user;
    expect((await resultOf(chunks)).text).toBe('ok');
    return process.threadCpuUsage().user - before;
  };
  await timeFor(1);
  let [small, large] = [0, 0];
  for (let round = 0; round < 4; round++) {
    small += await timeFor(2);
    large += await timeFor(8);
  }
  // Thread CPU: what else the machine does is not in it. Its clock ticks in steps of milliseconds, hence the sums.
  // Quadratic work would be 16 times as much.
  expect(large / small).toBeLessThan(10);
});

test('C72 long-line: a record beyond 16 MiB is an error, not memory', async () => {
  const error = await failureOf(
    resultOf([bytes(toLines(piece('ok'))), new Uint8Array(17 * 2 ** 20).fill(97)]),
  );
  expect(error).toMatchObject({ code: 'response_too_large', retryable: false, partial: { text: 'ok' } });
});

test('C72 long-line: an answer beyond 64 MiB is an error', async () => {
  const record = bytes(toLines(piece('x'.repeat(15 * 2 ** 20))));
  const error = await failureOf(resultOf([record, record, record, record, record]));
  expect(error).toMatchObject({ code: 'response_too_large', retryable: false });
});

test.each([
  ['half a record', '{"message":{"content":"lost"}\n'],
  ['words', 'oops\n'],
  ['a value that is no record', '42\n'],
  ['a list', '[]\n'],
  ['null', 'null\n'],
  ['bytes that are no UTF-8', new Uint8Array([0x22, 0xff, 0xfe, 0x22, 0x0a])],
  ['JSON that nests too deep', `${'['.repeat(200)}${']'.repeat(200)}\n`],
])('C73 corrupt-line: %s between good records is an error, never skipped', async (_, line) => {
  const corrupt = typeof line === 'string' ? bytes(line) : line;
  const chunks = [bytes(toLines(piece('kept'))), corrupt, bytes(toLines(piece(' not reached'), last))];
  const joined = Buffer.concat(chunks);
  for (const form of [chunks, [joined]]) {
    const seen: ChatEvent[] = [];
    const error = await failureOf(
      (async () => {
        for await (const event of askInChunks(form)) seen.push(event);
      })(),
    );
    expect(error).toBeInstanceOf(StreamError);
    expect(error).toMatchObject({ code: 'malformed_record', phase: 'stream', partial: { text: 'kept' } });
    expect(error).toHaveProperty('message', expect.not.stringContaining('lost'));
    expect(seen.at(-1)).toEqual({ type: 'text-delta', text: 'kept' });
  }
});

test('C73 corrupt-line: the connection closes at once, also while nobody reads on', async () => {
  const server = await serve(({ response }) => void response.write(`${toLines(piece('kept'))}oops\n`));
  const stream = createClient({ baseUrl: server.url, target: 'ollama' }).chat(question);
  const iterator = stream[Symbol.asyncIterator]();
  expect(await iterator.next()).toMatchObject({ value: { type: 'start' } });
  const exchange = await server.arrived(1);
  await exchange.closed;
  expect(exchange.left).toBe(true);
  expect(await iterator.next()).toMatchObject({ value: { text: 'kept' } });
  expect(await failureOf(iterator.next())).toMatchObject({ code: 'malformed_record' });
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
});

test('C81 abort-before-headers: a silent server sees the socket close at once', async () => {
  const server = await serve(silence);
  const stream = createClient({ baseUrl: server.url, target: 'ollama' }).chat(question);
  const reading = failureOf(stream.text());
  const exchange = await server.arrived(1);
  const before = performance.now();
  stream.abort('enough');
  const error = await reading;
  await exchange.closed;
  expect(performance.now() - before).toBeLessThan(1000);
  expect(exchange.left).toBe(true);
  expect(error).toBeInstanceOf(AbortedError);
  expect(error).toMatchObject({ name: 'AbortError', code: 'aborted', cause: 'enough', phase: 'first-token' });
});

test('C82 break-closes: leaving the loop closes the socket', async () => {
  const server = await serve(linesThenSilence(piece('one'), piece('two')));
  for await (const event of createClient({ baseUrl: server.url, target: 'ollama' }).chat(question)) {
    if (event.type === 'text-delta') break;
  }
  const [exchange] = server.exchanges;
  await exchange?.closed;
  expect(exchange?.left).toBe(true);
});

test('C86 no-mutation: the request of the caller is left as it was, and later changes change nothing', async () => {
  const server = await serve(lines(piece('ok'), last));
  const request = {
    model: 'm',
    messages: [{ role: 'user' as const, content: 'Hello', images: ['aGk='] }],
    options: { seed: 1 },
  };
  const copy = structuredClone(request);
  const stream = createClient({ baseUrl: server.url, target: 'ollama' }).chat(Object.freeze(request));
  expect(request).toEqual(copy);
  request.messages[0]?.images.push('Y2hhbmdlZA==');
  await stream.final();
  expect(JSON.parse(server.exchanges[0]?.body ?? '')).toEqual({ ...copy, stream: true });
});

test('a connection that breaks in the middle is truncated and keeps the text', async () => {
  const server = await serve(linesThenHangUp(piece('half an ans')));
  const error = await failureOf(
    createClient({ baseUrl: server.url, target: 'ollama' }).chat(question).text(),
  );
  expect(error).toMatchObject({
    code: 'truncated',
    phase: 'stream',
    partial: { text: 'half an ans' },
    attempts: [{ number: 1, status: 200, code: 'truncated' }],
  });
});

test('what follows the last record is ignored', async () => {
  const answer = `${toLines(piece('ok'), last)}{"message":{"content":"more"}}\nnot even JSON`;
  expect((await resultOf([bytes(answer)])).text).toBe('ok');
});

test('bytes that are no UTF-8 after the last record of the same chunk are ignored', async () => {
  const answer = Buffer.concat([bytes(toLines(piece('ok'), last)), Uint8Array.of(0xff, 0x0a)]);
  expect((await resultOf([answer])).text).toBe('ok');
});

test('a stream that ends on done_reason without done counts as whole', async () => {
  const answer = toLines(piece('ok'), { message: { content: '' }, done_reason: 'stop' });
  expect((await resultOf([bytes(answer)])).text).toBe('ok');
});

test('a page in place of an answer is said to be one, and not asked for again', async () => {
  const server = await serve(
    reply(200, '<html>Sign in to the hotel</html>', { 'Content-Type': 'text/html' }),
  );
  const error = await failureOf(createClient({ baseUrl: server.url }).chat(question).text());
  expect(error).toMatchObject({ code: 'malformed_record', status: 200, retryable: false });
  expect(error).toHaveProperty('message', expect.stringContaining('web page'));
  expect(server.exchanges).toHaveLength(1);
});
