import { describe, expect, test } from 'vitest';
import { createManualClock, instantClock, noTimeouts } from '../../test/clock.ts';
import { fixture, hasFixtures } from '../../test/fixtures.ts';
import { failureOf } from '../../test/samples.ts';
import {
  hangUp,
  lines,
  linesThenHangUp,
  linesThenSilence,
  reply,
  serve,
  toLines,
} from '../../test/scripted-server.ts';
import { createAdmin, type ModelProgress } from '../admin.ts';
import { AbortedError, type CallInfo, type ClientOptions, createClient } from '../index.ts';

function adminOf(url: string, more: Partial<ClientOptions> = {}) {
  return createAdmin(
    createClient({
      baseUrl: url,
      target: 'ollama',
      clock: instantClock(),
      timeouts: noTimeouts,
      random: () => 0,
      ...more,
    }),
  );
}

const digest = `sha256:${'a'.repeat(64)}`;
const part = (completed: number, name = 'a', total = 100) => ({
  status: `pulling ${name}`,
  digest: `sha256:${name}`,
  total,
  completed,
});
const manifest = { status: 'pulling manifest' };
const success = { status: 'success' };

async function collect(stream: AsyncIterable<ModelProgress>): Promise<ModelProgress[]> {
  const seen: ModelProgress[] = [];
  for await (const progress of stream) seen.push(progress);
  return seen;
}

const sent = (server: Awaited<ReturnType<typeof serve>>) =>
  server.exchanges.map(({ request, body }) => [
    `${request.method} ${request.url}`,
    body === '' ? undefined : (JSON.parse(body) as unknown),
  ]);

