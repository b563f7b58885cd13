import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { say, stall } from '@ziggie/llm-testing';
import { describe, expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { version } from '../src/version.ts';
import { type Bench, eventsIn, hello, problemIn, startBench } from './harness.ts';

async function read(bench: Bench, target: string): Promise<{ status: number; body: unknown }> {
  const response = await bench.answer(target, { token: target === '/models' ? undefined : null });
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  expect(response.headers.get('x-request-id')).toMatch(/^req_/);
  expect(response.headers.get('server-timing')).toMatch(/total;dur=\d/);
  return { status: response.status, body: await response.json() };
}

test('the version is the one of the manifest', () => {
  expect(version).toBe(manifest.version);
});

describe('/models', () => {
  test('lists each model with what is known of it', async () => {
    const bench = await startBench(
      {},
      {
        models: [
          {
            name: 'small',
            capabilities: ['completion', 'tools'],
            family: 'llama',
            parameterSize: '1B',
            quantization: 'Q4_0',
            sizeBytes: 5,
            contextLength: 9,
          },
        ],
      },
    );
    expect(await read(bench, '/models')).toEqual({
      status: 200,
      body: {
        models: [
          {
            name: 'small:latest',
            aliases: ['small'],
            family: 'llama',
            parameterSize: '1B',
            quantization: 'Q4_0',
            sizeBytes: 5,
            contextLength: 9,
            capabilities: ['completion', 'tools'],
            loaded: null,
          },
        ],
      },
    });
  });

  test('says what is in memory, at most half a second late', async () => {
    const bench = await startBench();
    await eventsIn(await bench.chat());
    bench.clock.advance(1001);
    const { body } = await read(bench, '/models');
    const { models } = body as { models: { name: string; loaded: unknown }[] };
    expect(models.find(({ name }) => name === 'stand-in:latest')?.loaded).toMatchObject({
      expiresAt: expect.stringMatching(/^\d{4}-/),
    });
    expect(models.filter(({ loaded }) => loaded !== null)).toHaveLength(1);
  });

  test('a model that began to answer is in memory at once, however young the list', async () => {
    const bench = await startBench();
    const loaded = async () => {
      const { body } = await read(bench, '/models');
      const { models } = body as { models: { name: string; loaded: unknown }[] };
      return models.filter((model) => model.loaded !== null).map(({ name }) => name);
    };
    expect(await loaded()).toEqual([]);
    bench.ollama.fake.script([say('Hello.')]);
    await (await bench.answer('/chat', { body: hello })).text();
    expect(await loaded()).toEqual(['stand-in:latest']);
  });

  test('a hundred callers at once are one question upstream', async () => {
    const bench = await startBench({ limits: { requestsPerMinute: Number.POSITIVE_INFINITY } });
    await Promise.all(Array.from({ length: 100 }, () => read(bench, '/models')));
    expect(
      bench.ollama.fake
        .report()
        .requests.map(({ path }) => path)
        .sort(),
    ).toEqual(['/api/ps', '/api/tags']);
  });

  test('is 502 when the model server is dead, and says nothing of where it is', async () => {
    const bench = await startBench();
    await bench.ollama.close();
    const problem = await problemIn(await bench.answer('/models'));
    expect(problem).toMatchObject({ code: 'upstream_unreachable', status: 502, retryable: true });
    expect(JSON.stringify([problem, bench.logs])).not.toContain(String(bench.ollama.port));
  });
});

describe('how it is', () => {
  const timestamp = '2030-01-01T00:00:00.000Z';

  test('well', async () => {
    const bench = await startBench();
    expect(await read(bench, '/status')).toEqual({ status: 200, body: { status: 'ok', version } });
    expect(await read(bench, '/health')).toEqual({
      status: 200,
      body: { status: 'healthy', ollama_connected: true, models_available: 4, timestamp },
    });
    expect(await read(bench, '/health/live')).toEqual({ status: 200, body: { status: 'live' } });
    expect(await read(bench, '/health/ready')).toEqual({ status: 200, body: { status: 'ready' } });
  });

  test('without a model', async () => {
    const bench = await startBench({}, { models: [] });
    expect((await read(bench, '/health')).body).toMatchObject({
      status: 'degraded',
      ollama_connected: true,
      models_available: 0,
    });
    expect((await read(bench, '/health/ready')).status).toBe(200);
  });

  test('with a dead model server: no error text, no address, only ready is 503', async () => {
    const bench = await startBench();
    await bench.ollama.close();
    expect(await read(bench, '/status')).toEqual({ status: 200, body: { status: 'down', version } });
    expect(await read(bench, '/health')).toEqual({
      status: 200,
      body: { status: 'unhealthy', ollama_connected: false, models_available: 0, timestamp },
    });
    expect(await read(bench, '/health/live')).toEqual({ status: 200, body: { status: 'live' } });
    expect(await read(bench, '/health/ready')).toEqual({ status: 503, body: { status: 'not_ready' } });
  });

  test('with a model server that was dead and is back', async () => {
    const bench = await startBench();
    const { port } = bench.ollama;
    await bench.ollama.close();
    expect((await read(bench, '/health/ready')).status).toBe(503);
    const { startFakeOllama } = await import('@ziggie/llm-testing/node');
    const back = await startFakeOllama({ port });
    bench.clock.advance(1001);
    expect((await read(bench, '/health/ready')).status).toBe(200);
    await back.close();
  });

  test('anybody asking a dead model server’s health is one connection a second', async () => {
    let connections = 0;
    const server = createServer().on('connection', (socket) => {
      connections++;
      socket.resetAndDestroy();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const bench = await startBench({ upstreams: [{ url: `http://127.0.0.1:${port}` }] });
    for (let index = 0; index < 20; index++) await read(bench, '/health');
    expect(connections).toBe(1);
    bench.clock.advance(1001);
    await read(bench, '/health');
    expect(connections).toBe(2);
    server.close();
  });

  test('while it drains: alive, not ready, no new work', async () => {
    const bench = await startBench();
    bench.ollama.fake.script([say('begun'), stall(50), say('ended')]);
    const running = await bench.chat();
    const closed = bench.kit.close();
    expect((await read(bench, '/status')).body).toEqual({ status: 'degraded', version });
    expect((await read(bench, '/health')).body).toMatchObject({ status: 'degraded', ollama_connected: true });
    expect((await read(bench, '/health/live')).status).toBe(200);
    expect(await read(bench, '/health/ready')).toEqual({ status: 503, body: { status: 'not_ready' } });
    const refused = await bench.answer('/models');
    expect(refused.headers.get('retry-after')).toBe('5');
    expect(await problemIn(refused)).toMatchObject({ code: 'shutting_down', status: 503, retryable: true });
    expect((await eventsIn(running)).at(-1)?.type).toBe('done');
    await closed;
  });
});
