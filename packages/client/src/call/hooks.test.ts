import { createFakeOllama, say } from '@ziggie/llm-testing';
import { describe, expect, test } from 'vitest';
import { createManualClock, instantClock, noTimeouts } from '../../test/clock.ts';
import { failureOf, last, piece, question } from '../../test/samples.ts';
import { lines, reply, serve } from '../../test/scripted-server.ts';
import { type CallInfo, type ClientHooks, createClient, type Logger } from '../index.ts';

type Told = [keyof ClientHooks, CallInfo, unknown];

const names: readonly (keyof ClientHooks)[] = [
  'request',
  'attempt',
  'connect',
  'firstByte',
  'firstToken',
  'event',
  'toolCall',
  'retry',
  'reconnecting',
  'reconnected',
  'done',
  'error',
];

/** Hooks that write down everything. */
function recorder(): { told: Told[]; hooks: ClientHooks } {
  const told: Told[] = [];
  const hooks = Object.fromEntries(
    names.map((name) => [name, (call: CallInfo, at: unknown) => told.push([name, call, at])]),
  ) as ClientHooks;
  return { told, hooks };
}

const calm = { clock: instantClock(), timeouts: noTimeouts, random: () => 0.5 };

test('a stream tells its life in order, with one info object', async () => {
  const call = { id: 'c1', function: { name: 'look', arguments: {} } };
  const server = await serve(
    reply(503, '', { 'X-Request-Id': 'r-1' }),
    lines(piece('Hi'), piece('', { message: { content: '', tool_calls: [call] } }), last),
  );
  const { told, hooks } = recorder();
  const client = createClient({ baseUrl: server.url, target: 'ollama', hooks, ...calm });
  await client.chat(question).text();
  expect(told.map(([name]) => name)).toEqual([
    'request',
    'attempt',
    'connect',
    'retry',
    'attempt',
    'connect',
    'firstByte',
    'firstToken',
    'event',
    'event',
    'event',
    'toolCall',
    'event',
    'event',
    'done',
  ]);
  expect(new Set(told.map(([, info]) => info)).size).toBe(1);
  expect(told[0]?.[1]).toEqual({
    callId: expect.any(Number),
    operation: 'chat',
    model: 'm',
    baseUrl: server.url,
    streaming: true,
  });
  const of = (name: string) => told.find((one) => one[0] === name)?.[2];
  expect(of('retry')).toMatchObject({
    attempt: { number: 1, status: 503, code: 'server_busy' },
    delayMs: 250,
    error: { code: 'server_busy', requestId: 'r-1' },
  });
  expect(of('firstByte')).toMatchObject({ status: 200, elapsedMs: expect.any(Number) });
  expect(of('toolCall')).toEqual({ id: 'c1', name: 'look' });
  expect(of('done')).toMatchObject({
    attempts: [{ number: 1 }, { number: 2 }],
    usage: { outputTokens: 2 },
    finishReason: 'tool_calls',
    upstreamModel: 'm',
    stats: { attempts: 2 },
  });
});

test('a call for a list tells its life too, and a failure ends it with error', async () => {
  const server = await serve(reply(200, '{"version":"1"}'), reply(404, ''));
  const { told, hooks } = recorder();
  const client = createClient({ baseUrl: server.url, target: 'ollama', hooks, ...calm });
  await client.status();
  await failureOf(client.status());
  expect(told.map(([name, info]) => `${info.operation} ${name}`)).toEqual([
    'status request',
    'status attempt',
    'status connect',
    'status firstByte',
    'status done',
    'status request',
    'status attempt',
    'status connect',
    'status error',
  ]);
  expect(told[0]?.[1].callId).not.toBe(told[5]?.[1].callId);
  expect(told.at(-1)?.[2]).toMatchObject({ error: { code: 'not_found' } });
});

test('an abort is an error for hooks, told once', async () => {
  const server = await serve(() => {});
  const { told, hooks } = recorder();
  const stream = createClient({ baseUrl: server.url, target: 'ollama' }).chat(question, { hooks });
  const reading = failureOf(stream.text());
  await server.arrived(1);
  stream.abort();
  await reading;
  expect(told.filter(([name]) => name === 'error')).toEqual([
    [
      'error',
      expect.anything(),
      expect.objectContaining({ error: expect.objectContaining({ code: 'aborted' }) }),
    ],
  ]);
});

test('hooks of the client come before those of the call; a stream that nobody reads tells nothing', async () => {
  const server = await serve(lines(piece('Hi'), last));
  const order: string[] = [];
  const note = (who: string): ClientHooks => ({ request: () => order.push(who) });
  const client = createClient({ baseUrl: server.url, target: 'ollama', hooks: [note('a'), note('b')] });
  client.chat(question, { hooks: note('unread') });
  await client.chat(question, { hooks: note('c') }).text();
  expect(order).toEqual(['a', 'b', 'c']);
});

