import type { Script } from '@ziggie/llm-testing';
import { cut, error, garbage, huge, say } from '@ziggie/llm-testing';
import { describe, expect, test } from 'vitest';
import {
  chunk,
  lastRecord,
  type RawExchange,
  startRawOllama,
  streamEnd,
  streamHead,
  textRecord,
  whole,
} from '../raw-ollama.ts';
import {
  closeLater,
  eventsOf,
  expectWellFormed,
  problemOf,
  question,
  startBench,
  startWithFake,
  startWithRaw,
  textOf,
} from '../stream-harness.ts';

const streamed = (...bodies: (string | Uint8Array)[]) =>
  Buffer.concat([Buffer.from(streamHead), ...bodies.map((body) => chunk(body))]);
const reset = ({ socket }: RawExchange) => setTimeout(() => socket.resetAndDestroy(), 20);

/** Faults before any event: name, what the server does, status and code of the answer, Retry-After. */
const early: [string, (exchange: RawExchange) => void, number, string, string?][] = [
  ['a reset before the head', reset, 502, 'upstream_error'],
  ['a connection closed before the head', ({ socket }) => void socket.end(), 502, 'upstream_error'],
  [
    'something that is not HTTP',
    ({ socket }) => void socket.end('SSH-2.0-OpenSSH\r\n'),
    502,
    'upstream_error',
  ],
  ['an empty 200', ({ socket }) => void socket.write(whole('')), 502, 'truncated'],
  [
    'an HTML page with 200',
    ({ socket }) =>
      void socket.write(whole('<html>hi</html>', undefined, ['content-type: text/html; charset=utf-8'])),
    502,
    'malformed_record',
  ],
  [
    'a redirect',
    ({ socket }) =>
      void socket.write(whole('', 'HTTP/1.1 302 Found', ['location: http://127.0.0.1:1/api/chat'])),
    502,
    'upstream_error',
  ],
  [
    '400',
    ({ socket }) => void socket.write(whole('{"error":"invalid format"}', 'HTTP/1.1 400 Bad')),
    400,
    'bad_request',
  ],
  [
    '401',
    ({ socket }) => void socket.write(whole('{"error":"unauthorized"}', 'HTTP/1.1 401 No')),
    502,
    'upstream_error',
  ],
  ['403', ({ socket }) => void socket.write(whole('', 'HTTP/1.1 403 No')), 502, 'upstream_error'],
  [
    '404 of a model that was removed meanwhile',
    ({ socket }) =>
      void socket.write(whole('{"error":"model \\"raw\\" not found"}', 'HTTP/1.1 404 Not Found')),
    404,
    'model_not_found',
  ],
  [
    '404 of a path',
    ({ socket }) => void socket.write(whole('404 page not found', 'HTTP/1.1 404 Not Found')),
    502,
    'upstream_error',
  ],
  [
    '429',
    ({ socket }) => void socket.write(whole('{}', 'HTTP/1.1 429 Slow', ['retry-after: 7'])),
    503,
    'server_busy',
    '7',
  ],
  [
    '503',
    ({ socket }) =>
      void socket.write(
        whole(
          '{"error":"server busy, please try again.  maximum pending requests exceeded"}',
          'HTTP/1.1 503 Busy',
        ),
      ),
    503,
    'server_busy',
    '2',
  ],
  [
    '503 with a time',
    ({ socket }) => void socket.write(whole('', 'HTTP/1.1 503 Busy', ['retry-after: 11'])),
    503,
    'server_busy',
    '11',
  ],
  [
    '500',
    ({ socket }) => void socket.write(whole('{"error":"boom"}', 'HTTP/1.1 500 No')),
    502,
    'upstream_error',
  ],
  [
    '500 of a GPU that is full',
    ({ socket }) => void socket.write(whole('{"error":"CUDA error: out of memory"}', 'HTTP/1.1 500 No')),
    500,
    'out_of_memory',
  ],
  [
    'an error body that breaks off',
    ({ socket }) => void socket.end('HTTP/1.1 500 No\r\ncontent-length: 100\r\n\r\n{"error":"bo'),
    502,
    'upstream_error',
  ],
  [
    'a clean end before any record',
    ({ socket }) => void socket.write(Buffer.concat([streamed(), Buffer.from(streamEnd)])),
    502,
    'truncated',
  ],
  ['garbage', ({ socket }) => void socket.write(streamed('not json\n')), 502, 'malformed_record'],
  ['a number for a record', ({ socket }) => void socket.write(streamed('42\n')), 502, 'malformed_record'],
  [
    'bytes that are not UTF-8',
    ({ socket }) => void socket.write(streamed(Buffer.from([0x7b, 0xff, 0xfe, 0x0a]))),
    502,
    'malformed_record',
  ],
  [
    'an error record',
    ({ socket }) => void socket.write(streamed('{"error":"llama runner process no longer running: -1"}\n')),
    502,
    'runner_crashed',
  ],
];

