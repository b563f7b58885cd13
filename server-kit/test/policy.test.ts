import { describe, expect, test } from 'vitest';
import { type Bench, eventsIn, hello, problemIn, prompt, startBench } from './harness.ts';

type Body = Record<string, unknown> & { options: Record<string, unknown> };

/** What the model server got for a body. */
async function sentFor(bench: Bench, more: Record<string, unknown>, path = '/chat'): Promise<Body> {
  const body = { ...(path === '/chat' ? hello : prompt), ...more };
  const response = await bench.answer(path, { body });
  expect(response.status).toBe(200);
  await response.text();
  const { requests } = bench.ollama.fake.report();
  return requests.filter(({ method }) => method === 'POST').at(-1)?.body as Body;
}

describe('options', () => {
  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['none', {}, { num_predict: 4096 }],
    [
      'sampling',
      { options: { temperature: 0.5, top_k: 5, seed: 7, stop: ['x'] } },
      { temperature: 0.5, top_k: 5, seed: 7, stop: ['x'], num_predict: 4096 },
    ],
    ['a length within the limit', { options: { num_predict: 10 } }, { num_predict: 10 }],
    ['a length above it', { options: { num_predict: 5000 } }, { num_predict: 4096 }],
    ['no limit at all', { options: { num_predict: -1 } }, { num_predict: 4096 }],
    ['to the end of the context', { options: { num_predict: -2 } }, { num_predict: 4096 }],
    ['a length of 0', { options: { num_predict: 0 } }, { num_predict: 4096 }],
    ['max_tokens', { max_tokens: 10 }, { num_predict: 10 }],
    ['max_tokens above the limit', { max_tokens: 1e9 }, { num_predict: 4096 }],
    ['max_tokens and a length', { max_tokens: 10, options: { num_predict: 20 } }, { num_predict: 10 }],
    [
      'temperature at the top',
      { temperature: 0, options: { temperature: 1 } },
      { temperature: 0, num_predict: 4096 },
    ],
    [
      'what reloads the model',
      {
        options: {
          num_ctx: 1,
          num_batch: 1,
          num_gpu: 0,
          main_gpu: 1,
          use_mmap: false,
          num_thread: 1,
          num_keep: 4,
          draft_num_predict: 1,
        },
      },
      { num_predict: 4096 },
    ],
    ['null', { options: { top_k: null } }, { num_predict: 4096 }],
  ])('%s', async (_what, body, options) => {
    expect((await sentFor(await startBench(), body)).options).toEqual(options);
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['an unknown one', { numa: true }, 'unknown option "numa"'],
    ['a misspelt one', { 'temp<b>': 1 }, 'unknown option "temp?b?"'],
    ['one of every object', { constructor: 1 }, 'unknown option "constructor"'],
    ['a number as text', { temperature: 'canary' }, 'options.temperature: must be a number'],
    ['a part as integer', { seed: 1.5 }, 'options.seed: must be a whole number'],
    ['stop as text', { stop: 'canary' }, 'options.stop: must be a list'],
    ['17 stops', { stop: new Array(17).fill('canary') }, 'options.stop'],
    ['a stop that is no text', { stop: [1] }, 'options.stop'],
    ['a length as text', { num_predict: '-1' }, 'options.num_predict'],
  ])('%s is refused', async (_what, options, expected) => {
    const bench = await startBench();
    const problem = await problemIn(await bench.chat({ options }));
    expect(problem.code).toBe('bad_request');
    expect(problem.detail).toContain(expected);
    expect(JSON.stringify([problem, bench.logs])).not.toContain('canary');
  });
});

