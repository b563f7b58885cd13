import { callTool, createFakeOllama, error, garbage, huge, say, stall, think } from '@ziggie/llm-testing';
import { Ollama as TheirOllama } from 'ollama';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createManualClock, instantClock } from '../../test/clock.ts';
import { fixture, hasFixtures } from '../../test/fixtures.ts';
import { isZiggieError } from '../index.ts';
import { Ollama, ResponseError } from '../ollama.ts';
import { formatHost } from './format-host.ts';

type Either = InstanceType<typeof TheirOllama> | Ollama;
const messages = [{ role: 'user', content: 'Hello' }];
const pixel =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const image = new Uint8Array(Buffer.from(pixel, 'base64'));

// Theirs prints what it cannot read.
beforeEach(() => {
  vi.spyOn(console, 'log').mockImplementation(() => {});
  vi.spyOn(console, 'warn').mockImplementation(() => {});
});
afterEach(() => vi.restoreAllMocks());

/**
 * What came of a call: its answer or records, or the server's words, and its status where there was one. In a stream theirs
 * throws a plain error; and an error in place of the first record rejects the call here, the loop there.
 */
async function outcome(work: () => Promise<unknown>): Promise<unknown> {
  const records: unknown[] = [];
  try {
    const answer = await work();
    if (typeof answer !== 'object' || answer === null || !(Symbol.asyncIterator in answer)) return answer;
    for await (const record of answer as AsyncIterable<unknown>) records.push(record);
    return records;
  } catch (failure) {
    const { message, cause } = failure as Error;
    // Ours is one line, whatever the server's was.
    const words = message.replace(/\s+/g, ' ');
    const status = (failure as { status_code?: number }).status_code;
    const answered = cause === undefined || /answered \d+: /.test((cause as Error).message);
    return { records, message: words, ...(status !== undefined && answered ? { status } : {}) };
  }
}

/** The same call to both, each with a stand-in of its own whose clock stands still. */
async function both(
  call: (client: Either) => Promise<unknown>,
  prepare: (fake: ReturnType<typeof createFakeOllama>) => void = () => {},
) {
  const results = [];
  for (const Client of [TheirOllama, Ollama]) {
    vi.spyOn(Date, 'now').mockReturnValue(1_760_000_000_000);
    const clock = createManualClock();
    const fake = createFakeOllama({ tokensPerSecond: Infinity, clock });
    prepare(fake);
    const client = new Client({ host: 'http://ollama.test', fetch: fake.fetch as typeof fetch });
    let over = false;
    const result = outcome(() => call(client)).finally(() => {
      over = true;
    });
    // Bytes of a model take time: it passes as soon as nothing else happens.
    while (!over) {
      await new Promise((resolve) => setImmediate(resolve));
      if (clock.pending > 0) await clock.advance(100);
    }
    results.push(await result);
  }
  return results as [unknown, unknown];
}

