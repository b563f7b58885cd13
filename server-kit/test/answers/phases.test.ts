import { say, stall } from '@ziggie/llm-testing';
import { describe, expect, test } from 'vitest';
import { chunk, lastRecord, type RawOllama, streamEnd, streamHead, textRecord } from '../raw-ollama.ts';
import {
  type Bench,
  createTestClock,
  eventsOf,
  expectWellFormed,
  parseEvents,
  problemOf,
  question,
  readerOf,
  startWithFake,
  startWithRaw,
  type TestClock,
  textOf,
  until,
} from '../stream-harness.ts';

const tools = [{ type: 'function', function: { name: 'f', parameters: {} } }];
const minute = 60_000;

/** Moves on in steps, with time for real sockets in between. */
async function pass(clock: TestClock, ms: number, stepMs = 1000): Promise<void> {
  for (let passed = 0; passed < ms; passed += stepMs) await clock.advance(Math.min(stepMs, ms - passed));
  await new Promise((resolve) => setTimeout(resolve, 10));
}

/** The request has arrived upstream and its clocks run. */
async function running({ kit, raw }: Bench & { raw: RawOllama }): Promise<void> {
  await until(() => raw.exchanges.length > 0 && kit.gauges().timers > 0);
}

describe('the status line', () => {
  test('waits half a second for the first event, then says that the run has begun', async () => {
    const clock = createTestClock();
    const { ask, raw } = await startWithRaw(() => {}, { clock });
    let answered = false;
    const asked = ask('/chat', question('Hi', 'raw')).then((response) => {
      answered = true;
      return response;
    });
    await until(() => raw.exchanges.length === 1);
    await pass(clock, 499, 100);
    expect(answered).toBe(false);
    await pass(clock, 1);
    const response = await asked;
    expect(response.status).toBe(200);
    const reader = readerOf(response);
    expect(parseEvents((await reader.next()) ?? '')).toMatchObject([{ type: 'start', seq: 0 }]);
    // After it, a failure is an event with the code and status it would have had.
    raw.exchanges[0]?.socket.write('HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nretry-after: 3\r\n\r\n');
    expect(parseEvents(await reader.rest())).toMatchObject([
      { type: 'error', seq: 1, code: 'server_busy', status: 503, retryable: true, retryAfterMs: 3000 },
    ]);
  });

  test('counts the time that the look at the models took', async () => {
    const clock = createTestClock();
    const { ask, raw } = await startWithRaw(() => {}, { clock, timeouts: { heartbeatMs: 300 } });
    // Known for less than the time for looking names up, so that it is asked anew.
    let answered = false;
    const asked = ask('/chat', question('Hi', 'raw')).then((response) => {
      answered = true;
      return response;
    });
    await until(() => raw.exchanges.length === 1);
    await pass(clock, 299, 100);
    expect(answered).toBe(false);
    await pass(clock, 1);
    await readerOf(await asked).cancel();
  });
});

describe('heartbeats', () => {
  test.each([
    ['application/x-ndjson', '\n'],
    ['text/event-stream', ':\n\n'],
  ])('%s: a silent stream has a byte every 10 s', async (accept, heartbeat) => {
    const clock = createTestClock();
    const { ask, raw } = await startWithRaw(
      ({ socket }) => void socket.write(Buffer.concat([Buffer.from(streamHead), chunk(textRecord('Hi'))])),
      { clock },
    );
    const reader = readerOf(await ask('/chat', question('Hi', 'raw'), { headers: { accept } }));
    await reader.next();
    for (let at = 0; at < 3; at++) {
      await pass(clock, 10_000);
      expect(await reader.next()).toBe(heartbeat);
    }
    raw.exchanges[0]?.socket.write(Buffer.concat([chunk(lastRecord), Buffer.from(streamEnd)]));
    expect(await reader.rest()).toContain('"type":"done"');
  });

  test('are not piled up for a reader that does not read', async () => {
    const clock = createTestClock();
    const { ask } = await startWithRaw(
      ({ socket }) => {
        socket.write(streamHead);
        for (let at = 0; at < 8; at++) socket.write(chunk(textRecord('x'.repeat(32 * 1024))));
      },
      { clock },
    );
    const response = await ask('/chat', question('Hi', 'raw'));
    await pass(clock, 5 * minute);
    const reader = readerOf(response);
    let text = '';
    while (!text.includes('"seq":8')) text += await reader.next();
    expect(text).not.toMatch(/\n\n/);
    await reader.cancel();
  });
});