describe('pull', () => {
  test('asks /api/pull and gives an overall progress', async () => {
    const server = await serve(lines(manifest, part(50), part(100), success));
    const seen = await collect(adminOf(server.url).pull('llama3.2', { insecure: true }));
    expect(sent(server)).toEqual([['POST /api/pull', { model: 'llama3.2', stream: true, insecure: true }]]);
    expect(seen.map(({ phase, fraction }) => [phase, fraction])).toEqual([
      ['preparing', null],
      ['transferring', 0.495],
      ['transferring', 0.99],
      ['done', 1],
    ]);
    expect(seen[1]?.layers).toEqual([{ digest: 'sha256:a', totalBytes: 100, completedBytes: 50 }]);
  });

  test('final() is the last progress, and may be asked for again', async () => {
    const server = await serve(lines(manifest, success));
    const pull = adminOf(server.url).pull('m');
    expect(await pull.final()).toMatchObject({ phase: 'done', fraction: 1 });
    expect(await pull.final()).toMatchObject({ phase: 'done' });
    expect(server.exchanges).toHaveLength(1);
  });

  test('goes on after a cut, and the bar does not go back', async () => {
    const server = await serve(
      linesThenHangUp(manifest, part(10), part(60)),
      lines(manifest, part(55), part(80)),
      hangUp,
      reply(503, ''),
      lines(manifest, part(80), part(100), success),
    );
    const seen = await collect(adminOf(server.url).pull('m'));
    expect(server.exchanges).toHaveLength(5);
    const fractions = seen.map(({ fraction }) => fraction ?? 0);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(seen.at(-1)?.fraction).toBe(1);
    expect(seen.map(({ completedBytes }) => completedBytes)).toEqual([
      0, 10, 60, 60, 60, 80, 80, 80, 100, 100,
    ]);
  });

  test('cut at every record, and every cut in it, it ends well in the end', async () => {
    const all = [manifest, part(20), part(40), part(60), part(80), part(100), success];
    for (let cut = 0; cut < all.length; cut++) {
      const wire = toLines(...all.slice(0, cut + 1));
      const server = await serve(
        reply(200, cut === all.length - 1 ? wire.slice(0, -5) : wire),
        lines(...all),
      );
      const seen = await collect(adminOf(server.url).pull('m'));
      expect(seen.at(-1)?.fraction).toBe(1);
    }
  });

  test('gives up after three tries in a row that moved nothing', async () => {
    const server = await serve(
      linesThenHangUp(part(10)),
      linesThenHangUp(part(20)),
      linesThenHangUp(part(30)),
      linesThenHangUp(part(40)),
      linesThenHangUp(manifest),
    );
    const error = await failureOf(adminOf(server.url).pull('m').final());
    expect(error).toMatchObject({ code: 'truncated', retryable: true });
    expect((error as AbortedError).attempts).toHaveLength(7);
  });

  test.skipIf(!hasFixtures)(
    'an unknown model is an error line with status 200, and not tried again',
    async () => {
      const server = await serve(reply(200, fixture('pull-error-midstream.ndjson')));
      const error = await failureOf(
        adminOf(server.url, { retry: { maxAttempts: 1 } })
          .pull('m')
          .final(),
      );
      expect((error as Error).message).toMatch(/^POST \/api\/pull failed: /);
      const missing = await serve(lines(manifest, { error: 'pull model manifest: file does not exist' }));
      expect(await failureOf(adminOf(missing.url).pull('nope').final())).toMatchObject({
        code: 'model_not_found',
        retryable: false,
      });
      expect(missing.exchanges).toHaveLength(1);
    },
  );

  test.each(['abort', 'signal', 'break'] as const)('%s closes the connection', async (how) => {
    const server = await serve(linesThenSilence(manifest, part(10)));
    const controller = new AbortController();
    const pull = adminOf(server.url, { clock: createManualClock() }).pull('m', { signal: controller.signal });
    const reading = (async () => {
      for await (const { phase } of pull) {
        if (phase !== 'transferring') continue;
        if (how === 'break') break;
        if (how === 'abort') pull.abort('enough');
        else controller.abort('enough');
      }
    })();
    if (how === 'break') await reading;
    else expect(await failureOf(reading)).toMatchObject({ name: 'AbortError', cause: 'enough' });
    const exchange = await server.arrived(1);
    const before = performance.now();
    await exchange.closed;
    expect(exchange.left).toBe(true);
    expect(performance.now() - before).toBeLessThan(1000);
    expect(await failureOf(pull.final())).toBeInstanceOf(AbortedError);
  });

  test('ten silent minutes are too many, nine are not: checking a sum takes long', async () => {
    const clock = createManualClock();
    const server = await serve(linesThenSilence(part(100), { status: 'verifying sha256 digest' }));
    const admin = adminOf(server.url, { clock, timeouts: {}, retry: { maxAttempts: 1 } });
    const pull = admin.pull('m')[Symbol.asyncIterator]();
    await pull.next();
    await pull.next();
    const waiting = failureOf(pull.next());
    let settled = false;
    void waiting.then(() => {
      settled = true;
    });
    await clock.advance(599_000);
    expect(settled).toBe(false);
    await clock.advance(2_000);
    expect(await waiting).toMatchObject({ code: 'idle_timeout' });
  });

  test('hooks hear of it by name', async () => {
    const server = await serve(lines(success));
    const heard: string[] = [];
    const note = (name: string) => (call: CallInfo) => heard.push(`${name} ${call.operation} ${call.model}`);
    await adminOf(server.url, { hooks: { request: note('request'), done: note('done') } })
      .pull('m')
      .final();
    expect(heard).toEqual(['request models.pull m', 'done models.pull m']);
  });
});

test('push and create speak their routes', async () => {
  const server = await serve(lines(success));
  const admin = adminOf(server.url);
  await admin.push('me/m').final();
  await admin.create({ model: 'mine', from: 'llama3.2', system: 'Be brief.', quantize: undefined }).final();
  expect(sent(server)).toEqual([
    ['POST /api/push', { model: 'me/m', stream: true }],
    ['POST /api/create', { model: 'mine', from: 'llama3.2', system: 'Be brief.', stream: true }],
  ]);
});

test.skipIf(!hasFixtures)('create tells the caller of a mistake', async () => {
  const server = await serve(reply(400, fixture('create-error-400.json')));
  expect(await failureOf(adminOf(server.url).create({ model: 'm' }).final())).toMatchObject({
    code: 'bad_request',
    status: 400,
  });
});

test('C84 no-body-200: copy and delete resolve without a body', async () => {
  const server = await serve(reply(200, ''));
  const admin = adminOf(server.url);
  expect(await admin.copy('a', 'b')).toBeUndefined();
  expect(await admin.delete('b')).toBeUndefined();
  expect(sent(server)).toEqual([
    ['POST /api/copy', { source: 'a', destination: 'b' }],
    ['DELETE /api/delete', { model: 'b' }],
  ]);
});