describe('Ollama gives on the stand-in what ollama 0.6.4 gives', () => {
  it.each<[string, (client: Either) => Promise<unknown>, Parameters<typeof both>[1]?]>([
    ['chat()', (client) => client.chat({ model: 'stand-in', messages })],
    ['chat() in a stream', (client) => client.chat({ model: 'stand-in', messages, stream: true })],
    ['chat() with thinking', (client) => client.chat({ model: 'stand-in-thinking', messages, think: true })],
    [
      'chat() with thinking in a stream',
      (client) => client.chat({ model: 'stand-in-thinking', messages, think: true, stream: true }),
    ],
    [
      'chat() with tools',
      (client) =>
        client.chat({ model: 'stand-in', messages, tools: [{ type: 'function', function: { name: 't' } }] }),
      (fake) =>
        fake.script([think('Hm.'), say('Let me see.'), callTool('t', { a: 1 }), callTool('t', { a: 2 })]),
    ],
    ['chat() with a format', (client) => client.chat({ model: 'stand-in', messages, format: 'json' })],
    [
      'chat() with images',
      (client) =>
        client.chat({
          model: 'stand-in-vision',
          messages: [{ role: 'user', content: 'What?', images: [image] }],
        }),
    ],
    [
      'chat() with options',
      (client) => client.chat({ model: 'stand-in', messages, options: { num_predict: 3 } }),
    ],
    ['chat() that only loads', (client) => client.chat({ model: 'stand-in', messages: [] })],
    ['chat() without messages', (client) => client.chat({ model: 'stand-in' })],
    ['chat() that unloads', (client) => client.chat({ model: 'stand-in', messages: [], keep_alive: 0 })],
    ['generate()', (client) => client.generate({ model: 'stand-in', prompt: 'Hello' })],
    [
      'generate() in a stream',
      (client) => client.generate({ model: 'stand-in', prompt: 'Hello', stream: true }),
    ],
    [
      'generate() with images',
      (client) => client.generate({ model: 'stand-in-vision', prompt: 'What?', images: [pixel] }),
    ],
    ['generate() that only loads', (client) => client.generate({ model: 'stand-in', prompt: '' })],
    ['embed()', (client) => client.embed({ model: 'stand-in-embed', input: ['one', 'two'] })],
    ['embeddings()', (client) => client.embeddings({ model: 'stand-in-embed', prompt: 'one' })],
    ['list()', (client) => client.list()],
    ['show()', (client) => client.show({ model: 'stand-in' })],
    ['ps()', (client) => client.ps()],
    [
      'ps() of a loaded one',
      async (client) => [await client.chat({ model: 'stand-in', messages }), await client.ps()],
    ],
    ['version()', (client) => client.version()],
    ['copy()', (client) => client.copy({ source: 'stand-in', destination: 'other' })],
    ['delete()', (client) => client.delete({ model: 'stand-in' })],
    ['pull()', (client) => client.pull({ model: 'llama3.2' })],
    ['pull() in a stream', (client) => client.pull({ model: 'llama3.2', stream: true })],
    ['push()', (client) => client.push({ model: 'me/stand-in', stream: true })],
    ['create()', (client) => client.create({ model: 'new', from: 'stand-in', system: 'Hi', stream: true })],
    [
      'systemone(), which no server of its kind has',
      (client) => client.systemone({ model: 'stand-in', state: '', questions: {} }),
    ],
    ['a model that is not there', (client) => client.chat({ model: 'nope', messages })],
    [
      'a model that is not there, in a stream',
      (client) => client.chat({ model: 'nope', messages, stream: true }),
    ],
    ['a model that cannot chat', (client) => client.chat({ model: 'stand-in-embed', messages })],
    ['tools for a model without', (client) => client.chat({ model: 'stand-in-embed', messages, tools: [] })],
    ['show() of none', (client) => client.show({ model: 'nope' })],
    ['copy() of none', (client) => client.copy({ source: 'nope', destination: 'x' })],
    [
      'an error in the stream',
      (client) => client.chat({ model: 'stand-in', messages, stream: true }),
      (fake) => fake.script([say('Half an'), error('the runner went away')]),
    ],
  ])('%s', async (_, call, prepare) => {
    const [theirs, ours] = await both(call, prepare);
    expect(theirs).toBeDefined();
    expect(ours).toEqual(theirs);
  });
});

interface Transcript {
  file: string;
  request: { method: string; path: string; body?: Record<string, unknown> };
  status: number;
  contentType?: string;
}

const methods: Record<string, keyof Ollama> = {
  '/api/chat': 'chat',
  '/api/generate': 'generate',
  '/api/pull': 'pull',
  '/api/push': 'push',
  '/api/create': 'create',
  '/api/delete': 'delete',
  '/api/copy': 'copy',
  '/api/tags': 'list',
  '/api/ps': 'ps',
  '/api/show': 'show',
  '/api/embed': 'embed',
  '/api/embeddings': 'embeddings',
  '/api/version': 'version',
};

describe.skipIf(!hasFixtures)('Ollama gives for every transcript what ollama 0.6.4 gives', () => {
  const { fixtures } = hasFixtures
    ? (JSON.parse(fixture('index.json').toString()) as { fixtures: Transcript[] })
    : { fixtures: [] };
  const native = fixtures.filter(({ request }) => request.path in methods);
  /** A broken stream is the same failure in other words; ours says more. */
  const otherWords = new Map([
    ['chat-truncated-no-done.ndjson', /truncated|ends without/],
    ['chat-empty-200.ndjson', /ends without/],
    ['error-403-origin.txt', /./],
    // Theirs shows the JSON.
    ['error-400-context-native.json', /^request \(7931 tokens\) exceeds/],
  ]);

  it('has its transcripts', () => expect(native.length).toBeGreaterThan(50));

  it.each(native.map((transcript) => [transcript.file, transcript] as const))(
    '%s',
    async (file, transcript) => {
      const { request, status, contentType = 'application/json' } = transcript;
      const streams = file.endsWith('.ndjson');
      const results: unknown[] = [];
      for (const Client of [TheirOllama, Ollama]) {
        const fetch = (async () =>
          new Response(new Uint8Array(fixture(file)), {
            status,
            headers: { 'Content-Type': contentType },
          })) as typeof globalThis.fetch;
        const client = new Client({
          host: 'http://ollama.test',
          fetch,
          ...(Client === Ollama ? { retry: { maxAttempts: 1 } } : {}),
        }) as Ollama;
        const method = client[methods[request.path] as keyof Ollama] as (body: object) => Promise<unknown>;
        results.push(
          await outcome(() =>
            method.call(client, { model: 'm', messages: [], prompt: '', ...request.body, stream: streams }),
          ),
        );
      }
      const [theirs, ours] = results as [object, object];
      const words = otherWords.get(file);
      if (words === undefined) expect(ours).toEqual(theirs);
      else {
        expect((ours as { message: string }).message).toMatch(words);
        expect(theirs).toHaveProperty('message');
        expect((ours as { records?: unknown }).records ?? []).toEqual(
          (theirs as { records?: unknown }).records ?? [],
        );
      }
    },
  );
});