describe('loading', () => {
  test('is told about once a second, with the usual time once one is known', async () => {
    const clock = createTestClock();
    const bench = await startWithFake({ clock }, { clock, loadMs: 5000, maxLoadedModels: 1 });
    const { ask, ollama } = bench;
    ollama.fake.script([say('Ready.')], { times: 3 });
    const load = async (model: string) => {
      const asked = ask('/chat', question('Hi', model));
      await ollama.fake.waitFor((report) => report.waiting === 1);
      for (let at = 0; at < 30; at++) await pass(clock, 200);
      const events = await eventsOf(await asked);
      expectWellFormed(events);
      expect(textOf(events)).toBe('Ready.');
      return events;
    };
    const first = await load('stand-in');
    const loading = first.filter((event) => event.type === 'loading');
    expect(loading.length).toBeGreaterThanOrEqual(3);
    expect(loading.length).toBeLessThanOrEqual(6);
    expect(loading[0]).toMatchObject({ model: 'stand-in', typicalMs: null });
    expect(loading.map((event) => event.elapsedMs)).toEqual(
      [...loading.map((event) => event.elapsedMs)].sort((a, b) => a - b),
    );
    const done = first.at(-1);
    expect(done).toMatchObject({ type: 'done', timings: { loadMs: expect.closeTo(5000, -3) } });
    await load('stand-in-thinking');
    const again = (await load('stand-in')).filter((event) => event.type === 'loading');
    expect(again[0]?.typicalMs).toBeCloseTo(5000, -3);
  });

  test('a load that is over before it was worth telling tells nothing of loading', async () => {
    const clock = createTestClock();
    const { ask, ollama } = await startWithFake({ clock }, { loadMs: 0 });
    ollama.fake.script(stall(undefined));
    const asked = ask('/chat', question('Hi', 'stand-in'));
    await ollama.fake.waitFor((report) => report.openGenerations === 1);
    for (let at = 0; at < 12; at++) await pass(clock, 250, 250);
    const reader = readerOf(await asked);
    expect(parseEvents((await reader.next()) ?? '').map((event) => event.type)).toEqual(['start']);
    await reader.cancel();
  });

  test('a model that is in memory tells nothing of loading', async () => {
    const clock = createTestClock();
    const bench = await startWithRaw(() => {}, { clock });
    const asked = bench.ask('/chat', question('Hi', 'raw'));
    await running(bench);
    await pass(clock, 15_000);
    const reader = readerOf(await asked);
    expect(parseEvents((await reader.next()) ?? '').map((event) => event.type)).toEqual(['start']);
    await reader.cancel();
  });
});