describe.each(early)('%s before the first event', (_name, answer, status, code, retryAfter) => {
  test.each([true, false])('is a problem with its real status (stream: %s)', async (stream) => {
    const { ask, log, raw } = await startWithRaw(answer);
    const response = await ask('/chat', { ...question('Hi', 'raw'), stream });
    expect(response.status).toBe(status);
    const problem = await problemOf(response);
    expect(problem).toMatchObject({ code, status });
    expect(response.headers.get('retry-after')).toBe(retryAfter ?? null);
    expect(problem.retryAfterMs).toBe(retryAfter === undefined ? undefined : Number(retryAfter) * 1000);
    expect(problem.requestId).toBe(response.headers.get('x-request-id'));
    expect(log).toHaveLength(1);
    expect(log[0]).toMatchObject({ outcome: status < 500 ? log[0]?.['outcome'] : 'failed', status, code });
    expect(raw.exchanges).toHaveLength(1);
  });
});

/** Faults after text was passed on. */
const late: [string, (exchange: RawExchange) => void, string][] = [
  ['a reset', reset, 'truncated'],
  ['a half-closed connection', ({ socket }) => void setTimeout(() => socket.end(), 5), 'truncated'],
  ['a clean early end', ({ socket }) => void socket.write(streamEnd), 'truncated'],
  [
    'a clean end within a record',
    ({ socket }) => void socket.write(Buffer.concat([chunk('{"done":tr'), Buffer.from(streamEnd)])),
    'truncated',
  ],
  [
    'a clean end within a character',
    ({ socket }) =>
      void socket.write(Buffer.concat([chunk(Buffer.from([0x22, 0xf0, 0x9f])), Buffer.from(streamEnd)])),
    'truncated',
  ],
  ['broken chunk framing', ({ socket }) => void socket.write('zz\r\nwhat\r\n'), 'truncated'],
  ['garbage', ({ socket }) => void socket.write(chunk('oops\n')), 'malformed_record'],
  [
    'bytes that are not UTF-8',
    ({ socket }) => void socket.write(chunk(Buffer.from([0x80, 0x80, 0x0a]))),
    'malformed_record',
  ],
  [
    'an error record',
    ({ socket }) => void socket.write(chunk('{"error":"something failed"}\n')),
    'upstream_error',
  ],
  [
    'an error object',
    ({ socket }) => void socket.write(chunk('{"error":{"message":"out of memory"}}\n')),
    'out_of_memory',
  ],
];

describe.each(late)('%s after text', (_name, fault, code) => {
  const answer = (exchange: RawExchange) => {
    exchange.socket.write(streamed(textRecord('Hello ')));
    setTimeout(() => fault(exchange), 10);
  };

  test('ends the stream with an error event of the same code, the text kept', async () => {
    const { ask, log } = await startWithRaw(answer);
    const response = await ask('/chat', question('Hi', 'raw'));
    expect(response.status).toBe(200);
    const events = await eventsOf(response);
    expectWellFormed(events);
    expect(textOf(events)).toBe('Hello ');
    expect(events.at(-1)).toMatchObject({
      type: 'error',
      code,
      requestId: response.headers.get('x-request-id'),
    });
    expect(log).toHaveLength(1);
    expect(log[0]).toMatchObject({ level: 'warn', outcome: 'failed', code });
  });

  test('is a problem for a complete answer, nothing partial', async () => {
    const { ask } = await startWithRaw(answer);
    const response = await ask('/chat', { ...question('Hi', 'raw'), stream: false });
    expect(response.status).toBeGreaterThanOrEqual(500);
    const text = await response.text();
    expect(text).not.toContain('Hello');
    expect(JSON.parse(text)).toMatchObject({ code });
  });
});