describe('Ollama, where ollama 0.6.4 has faults', () => {
  const setUp = (more: object = {}) => {
    const fake = createFakeOllama({ tokensPerSecond: Infinity });
    const client = new Ollama({ host: 'http://ollama.test', fetch: fake.fetch as typeof fetch, ...more });
    return { fake, client };
  };
  const endless = [say('Hi '), stall()];

  it('leaving the loop closes the connection, and nothing is held on to', async () => {
    const { fake, client } = setUp();
    fake.script(endless);
    for await (const _ of await client.chat({ model: 'stand-in', messages, stream: true })) break;
    await fake.waitFor((report) => report.openGenerations === 0 && report.disconnects.length === 1);
  });

  it('abort() of one stream leaves the others alone; abort() of the client ends all', async () => {
    const { fake, client } = setUp({});
    fake.script(endless, { times: 3 });
    const open = (model: string) => client.chat({ model, messages, stream: true });
    const [first, second, third] = await Promise.all([
      open('stand-in'),
      open('stand-in-thinking'),
      open('stand-in-vision'),
    ]);
    first.abort();
    await expect(outcome(async () => first)).resolves.toMatchObject({
      message: 'The call was stopped by its caller.',
    });
    await fake.waitFor((report) => report.openGenerations === 2);
    client.abort();
    for (const stream of [second, third]) {
      await expect(outcome(async () => stream)).resolves.toMatchObject({
        message: 'The call was stopped by its caller.',
      });
    }
    await fake.waitFor((report) => report.openGenerations === 0);
  });

  it('takes a signal, also before the first record and for a whole answer', async () => {
    const { fake, client } = setUp();
    fake.script(stall(), { times: 2 });
    for (const stream of [true, false]) {
      const control = new AbortController();
      const asked = client.chat({ model: 'stand-in', messages, stream } as never, { signal: control.signal });
      await fake.waitFor((report) => report.openGenerations === 1);
      control.abort(new Error('enough'));
      await expect(asked).rejects.toMatchObject({ name: 'AbortError', code: 'aborted' });
      await fake.waitFor((report) => report.openGenerations === 0);
    }
  });

  it('throws typed errors that also have the shape of theirs', async () => {
    const { client } = setUp();
    const failure = await client.chat({ model: 'nope', messages }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ResponseError);
    expect(isZiggieError(failure)).toBe(true);
    expect(failure).toMatchObject({
      name: 'ResponseError',
      code: 'model_not_found',
      error: "model 'nope' not found",
      message: "model 'nope' not found",
      status_code: 404,
      attempts: [{ status: 404 }],
    });
  });

  it('tries again before the first record, and not after it', async () => {
    const { fake, client } = setUp({ clock: instantClock(), random: () => 0 });
    fake.script(error('server busy, please try again.  maximum pending requests exceeded', { status: 503 }));
    fake.script(say('Hi'));
    expect((await client.chat({ model: 'stand-in', messages })).message.content).toBe('Hi');
    fake.script([say('Half'), error('the runner went away')]);
    expect(await outcome(() => client.chat({ model: 'stand-in', messages, stream: true }))).toMatchObject({
      records: [{ message: { content: 'Half' } }],
    });
    expect(fake.report().requests).toHaveLength(3);
  });

  it('fails on a line that is no JSON instead of printing it', async () => {
    const { fake, client } = setUp({ retry: { maxAttempts: 1 } });
    fake.script([say('Hi'), garbage('{"broken\n')]);
    expect(await outcome(() => client.chat({ model: 'stand-in', messages, stream: true }))).toMatchObject({
      message: 'Reading the answer to POST /api/chat: a record could not be read.',
    });
    expect(console.warn).not.toHaveBeenCalled();
  });

  it('reads no file, and changes nothing of what it was given', async () => {
    const { fake, client } = setUp();
    for (const path of ['/etc/passwd', new URL('../../package.json', import.meta.url).pathname, './x.png']) {
      await expect(client.generate({ model: 'stand-in-vision', prompt: '', images: [path] })).rejects.toThrow(
        /Paths are not read/,
      );
      await expect(client.encodeImage(path)).rejects.toThrow(TypeError);
    }
    expect(fake.report().requests).toHaveLength(0);
    const request = Object.freeze({
      model: 'stand-in-vision',
      messages: [
        Object.freeze({
          role: 'user',
          content: 'What?',
          images: Object.freeze([image, `data:image/png;base64,${pixel}`]) as never,
        }),
      ],
    });
    await client.chat(request);
    expect(fake.report().requests[0]?.body).toMatchObject({ messages: [{ images: [pixel, pixel] }] });
  });

  it('reads a large record in linear time', async () => {
    const { fake, client } = setUp();
    fake.script(huge(4_000_000));
    const { user } = process.threadCpuUsage();
    expect((await client.chat({ model: 'stand-in', messages })).message.content).toHaveLength(4_000_000);
    // In 64-byte pieces theirs takes minutes; in one process with the stand-in, ours a fraction of this.
    expect(process.threadCpuUsage().user - user).toBeLessThan(3_000_000);
  });

  it('ends a stream that says nothing more', async () => {
    const clock = createManualClock();
    const { fake, client } = setUp({ clock });
    fake.script([say('Hi '), stall()]);
    const read = outcome(() => client.chat({ model: 'stand-in', messages, stream: true }));
    await fake.waitFor((report) => (report.requests[0]?.records ?? 0) > 0);
    await clock.advance(0);
    await clock.advance(61_000);
    expect(await read).toMatchObject({
      records: [{ message: { content: 'Hi' } }, {}],
      message: expect.stringContaining('took over 60000 ms ("idle")'),
    });
  });
});