describe('clocks', () => {
  test('first token: 5 min of silence end a request', async () => {
    const clock = createTestClock();
    const bench = await startWithRaw(() => {}, { clock });
    const asked = bench.ask('/chat', { ...question('Hi', 'raw'), stream: false });
    await running(bench);
    await pass(clock, 5 * minute - 1, 10_000);
    expect(bench.log).toEqual([]);
    await pass(clock, 1);
    const response = await asked;
    expect(response.status).toBe(504);
    expect(await problemOf(response)).toMatchObject({ code: 'first_token_timeout' });
    await bench.raw.exchanges[0]?.closed;
  });

  test('a server that sends nothing but blank lines or empty records is silent', async () => {
    const clock = createTestClock();
    const bench = await startWithRaw(({ socket }) => void socket.write(streamHead), { clock });
    const response = bench.ask('/chat', question('Hi', 'raw'));
    await running(bench);
    for (let at = 0; at < 32 && bench.log.length === 0; at++) {
      bench.raw.exchanges[0]?.socket.write(chunk(at % 2 === 0 ? '\n' : textRecord('')));
      await pass(clock, 10_000);
    }
    expect(parseEvents(await (await response).text()).at(-1)).toMatchObject({ code: 'first_token_timeout' });
  });

  test('load: 10 min end a load that never ends', async () => {
    const clock = createTestClock();
    const bench = await startWithFake({ clock }, { clock, loadMs: 60 * minute });
    const asked = bench.ask('/chat', question());
    await bench.ollama.fake.waitFor((report) => report.waiting === 1);
    await pass(clock, 9 * minute, 1000);
    expect(bench.log).toEqual([]);
    await pass(clock, minute + 2000, 1000);
    const events = await eventsOf(await asked);
    expectWellFormed(events);
    expect(events.at(-1)).toMatchObject({ type: 'error', code: 'load_timeout', status: 504 });
    await bench.ollama.fake.waitFor((report) => report.waiting === 0);
  });

  test.each([
    ['60 s of silence', {}, 60_000],
    ['180 s of silence with tools', { tools }, 180_000],
    ['180 s of silence with a format', { format: 'json' }, 180_000],
  ])('idle: %s end an answer', async (_name, more, limitMs) => {
    const clock = createTestClock();
    const bench = await startWithRaw(
      ({ socket }) => void socket.write(Buffer.concat([Buffer.from(streamHead), chunk(textRecord('Hi'))])),
      { clock },
    );
    const response = await bench.ask('/chat', { ...question('Hi', 'raw'), ...more });
    const reader = readerOf(response);
    await reader.next();
    await pass(clock, limitMs - 1, 5000);
    expect(bench.log).toEqual([]);
    await pass(clock, 1);
    expect(parseEvents(await reader.rest()).at(-1)).toMatchObject({
      type: 'error',
      code: 'idle_timeout',
      status: 504,
    });
    expect(bench.log).toMatchObject([{ outcome: 'failed', code: 'idle_timeout' }]);
    await bench.raw.exchanges[0]?.closed;
  });

  test('idle: time that our own reader takes is not silence of the model', async () => {
    const clock = createTestClock();
    const bench = await startWithRaw(
      ({ socket }) => {
        socket.write(streamHead);
        for (let at = 0; at < 64; at++) socket.write(chunk(textRecord('x'.repeat(32 * 1024))));
        socket.write(Buffer.concat([chunk(lastRecord), Buffer.from(streamEnd)]));
      },
      { clock },
    );
    const response = await bench.ask('/chat', question('Hi', 'raw'));
    await pass(clock, 10 * minute, 10_000);
    const events = await eventsOf(response);
    expectWellFormed(events);
    expect(events.at(-1)?.type).toBe('done');
  });

  test('idle: silence of the model counts although our reader is behind, once nothing of the answer waits', async () => {
    const clock = createTestClock();
    const bench = await startWithRaw(
      ({ socket }) => {
        socket.write(streamHead);
        // One is read; the others are more than is put by for a reader, so that nothing more is asked for.
        for (let at = 0; at < 4; at++) socket.write(chunk(textRecord('x'.repeat(30 * 1024))));
      },
      { clock },
    );
    await readerOf(await bench.ask('/chat', question('Hi', 'raw'))).next();
    while (bench.log.length === 0) await pass(clock, 5000);
    expect(bench.log).toMatchObject([{ outcome: 'failed', code: 'idle_timeout' }]);
  });

  test('15 min from the first token end an answer that never ends, with a sentence of its own', async () => {
    const clock = createTestClock();
    const bench = await startWithRaw(({ socket }) => void socket.write(streamHead), { clock });
    const asked = bench.ask('/chat', question('Hi', 'raw'));
    await running(bench);
    const socket = bench.raw.exchanges[0]?.socket;
    socket?.write(chunk(textRecord('x')));
    const reader = readerOf(await asked);
    await reader.next();
    // Each record is seen to arrive before time goes on, however busy the machine is.
    for (let at = 0; at < 29; at++) {
      await pass(clock, 30_000, 30_000);
      socket?.write(chunk(textRecord('x')));
      await reader.next();
    }
    await pass(clock, 31_000, 1000);
    expect(parseEvents(await reader.rest()).at(-1)).toMatchObject({
      type: 'error',
      code: 'deadline_exceeded',
      retryable: false,
      message: 'The answer took longer than this server allows. Ask for a shorter one.',
    });
  });
});