test('load and unload ask for nothing but the model', async () => {
  const record = { model: 'm', response: '', done: true, done_reason: 'load' };
  const server = await serve(reply(200, JSON.stringify(record)));
  const admin = adminOf(server.url);
  await admin.load('m', { keepAlive: '10m' });
  await admin.unload('m');
  expect(sent(server)).toEqual([
    ['POST /api/generate', { model: 'm', keep_alive: '10m' }],
    ['POST /api/generate', { model: 'm', keep_alive: 0 }],
  ]);
});

test('load: a model that only embeds is loaded by embedding nothing', async () => {
  const server = await serve(
    reply(400, '{"error":"\\"bert\\" does not support generate"}'),
    reply(200, '{"model":"bert","embeddings":[]}'),
  );
  await adminOf(server.url).load('bert');
  expect(sent(server)[1]).toEqual(['POST /api/embed', { model: 'bert', input: [] }]);
});

test('load takes as long as loading may take', async () => {
  const clock = createManualClock();
  const server = await serve(() => {});
  const admin = adminOf(server.url, { clock, timeouts: {}, retry: { maxAttempts: 1 } });
  const loading = failureOf(admin.load('m'));
  let over = false;
  void loading.then(() => {
    over = true;
  });
  await server.arrived(1);
  await clock.advance(599_000);
  expect(over).toBe(false);
  await clock.advance(1_000);
  expect(await loading).toMatchObject({ code: 'idle_timeout', afterMs: 600_000 });
});

describe.skipIf(!hasFixtures)('show and running read what Ollama sends', () => {
  test('show', async () => {
    const server = await serve(reply(200, fixture('show.json')));
    const details = await adminOf(server.url).show('llama3.2', { verbose: true });
    expect(sent(server)).toEqual([['POST /api/show', { model: 'llama3.2', verbose: true }]]);
    expect(details).toMatchObject({ name: 'llama3.2', family: 'llama', contextLength: expect.any(Number) });
    expect(details.capabilities).toContain('completion');
    expect(Object.keys(details.info).length).toBeGreaterThan(2);
  });

  test('running', async () => {
    const server = await serve(reply(200, fixture('ps.json')), reply(200, fixture('ps-empty.json')));
    const admin = adminOf(server.url);
    const [first] = await admin.running();
    expect(first).toEqual({
      name: expect.any(String),
      sizeBytes: expect.any(Number),
      sizeVramBytes: expect.any(Number),
      expiresAt: expect.stringMatching(/^\d{4}-/),
      contextLength: expect.any(Number),
    });
    expect(await admin.running()).toEqual([]);
  });
});

describe('blobs', () => {
  test('hasBlob() asks with HEAD', async () => {
    const server = await serve(reply(200, ''), reply(404, ''), reply(500, ''));
    const admin = adminOf(server.url, { retry: { maxAttempts: 1 } });
    expect(await admin.hasBlob(digest)).toBe(true);
    expect(await admin.hasBlob(digest)).toBe(false);
    expect(await failureOf(admin.hasBlob(digest))).toMatchObject({ status: 500 });
    expect(server.exchanges[0]?.request.method).toBe('HEAD');
    expect(server.exchanges[0]?.request.url).toBe(`/api/blobs/${digest}`);
  });

  test.each([
    ['bytes', new TextEncoder().encode('hello')],
    ['a blob', new Blob(['hello'])],
  ])('putBlob() sends %s under the digest of them', async (_, data) => {
    const server = await serve(reply(503, ''), reply(201, ''));
    const sum = 'sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';
    expect(await adminOf(server.url).putBlob(data)).toBe(sum);
    // Sent again after the 503.
    expect(server.exchanges.map(({ body }) => body)).toEqual(['hello', 'hello']);
    expect(server.exchanges[1]?.request.url).toBe(`/api/blobs/${sum}`);
    expect(server.exchanges[1]?.request.headers['content-type']).toBe('application/octet-stream');
  });

  test('a digest in another form is refused before anything is sent', async () => {
    const admin = adminOf('http://127.0.0.1:1');
    for (const wrong of [digest.replace(':', '-'), 'sha256:1', '../../etc/passwd']) {
      expect(await failureOf(admin.hasBlob(wrong))).toBeInstanceOf(TypeError);
      expect(await failureOf(admin.putBlob(new Blob(), { digest: wrong }))).toBeInstanceOf(TypeError);
    }
  });
});

