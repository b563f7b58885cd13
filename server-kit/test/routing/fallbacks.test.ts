import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cut, say } from '@ziggie/llm-testing';
import { startFakeOllama } from '@ziggie/llm-testing/node';
import { afterEach, describe, expect, test } from 'vitest';
import type { FallbackReason, ServerKitOptions } from '../../src/index.ts';
import { type Bench, eventsIn, startBench } from '../harness.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const roles: ServerKitOptions['roles'] = {
  user: { permissions: ['chat', 'models:read', 'me:read'] },
  narrow: { permissions: ['chat', 'models:read'], models: ['stand-in', 'big', 'gone'] },
};
const fallbackTo = (model: string, on?: readonly FallbackReason[]) => ({
  big: [{ model, ...(on ? { on } : {}) }],
});

/** A model server that has one model, `big`, and does with a request for it what the test wants. */
async function startBig(status: number, options: { loaded?: boolean } = {}): Promise<string> {
  const server = createServer((req, res) => {
    req.resume();
    req.on('end', () => {
      res.setHeader('content-type', 'application/json');
      const model = { name: 'big:latest', model: 'big:latest', size: 1e9, details: {} };
      if (req.url === '/api/tags') res.end(JSON.stringify({ models: [model] }));
      else if (req.url === '/api/ps') {
        res.end(JSON.stringify({ models: options.loaded === false ? [] : [{ ...model, size_vram: 1e9 }] }));
      } else if (status === 0) {
        res.write(' ');
      } else {
        res.statusCode = status;
        res.end(
          status === 200
            ? `${JSON.stringify({ model: 'big', message: { role: 'assistant', content: 'from big' }, done: true, done_reason: 'stop' })}\n`
            : JSON.stringify({
                error: status === 404 ? 'model "big" not found, try pulling it first' : 'out of order',
              }),
        );
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(
    () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function startSmall(): Promise<string> {
  const fake = await startFakeOllama({ tokensPerSecond: Number.POSITIVE_INFINITY });
  closers.push(() => fake.close());
  return fake.url;
}

async function ask(bench: Bench, model: string, more: { role?: string; stream?: boolean } = {}) {
  const { role = 'user', stream = false } = more;
  const token = await bench.token({ roles: [role] });
  const response = await bench.chat({ model, stream }, { token });
  return response;
}

/** What a primary that cannot take the request is like, by reason. */
const broken: Record<FallbackReason, () => Promise<Partial<ServerKitOptions>>> = {
  missing: async () => ({ upstreams: [{ url: await startSmall() }] }),
  unavailable: async () => ({ upstreams: [{ url: await startBig(500) }, { url: await startSmall() }] }),
  busy: async () => ({
    upstreams: [{ url: await startBig(0), slots: 1 }, { url: await startSmall() }],
  }),
  cold: async () => ({
    upstreams: [{ url: await startBig(200, { loaded: false }) }, { url: await startSmall() }],
  }),
  quota: async () => ({
    upstreams: [{ url: await startBig(200) }, { url: await startSmall() }],
    limits: { rules: [{ per: 'user', unit: 'outputTokens', window: 'day', limit: 1, models: ['big'] }] },
  }),
};
/** What is told when there is no way to go. A cold model is loaded then, and a busy one is waited for. */
const without: Record<FallbackReason, number> = {
  missing: 404,
  unavailable: 502,
  busy: 503,
  cold: 200,
  quota: 429,
};

async function startBroken(
  reason: FallbackReason,
  on: readonly FallbackReason[] | undefined,
  model = 'stand-in',
) {
  const options = await broken[reason]();
  const bench = await startBench({
    ...options,
    roles,
    queue: { maxWaitMs: 1 },
    routing: { fallbacks: fallbackTo(model, on) },
  });
  // Everything that is known of the upstreams is known.
  await (await bench.answer('/models')).text();
  if (reason === 'busy') {
    const leave = new AbortController();
    const holds = bench
      .chat({ model: 'big', stream: false }, { signal: leave.signal })
      .catch(() => undefined);
    closers.unshift(async () => {
      leave.abort();
      await holds;
    });
    await expect.poll(() => bench.kit.gauges().openUpstream).toBe(1);
    const passing = setInterval(() => bench.clock.advance(10), 5);
    closers.push(async () => clearInterval(passing));
  }
  if (reason === 'quota') await (await ask(bench, 'big')).text();
  return bench;
}

describe('a model that cannot take a request', () => {
  const reasons = Object.keys(broken) as FallbackReason[];

  test.each(reasons)('%s: another one answers where that is a reason, whole and streamed', async (reason) => {
    const bench = await startBroken(reason, [reason]);
    const whole = await ask(bench, 'big');
    expect(whole.status).toBe(200);
    expect(whole.headers.get('x-ziggie-model')).toBe('stand-in:latest');
    expect(await whole.json()).toMatchObject({ model: 'big', done: true });
    const streamed = await eventsIn(await ask(bench, 'big', { stream: true }));
    expect(streamed[0]).toMatchObject({ type: 'start', model: 'big', upstreamModel: 'stand-in:latest' });
    expect(streamed.at(-1)).toMatchObject({ type: 'done' });
    expect(bench.logs.at(-1)?.fields).toMatchObject({
      asked: 'big',
      model: 'stand-in:latest',
      outcome: 'ok',
    });
  });

  test.each(reasons)('%s: nobody else answers where another reason is listed', async (reason) => {
    const bench = await startBroken(
      reason,
      reasons.filter((one) => one !== reason),
    );
    const response = await ask(bench, 'big');
    expect(response.status).toBe(without[reason]);
    expect(response.headers.get('x-ziggie-model')).toBeNull();
    await response.text();
  });

  test.each(reasons)('%s: nobody else answers when the caller may not use the other one', async (reason) => {
    const bench = await startBroken(reason, [reason], 'stand-in-vision');
    const response = await ask(bench, 'big', { role: 'narrow' });
    expect(response.status).toBe(without[reason]);
    expect(await response.text()).not.toContain('vision');
  });
});

test('a mistake of the caller goes nowhere else', async () => {
  const bench = await startBench({
    upstreams: [{ url: await startBig(400) }, { url: await startSmall() }],
    routing: { fallbacks: fallbackTo('stand-in') },
  });
  expect((await ask(bench, 'big')).status).toBe(400);
});

test('an answer that has begun stays where it is', async () => {
  const bench = await startBench({
    routing: { fallbacks: { 'stand-in': [{ model: 'stand-in-thinking' }] } },
  });
  for (const stream of [true, false]) {
    bench.ollama.fake.script([say('Half'), cut()]);
    const response = await bench.chat({ model: 'stand-in', stream });
    expect(await response.text()).toContain('"truncated"');
  }
  const models = bench.ollama.fake
    .report()
    .requests.filter(({ path }) => path === '/api/chat')
    .map(({ body }) => (body as { model: string }).model);
  expect(models).toEqual(['stand-in:latest', 'stand-in:latest']);
});

test('a request that went on is counted once, by the model that answered', async () => {
  const bench = await startBench({
    upstreams: [{ url: await startBig(500) }, { url: await startSmall() }],
    routing: { fallbacks: fallbackTo('stand-in') },
    limits: {
      rules: [
        { per: 'user', unit: 'requests', window: 'day', limit: 100 },
        { per: 'user', unit: 'outputTokens', window: 'day', limit: 100_000 },
      ],
    },
  });
  await (await ask(bench, 'big')).text();
  const { limits } = (await (await bench.answer('/me/limits')).json()) as {
    limits: { unit: string; limit: number; left: number }[];
  };
  expect(limits.find(({ unit, limit }) => unit === 'requests' && limit === 100)?.left).toBe(98);
  const left = limits.find(({ unit }) => unit === 'outputTokens')?.left ?? 0;
  expect(left).toBeLessThan(100_000);
  expect(left).toBeGreaterThan(99_000);
});

test('names of one’s own are listed with their models, and answer on every surface', async () => {
  const bench = await startBench({
    routing: { aliases: { house: 'stand-in' }, tasks: { write: 'stand-in' } },
  });
  const { models } = (await (await bench.answer('/models')).json()) as {
    models: { name: string; aliases: string[] }[];
  };
  expect(models.find(({ name }) => name === 'stand-in:latest')?.aliases).toEqual([
    'stand-in',
    'house',
    'task:write',
  ]);
  for (const path of ['/chat', '/api/chat', '/v1/chat/completions']) {
    const response = await bench.answer(path, {
      body: { model: 'house', messages: [{ role: 'user', content: 'Hi' }], stream: false },
    });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ model: 'house' });
  }
});

test('options that make no sense are refused with their path', async () => {
  await expect(startBench({ routing: { fallbacks: { big: [{ model: '' }] } } })).rejects.toThrow(
    'routing.fallbacks',
  );
  await expect(startBench({ routing: { tasks: { 'a b': 'x' } } })).rejects.toThrow('routing.tasks');
});