describe('what the stand-in can do wrong', () => {
  const scripts: [string, Script, string][] = [
    ['cut', [say('Hello '), cut()], 'truncated'],
    ['reset', [say('Hello '), cut('reset')], 'truncated'],
    ['garbage', [say('Hello '), garbage('<<<\n')], 'malformed_record'],
    ['error', [say('Hello '), error('boom')], 'upstream_error'],
    ['a record above 16 MiB', [say('Hello '), huge(16 * 1024 * 1024 + 1)], 'response_too_large'],
  ];
  test.each(scripts)('%s ends with an error event', async (_name, script, code) => {
    const { ask, ollama } = await startWithFake();
    ollama.fake.script(script);
    const events = await eventsOf(await ask('/chat', question()));
    expectWellFormed(events);
    expect(events.at(-1)).toMatchObject({ type: 'error', code });
    await ollama.fake.waitFor((report) => report.openGenerations === 0);
  });

  test('a record of 15 MiB passes', async () => {
    const { ask, ollama } = await startWithFake();
    ollama.fake.script([huge(15 * 1024 * 1024)]);
    const events = await eventsOf(await ask('/chat', question()));
    expect(events.at(-1)?.type).toBe('done');
    expect(textOf(events)).toHaveLength(15 * 1024 * 1024);
  });
});

test('tool arguments that nest without end are refused as malformed, not a crash of ours', async () => {
  const deep = `${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}`;
  const call = `{"message":{"content":"","tool_calls":[{"function":{"name":"f","arguments":${deep}}}]},"done":false}\n`;
  const { ask, log } = await startWithRaw(({ socket }) => {
    socket.write(streamed(textRecord('Hi'), call, lastRecord));
  });
  const events = await eventsOf(await ask('/chat', question('Hi', 'raw')));
  expectWellFormed(events);
  expect(events.at(-1)).toMatchObject({ type: 'error', code: 'malformed_record' });
  expect(log[0]).toMatchObject({ outcome: 'failed', code: 'malformed_record' });
});

test('an answer above 64 MiB is ended, and its source closed', async () => {
  const piece = chunk(textRecord('x'.repeat(1024 * 1024)));
  const { ask, raw } = await startWithRaw(({ socket }) => {
    socket.write(streamHead);
    const pump = () => {
      while (!socket.destroyed && socket.write(piece));
    };
    socket.on('drain', pump);
    pump();
  });
  const response = await ask('/chat', { ...question('Hi', 'raw'), stream: false });
  expect(response.status).toBe(502);
  expect(await problemOf(response)).toMatchObject({ code: 'response_too_large', retryable: false });
  await raw.exchanges[0]?.closed;
});

test('an unreachable server is a problem of its own', async () => {
  const raw = await startRawOllama(() => {});
  await raw.close();
  const { ask, get } = startBench(raw.url);
  const response = await ask('/chat', question('Hi', 'raw'));
  expect(response.status).toBe(502);
  expect(await problemOf(response)).toMatchObject({ code: 'upstream_unreachable', retryable: true });
  expect((await get('/health/ready')).status).toBe(503);
});

// Every byte: whatever part of a good answer arrives, it is never taken for the whole.
test('an answer cut at any byte never looks like success', { timeout: 60_000 }, async () => {
  const lines = textRecord('Grüße 👋') + lastRecord;
  const body = Buffer.from(lines);
  const good = Buffer.concat([Buffer.from(streamHead), chunk(body), Buffer.from(streamEnd)]);
  // From here on the last record is whole, with or without its line end.
  const wholeFrom = good.length - streamEnd.length - 3;
  let length = 0;
  const raw = await startRawOllama(({ socket }) => void socket.end(good.subarray(0, length)));
  closeLater(() => raw.close());
  const { ask } = startBench(raw.url);
  for (length = 0; length < wholeFrom; length++) {
    const stream = length % 2 === 0;
    const response = await ask('/chat', { ...question('Hi', 'raw'), stream });
    const text = await response.text();
    if (response.status === 200) {
      expect(stream, `complete answer out of ${length} bytes`).toBe(true);
      expect(text, `cut at ${length}`).toMatch(/"type":"error"[^\n]*\n$/);
      expect(text).not.toContain('"type":"done"');
    } else {
      expect(response.status).toBe(502);
    }
  }
});