describe('against the kit', () => {
  test('each task has its own path', async () => {
    const server = await serve(lines(success), lines(success), reply(200, ''));
    const admin = adminOf(server.url, { target: 'kit' });
    await admin.pull('m').final();
    await admin.pull('n', { hosts: ['gpu-1'] }).final();
    await admin.delete('b');
    await admin.load('m');
    await admin.unload('m');
    await admin.load('m', { hosts: ['gpu-1'], keepAlive: '10m' });
    await admin.cancelPull('../x');
    expect(sent(server)).toEqual([
      ['POST /admin/models/pull', { model: 'm', stream: true }],
      ['POST /admin/models/pull', { model: 'n', stream: true, hosts: ['gpu-1'] }],
      ['DELETE /admin/models', { model: 'b' }],
      ['POST /admin/models/load', { model: 'm' }],
      ['POST /admin/models/unload', { model: 'm', keep_alive: 0 }],
      ['POST /admin/models/load', { model: 'm', keep_alive: '10m', hosts: ['gpu-1'] }],
      ['DELETE /admin/jobs/..%2Fx', undefined],
    ]);
  });

  test('running() is what /models calls loaded', async () => {
    const loaded = { sizeVramBytes: 5, expiresAt: '2026-11-25T10:00:00Z' };
    const models = [
      { name: 'a', loaded, contextLength: 4_096 },
      { name: 'b', loaded: null, contextLength: null },
    ];
    const server = await serve(reply(200, JSON.stringify({ models })));
    expect(await adminOf(server.url, { target: 'kit' }).running()).toEqual([
      { name: 'a', sizeBytes: null, ...loaded, contextLength: 4_096 },
    ]);
  });

  test('a kit that serves no administration says so', async () => {
    const server = await serve(reply(404, '{"message":"Not Found"}'));
    const admin = adminOf(server.url, { target: 'kit' });
    for (const work of [admin.delete('a'), admin.pull('a').final(), admin.fleet()]) {
      const error = await failureOf(work);
      expect(error).toMatchObject({ code: 'not_found', status: 404 });
      expect((error as Error).message).toContain('does not serve the administration of models');
    }
  });

  test('what the kit never serves is refused without asking', async () => {
    const admin = adminOf('http://127.0.0.1:1', { target: 'kit' });
    for (const work of [
      admin.push('m').final(),
      admin.create({ model: 'n', from: 'm' }).final(),
      admin.copy('a', 'b'),
      admin.show('m'),
      admin.hasBlob(digest),
      admin.putBlob(new Blob()),
    ]) {
      const error = await failureOf(work);
      expect(error).toMatchObject({ code: 'capability_unsupported' });
      expect((error as Error).message).toMatch(/the kit has no route for it\. Talk to Ollama itself/);
    }
  });
});

test('what only a kit has, Ollama itself is not asked for', async () => {
  const admin = adminOf('http://127.0.0.1:1');
  const hosts = ['gpu-1'];
  for (const work of [
    admin.fleet(),
    admin.pulls(),
    admin.cancelPull('pull_1'),
    admin.pull('m', { hosts }).final(),
    admin.load('m', { hosts }),
    admin.unload('m', { hosts }),
    admin.delete('m', { hosts }),
  ]) {
    const error = await failureOf(work);
    expect(error).toMatchObject({ code: 'capability_unsupported' });
    expect((error as Error).message).toContain('Ollama itself has no route for it. Talk to the kit');
  }
});

test('wrong arguments throw before anything is sent', async () => {
  const admin = adminOf('http://127.0.0.1:1');
  expect(() => admin.pull('')).toThrow(TypeError);
  expect(await failureOf(admin.delete(''))).toBeInstanceOf(TypeError);
  expect(() => createAdmin({} as never)).toThrow(/made by createClient/);
});
