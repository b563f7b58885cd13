import { createServer, type ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { listen } from '../doors/hosts.ts';
import { lastRecord, textRecord } from '../raw-ollama.ts';
import {
  type BenchOptions,
  closeLater,
  createTestClock,
  parseEvents,
  problemOf,
  question,
  startBench,
  startWithFake,
  textOf,
  until,
} from '../stream-harness.ts';
import { eventsIn, tokenOf } from './lines-bench.ts';
import { percentile } from './random.ts';

/** A model server whose loads end when the test says so. */
async function startLoading(options: BenchOptions = {}, slots = 1) {
  const loads: { body: unknown; response: ServerResponse; isClosed: boolean }[] = [];
  let chats = 0;
  let isLoaded = false;
  const server = createServer(async (request, response) => {
    const json = (value: unknown, status = 200) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(value));
    };
    const models = [{ name: 'raw:latest', model: 'raw:latest' }];
    if (request.url === '/api/tags') return json({ models });
    if (request.url === '/api/ps') return json({ models: isLoaded ? models : [] });
    const body = JSON.parse((await request.setEncoding('utf8').toArray()).join('')) as { prompt?: string };
    if (request.url === '/api/generate' && body.prompt === undefined) {
      const load = { body, response, isClosed: false };
      response.on('close', () => {
        load.isClosed = !response.writableFinished;
      });
      loads.push(load);
      return;
    }
    chats++;
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    response.end(textRecord('Ready.') + lastRecord);
  });
  const running = await listen(server);
  closeLater(() => running.close());
  const url = `http://127.0.0.1:${running.port}`;
  const bench = startBench(url, { upstreams: [{ url, slots }], ...options });
  const end = (at: number, value: unknown, status: number) => {
    const { response } = loads[at] as (typeof loads)[number];
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(value));
  };
  return {
    ...bench,
    loads,
    chats: () => chats,
    unload: () => {
      isLoaded = false;
    },
    loaded: (at: number) => {
      isLoaded = true;
      end(at, { model: 'raw:latest', response: '', done: true, done_reason: 'load' }, 200);
    },
    failed: (at: number, error: string, status = 500) => end(at, { error }, status),
    chat: async (user: string, signal?: AbortSignal, stream = true) => {
      const headers = { authorization: `Bearer ${await tokenOf(user)}` };
      return bench.ask('/chat', { ...question('Hi', 'raw'), stream }, { signal, headers });
    },
    load: (at: number) => until(() => loads.length > at, 5000),
  };
}