test.each([
  [
    'throws',
    () => {
      throw new Error('SECRET of a hook');
    },
  ],
  ['rejects', () => Promise.reject(new Error('SECRET of a hook'))],
  ['never ends', () => new Promise(() => {})],
] as const)('a hook that %s changes nothing, and the logger hears of it', async (how, hook) => {
  const hooks = Object.fromEntries(names.map((name) => [name, hook])) as ClientHooks;
  const heard: [string, unknown][] = [];
  const logger: Logger = { error: (message, fields) => heard.push([message, fields]) };
  const server = await serve(reply(503, ''), lines(piece('Hi'), last));
  const client = createClient({ baseUrl: server.url, target: 'ollama', hooks, logger, ...calm });
  const result = await client.chat(question).final();
  expect(result).toMatchObject({ text: 'Hi', attempts: [{ status: 503 }, { status: 200 }] });
  await Promise.resolve();
  if (how === 'never ends') expect(heard).toEqual([]);
  else {
    expect(heard.length).toBeGreaterThan(8);
    expect(heard[0]).toEqual([
      'A hook threw; the call goes on.',
      expect.objectContaining({ hook: 'request', error: 'Error' }),
    ]);
    expect(JSON.stringify(heard)).not.toContain('SECRET');
  }
});

test('the logger hears of retries and of slow phases; one that throws harms nobody', async () => {
  const heard: string[] = [];
  const clock = createManualClock();
  const logger: Logger = {
    warn: (message, fields) => heard.push(`${message} ${String(fields?.['code'])}`),
    info(message, fields) {
      heard.push(`${message} ${String(fields?.['phase'])} ${String(fields?.['limitMs'])}`);
      throw new Error('full disk');
    },
  };
  const server = await serve(reply(503, ''), () => {});
  const client = createClient({ baseUrl: server.url, target: 'ollama', clock, logger, random: () => 0 });
  const stream = client.chat(question);
  const reading = failureOf(stream.text());
  await server.arrived(1);
  while (server.exchanges.length < 2) {
    await clock.advance(1);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await clock.advance(300_000);
  await clock.advance(60_000);
  stream.abort();
  await reading;
  expect(heard).toEqual([
    'A try failed; another follows. server_busy',
    'Still waiting: half of the time for this phase is over. first-token 600000',
  ]);
});

describe('stats', () => {
  test('equal what the stand-in was told to do, within 5 ms', async () => {
    const clock = createManualClock();
    const fake = createFakeOllama({
      clock,
      loadMs: 2_000,
      prefillMsPerToken: 10,
      tokensPerSecond: 20,
    });
    fake.script(say('one two three four five six seven eight nine ten'));
    const client = createClient({
      baseUrl: 'http://fake',
      target: 'ollama',
      clock,
      fetch: (input, init) => fake.fetch(input as string, init),
    });
    let over = false;
    const asking = client
      .chat({ ...question, model: 'stand-in' })
      .final()
      .finally(() => {
        over = true;
      });
    while (!over) await clock.advance(5);
    const { stats, usage, timings } = await asking;
    const near = (value: number | undefined, expected: number) =>
      expect(Math.abs((value ?? Number.NaN) - expected)).toBeLessThanOrEqual(5);
    const input = usage?.inputTokens ?? 0;
    const output = usage?.outputTokens ?? 0;
    near(stats.loadMs, 2_000);
    near(stats.prefillMs, input * 10);
    near(stats.decodeMs, timings.decodeMs ?? 0);
    near(stats.queueMs, 0);
    near(stats.ttftMs, 2_000 + input * 10 + 50);
    near(stats.decodeMs, output * 50);
    near(stats.tokensPerSecond, 20);
    expect(stats.attempts).toBe(1);
    expect(stats.chunks).toBeGreaterThanOrEqual(output);
    expect(stats.bytes).toBeGreaterThan(stats.chunks * 50);
  });

  test('of a server that reports nothing are measured here', async () => {
    const clock = createManualClock();
    let push = (_: string): void => {};
    let end = (): void => {};
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        push = (line) => controller.enqueue(new TextEncoder().encode(`${line}\n`));
        end = () => controller.close();
      },
    });
    let seq = 0;
    const send = (event: object) => push(JSON.stringify({ ...event, seq: seq++ }));
    const client = createClient({
      baseUrl: 'http://kit',
      clock,
      // Lines: for anything else code is fetched first, which takes as long as the machine is busy.
      fetch: () =>
        Promise.resolve(new Response(body, { headers: { 'Content-Type': 'application/x-ndjson' } })),
    });
    const asking = client.chat(question).final();
    const step = async (ms: number, event: object) => {
      await clock.advance(ms);
      send(event);
      await clock.advance(0);
    };
    await step(0, { type: 'start', id: 'r', model: 'm', upstreamModel: 'm', resumable: false });
    await step(10, { type: 'queued', position: 2, of: 2, etaMs: null });
    await step(40, { type: 'queued', position: 1, of: 2, etaMs: null });
    await step(60, { type: 'loading', model: 'm', elapsedMs: 0, typicalMs: null });
    await step(500, { type: 'text-delta', text: 'a' });
    await step(100, { type: 'text-delta', text: 'b' });
    await step(0, { type: 'usage', inputTokens: 1, outputTokens: 2, source: 'upstream' });
    await step(0, { type: 'done', finishReason: 'stop', timings: {} });
    end();
    const { stats } = await asking;
    expect(stats).toMatchObject({
      queueMs: 100,
      loadMs: 500,
      ttftMs: 610,
      decodeMs: 100,
      totalMs: 710,
      tokensPerSecond: 20,
      chunks: 8,
      attempts: 1,
    });
  });
});