describe('what goes upstream', () => {
  test.each(['/chat', '/generate', '/generate-complete'])(
    '%s: a text of our own, without what all users share',
    async (path) => {
      const bench = await startBench();
      const sent = await sentFor(
        bench,
        { keep_alive: -1, shift: true, stream: false, options: { num_ctx: 999_999 } },
        path,
      );
      const names =
        path === '/chat'
          ? ['messages', 'model', 'options', 'stream']
          : ['model', 'options', 'prompt', 'stream'];
      expect(Object.keys(sent).sort()).toEqual(names);
      // Always streamed, also for complete answers: a long one is then seen to be alive.
      expect(sent).toMatchObject({ stream: true, options: { num_predict: 4096 } });
    },
  );

  test('no header of the caller, and none beyond those HTTP needs', async () => {
    const bench = await startBench();
    const headers = {
      cookie: 'canary=1',
      'x-api-key': 'canary',
      'x-forwarded-for': '10.0.0.1',
      origin: 'https://ziggie.invalid',
      'user-agent': 'canary',
      te: 'trailers',
      'x-request-id': 'canary-canary',
    };
    await eventsIn(await bench.chat({}, { headers }));
    for (const { headers: seen, method } of bench.ollama.fake.report().requests) {
      expect(JSON.stringify(seen)).not.toMatch(/canary|Bearer|ziggie|10\.0\.0\.1/);
      const { host, connection: _connection, ...rest } = seen;
      expect(host).toBe(`127.0.0.1:${bench.ollama.port}`);
      const names = method === 'POST' ? ['accept', 'content-length', 'content-type'] : ['accept'];
      expect(names).toEqual(expect.arrayContaining(Object.keys(rest)));
    }
  });

  test('only the four paths the kit knows', async () => {
    const bench = await startBench();
    await eventsIn(await bench.chat());
    await (await bench.answer('/generate', { body: prompt })).text();
    await bench.answer('/models');
    const paths = new Set(bench.ollama.fake.report().requests.map(({ method, path }) => `${method} ${path}`));
    expect([...paths].sort()).toEqual([
      'GET /api/ps',
      'GET /api/tags',
      'POST /api/chat',
      'POST /api/generate',
    ]);
  });
});

describe('models', () => {
  test.each(['stand-in', 'stand-in:latest', 'STAND-IN', 'Stand-In:Latest'])(
    '%s is the same model',
    async (model) => {
      const bench = await startBench();
      const events = await eventsIn(await bench.chat({ model }));
      expect(events[0]).toMatchObject({ type: 'start', model, upstreamModel: 'stand-in:latest' });
    },
  );

  test.each([
    'nobody',
    'stand-in:8b',
    'stand-in:',
    ':latest',
    'stand-in ',
    ' stand-in',
    'stand-in:latest:latest',
    '../stand-in',
    'x/stand-in',
    'registry.example/x/stand-in:latest',
    'stand-in@sha256:00',
    'http://evil.example/model',
    '/etc/passwd',
    'stand-in\n',
    'stand-in\0',
    '__proto__',
    'constructor',
    'ｓtand-in',
    '*',
    '<script>',
    'stand-in?x',
    '%73tand-in',
  ])('%j gets the same 404 as any other unknown one, and nothing is generated', async (model) => {
    const bench = await startBench();
    const problem = await problemIn(
      await bench.chat({ model }, { headers: { 'x-request-id': 'the-same-id' } }),
    );
    expect(problem).toEqual({
      type: 'urn:ziggie:error:model_not_found',
      title: 'The model is not on this server',
      status: 404,
      detail: 'There is no such model here. GET /models lists those you may use.',
      code: 'model_not_found',
      retryable: false,
      requestId: 'the-same-id',
    });
    expect(bench.ollama.fake.report().requests.filter(({ method }) => method === 'POST')).toEqual([]);
    expect(bench.logs.at(-1)?.fields).not.toHaveProperty('model');
  });

  test('asking for unknown models does not become a flood of lists', async () => {
    const bench = await startBench();
    for (let index = 0; index < 20; index++) await bench.chat({ model: `nobody-${index}` });
    expect(bench.ollama.fake.report().requests).toHaveLength(1);
  });

  test('the list is asked for anew after a second, so a model that was pulled meanwhile is found', async () => {
    const bench = await startBench();
    await bench.chat({ model: 'nobody' });
    bench.clock.advance(1001);
    await bench.chat({ model: 'nobody' });
    expect(bench.ollama.fake.report().requests.map(({ path }) => path)).toEqual(['/api/tags', '/api/tags']);
  });
});