describe('a model that is not in memory', () => {
  test('is loaded by a request of its own, once for all who wait, and then each is sent', async () => {
    const bench = await startLoading({}, 3);
    const asked = ['ada', 'grace', 'linus'].map(async (user) => (await bench.chat(user)).text());
    await bench.load(0);
    await until(() => bench.kit.gauges().activeRequests === 3);
    expect(bench.chats()).toBe(0);
    bench.loaded(0);
    for (const text of await Promise.all(asked)) {
      expect(textOf(parseEvents(text))).toBe('Ready.');
      expect(parseEvents(text).at(-1)).toMatchObject({
        type: 'done',
        timings: { loadMs: expect.any(Number) },
      });
    }
    expect([bench.loads.length, bench.chats()]).toEqual([1, 3]);
    expect(bench.loads[0]?.body).toEqual({ model: 'raw:latest', stream: false });
  });

  test('is loaded on when the one who asked for it has left and another waits in the line', async () => {
    const bench = await startLoading();
    const leaving = new AbortController();
    const first = bench.chat('ada', leaving.signal);
    await bench.load(0);
    const second = eventsIn(await bench.chat('grace'));
    await second.until(({ type }) => type === 'queued');
    leaving.abort();
    await first;
    await until(() => bench.kit.gauges().queued === 0);
    // Longer than a load lingers that nobody wants.
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect([bench.loads.length, bench.loads[0]?.isClosed]).toEqual([1, false]);
    bench.loaded(0);
    expect(textOf(await second.rest())).toBe('Ready.');
    expect([bench.loads.length, bench.chats()]).toEqual([1, 1]);
  });

  test('is given up at once when nobody waits for it any more', async () => {
    const bench = await startLoading({}, 2);
    const times: number[] = [];
    // Some times over: on a busy machine a single look says nothing.
    for (let at = 0; at < 20; at++) {
      const leaving = new AbortController();
      const asked = [bench.chat('ada', leaving.signal), bench.chat('grace', leaving.signal)];
      await bench.load(at);
      await until(() => bench.kit.gauges().activeRequests === 2);
      const leftAt = performance.now();
      leaving.abort();
      await until(() => bench.loads[at]?.isClosed === true);
      times.push(performance.now() - leftAt);
      await Promise.all(asked);
    }
    expect(percentile(times, 0.5)).toBeLessThan(1000);
    expect(bench.kit.gauges()).toMatchObject({ activeRequests: 0, openUpstream: 0, timers: 0 });
    expect(bench.chats()).toBe(0);
  });

  test('that cannot be loaded fails for all who wait for it, typed, and counts once against the server', async () => {
    const bench = await startLoading({}, 3);
    const asked = ['ada', 'grace', 'linus'].map((user) => bench.chat(user, undefined, false));
    await bench.load(0);
    await until(() => bench.kit.gauges().activeRequests === 3);
    bench.failed(0, 'llama runner process has terminated: exit status 2');
    for (const one of asked) {
      expect(await problemOf(await one)).toMatchObject({
        code: 'runner_crashed',
        status: 502,
        retryable: true,
      });
    }
    // Three faults in a row would have closed the server to everybody.
    const again = bench.chat('ada');
    await bench.load(1);
    bench.loaded(1);
    expect(textOf(parseEvents(await (await again).text()))).toBe('Ready.');
  });

  test('that does not load in time ends typed, and the next try begins anew', async () => {
    const clock = createTestClock();
    const bench = await startLoading({ clock, timeouts: { loadMs: 30_000 } });
    const asked = bench.chat('ada', undefined, false);
    await bench.load(0);
    await clock.advance(30_000);
    expect(await problemOf(await asked)).toMatchObject({ code: 'load_timeout', status: 504 });
    await until(() => bench.loads[0]?.isClosed === true);
  });

  test('costs nobody anything who leaves before it is there', async () => {
    const bench = await startLoading({
      limits: { rules: [{ name: 'day', per: 'user', unit: 'totalTokens', window: 'day', limit: 100_000 }] },
    });
    const leaving = new AbortController();
    const asked = bench.chat('ada', leaving.signal);
    await bench.load(0);
    leaving.abort();
    await asked;
    const left = async () => {
      const { limits } = (await (await bench.get('/me/limits')).json()) as {
        limits: { name: string; left: number }[];
      };
      return limits.find(({ name }) => name === 'day')?.left;
    };
    await expect.poll(left).toBe(100_000);
  });

  test('tells how long it usually takes once it has been seen', async () => {
    const clock = createTestClock();
    const bench = await startLoading({ clock });
    for (const typicalMs of [null, 4000]) {
      bench.unload();
      // Long enough ago that nobody takes it for loaded.
      await clock.advance(60_000);
      const asked = bench.chat('ada');
      await bench.load(bench.loads.length);
      for (let passed = 0; passed < 4000; passed += 250) await clock.advance(250);
      bench.loaded(bench.loads.length - 1);
      const events = parseEvents(await (await asked).text());
      const loading = events.filter((event) => event.type === 'loading');
      expect(loading.length).toBeGreaterThan(1);
      expect(loading[0]).toMatchObject({ typicalMs });
      expect(events.at(-1)).toMatchObject({ type: 'done', timings: { loadMs: 4000 } });
    }
  });

  test('of embeddings alone is loaded by embedding nothing: /api/generate refuses those', async () => {
    const bench = await startWithFake();
    const response = await bench.ask('/api/embed', { model: 'stand-in-embed', input: 'Hello' });
    expect(response.status).toBe(200);
    const asked = bench.ollama.fake.report().requests.map(({ path, body }) => [path, body]);
    expect(asked.filter(([path]) => path === '/api/generate')).toEqual([]);
    expect(asked.filter(([path]) => path === '/api/embed')).toEqual([
      ['/api/embed', { model: 'stand-in-embed:latest', input: [] }],
      ['/api/embed', expect.objectContaining({ input: ['Hello'] })],
    ]);
  });
});