describe('hosts and headers', () => {
  it.each([
    [undefined, 'http://127.0.0.1:11434'],
    ['', 'http://127.0.0.1:11434'],
    ['gpu-1', 'http://gpu-1:11434'],
    ['gpu-1:8080', 'http://gpu-1:8080'],
    ['gpu-1:80', 'http://gpu-1'],
    [':56789', 'http://127.0.0.1:56789'],
    ['http://gpu-1', 'http://gpu-1'],
    ['https://gpu-1', 'https://gpu-1'],
    ['http://gpu-1:8080/', 'http://gpu-1:8080'],
    ['https://gpu-1/ollama/', 'https://gpu-1/ollama'],
    ['0.0.0.0', 'http://127.0.0.1:11434'],
    ['[::1]:1234', 'http://[::1]:1234'],
    ['[::1]', 'http://[::1]:11434'],
  ])('host %o is %s', (host, baseUrl) => {
    expect(formatHost(host)).toEqual({ baseUrl, authorization: undefined });
  });

  it('a host that is no address is refused without its password', () => {
    expect(() => new Ollama({ host: 'http://me:canary@[x' })).toThrow(/^Reading host: it is no address/);
  });

  it('sends the headers it is given; a user in the address becomes Authorization', async () => {
    const seen: Headers[] = [];
    const fetch = (async (_: unknown, init: RequestInit) => {
      seen.push(new Headers(init.headers));
      return Response.json({ version: '1', results: [] });
    }) as typeof globalThis.fetch;
    await new Ollama({ host: 'http://me:it%40@h', fetch, headers: new Headers({ 'X-Team': 'a' }) }).version();
    expect(seen[0]?.get('x-team')).toBe('a');
    expect(seen[0]?.get('authorization')).toBe(`Basic ${btoa('me:it@')}`);
    vi.stubEnv('OLLAMA_API_KEY', 'key-1');
    const client = new Ollama({ fetch });
    await client.version();
    await client.webSearch({ query: 'x' });
    expect(seen.slice(1).map((headers) => headers.get('authorization'))).toEqual([null, 'Bearer key-1']);
    await expect(client.webSearch({ query: '' })).rejects.toThrow('Query is required');
    await expect(client.webFetch({ url: '' })).rejects.toThrow('URL is required');
    vi.unstubAllEnvs();
  });
});
