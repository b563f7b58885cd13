import { describe, expect, test } from 'vitest';
import { hello, problemIn, startBench } from './harness.ts';

describe('targets', () => {
  // Another spelling of a path is another path: it goes on to the host app and never to a model server.
  test.each([
    '',
    '/',
    '/chat/',
    '//chat',
    '/chat//',
    '/./chat',
    '/x/../chat',
    '/chat/.',
    '/chat/..',
    '/%63hat',
    '/chat%00',
    '/chat%2f',
    '/chat;x',
    '/chat#x',
    '/Chat',
    '/CHAT',
    '\\chat',
    '/chat\\',
    '/chat ',
    ' /chat',
    '/chat\t',
    '/chat\0',
    'chat',
    '/ch\u0430t',
    '/chat\u2024',
    '/api/chat/',
    '/api/tags/x',
    '/api/pull/x',
    '/api/blobs/sha256:1',
    '/api/me',
    '/v1/chat/completions/',
    '/v1/chat',
    '/v1/models/',
    '/v1/models/..',
    '/v1/models/../chat',
    '/v1/models/a/../b',
    '/v1/models/a//b',
    '/v1/models/:model',
    '/v1/audio/speech',
    '/v1/messages/count_tokens',
    '/models/x',
    '/health/',
    '/health/lives',
    '/health/live/',
    '/healthlive',
    '/constructor',
    '/__proto__',
    '/toString',
    'http://ziggie.invalid/chat',
    '*',
    `/${'a'.repeat(5000)}`,
    '%2Fchat',
    '/chat%3F',
    '/.chat',
    '/chat&stream=false',
  ])('%j is not the kit’s', async (target) => {
    const bench = await startBench();
    expect(await bench.ask(target, { body: hello })).toBeUndefined();
    expect(await bench.ask(target)).toBeUndefined();
    expect(bench.ollama.fake.report().requests).toEqual([]);
  });

  test.each([
    '/chat?',
    '/chat?x=1',
    '/chat?/../generate',
    '/models?token=canary',
    `/chat?${'a'.repeat(600)}`,
  ])('%s is refused: no address takes a query', async (target) => {
    const bench = await startBench();
    const body = target.startsWith('/chat') ? hello : undefined;
    const problem = await problemIn(await bench.answer(target, { body }));
    expect(problem.code).toBe('bad_request');
    expect(JSON.stringify([problem, bench.logs])).not.toMatch(/canary|aaaa/);
    expect(bench.ollama.fake.report().requests).toEqual([]);
  });

  test('one of more than 512 bytes is refused where a query may stand', async () => {
    const bench = await startBench();
    const ask = async (length: number) => {
      const first = `/admin/keys?ownerId=${'a'.repeat(256)}&after=`;
      const target = `${first}${'b'.repeat(length - first.length)}`;
      return (await problemIn(await bench.answer(target))).code;
    };
    // This caller is nobody there, which is said once the target is good.
    expect([await ask(512), await ask(513)]).toEqual(['forbidden', 'bad_request']);
  });

  test.each([
    ['Host', ['Host', 'a', 'host', 'b']],
    ['the same Host', ['Host', 'a', 'Host', 'a']],
    ['Authorization', ['authorization', 'Bearer a', 'AUTHORIZATION', 'Bearer b']],
  ])('two fields of %s are refused before anything else', async (_name, rawHeaders) => {
    const bench = await startBench();
    const response = await bench.answer('/models', { connection: { rawHeaders } });
    expect((await problemIn(response)).code).toBe('bad_request');
  });
});

describe('methods', () => {
  test.each([
    ['GET', '/chat', 'POST'],
    ['HEAD', '/chat', 'POST'],
    ['PUT', '/chat', 'POST'],
    ['DELETE', '/generate', 'POST'],
    ['PATCH', '/generate-complete', 'POST'],
    ['POST', '/models', 'GET, HEAD'],
    ['DELETE', '/models', 'GET, HEAD'],
    ['POST', '/health', 'GET, HEAD'],
    ['OPTIONS', '/chat', 'POST'],
    ['BREW', '/status', 'GET, HEAD'],
  ])('%s %s is 405 with Allow: %s', async (method, target, allow) => {
    const bench = await startBench();
    const response = await bench.answer(target, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe(allow);
    if (method === 'HEAD') expect(await response.text()).toBe('');
    else expect((await problemIn(response)).code).toBe('method_not_allowed');
    expect(bench.ollama.fake.report().requests).toEqual([]);
  });

  test.each(['/models', '/status', '/health', '/health/live', '/health/ready'])(
    'HEAD %s has the head of GET and no body',
    async (target) => {
      const bench = await startBench();
      const get = await bench.answer(target);
      const head = await bench.answer(target, { method: 'HEAD' });
      expect(head.status).toBe(get.status);
      expect(head.headers.get('content-type')).toBe(get.headers.get('content-type'));
      expect(await head.text()).toBe('');
      expect((await bench.answer('/models', { method: 'HEAD', token: null })).status).toBe(401);
    },
  );
});

describe('CORS', () => {
  const cors = { origins: ['https://app.example'] };
  const preflight = (origin: string) => ({
    method: 'OPTIONS',
    token: null,
    headers: { origin, 'access-control-request-method': 'POST' },
  });

  test('a preflight of a listed origin is answered without a token', async () => {
    const bench = await startBench({ cors });
    const response = await bench.answer('/chat', preflight('https://app.example'));
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect(response.headers.get('access-control-allow-methods')).toBe('POST');
    expect(response.headers.get('access-control-allow-headers')).toContain('Authorization');
    expect(response.headers.get('access-control-allow-credentials')).toBeNull();
    expect(response.headers.get('vary')).toContain('Origin');
  });

  test.each([
    'https://evil.example',
    'https://app.example.evil.example',
    'http://app.example',
    'https://app.example:8443',
    'null',
    'https://APP.example/',
  ])('a preflight of %s is refused', async (origin) => {
    const bench = await startBench({ cors });
    const response = await bench.answer('/chat', preflight(origin));
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
    expect((await problemIn(response)).code).toBe('forbidden');
  });

  test('answers and refusals can be read by a listed origin, and by no other', async () => {
    const bench = await startBench({ cors });
    for (const token of [undefined, null]) {
      const listed = await bench.answer('/models', { token, headers: { origin: 'https://app.example' } });
      expect(listed.headers.get('access-control-allow-origin')).toBe('https://app.example');
      expect(listed.headers.get('access-control-expose-headers')).toContain('Retry-After');
      const foreign = await bench.answer('/models', { token, headers: { origin: 'https://evil.example' } });
      expect(foreign.headers.get('access-control-allow-origin')).toBeNull();
      expect(foreign.headers.get('vary')).toContain('Origin');
    }
  });

  test('without cors no origin is listed', async () => {
    const bench = await startBench();
    expect((await bench.answer('/chat', preflight('https://ziggie.invalid'))).status).toBe(403);
    const response = await bench.answer('/models', { headers: { origin: 'https://ziggie.invalid' } });
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('request ids', () => {
  test('a harmless one is kept, any other replaced', async () => {
    const bench = await startBench();
    const idFor = async (id: string) =>
      (await bench.answer('/health/live', { headers: { 'x-request-id': id } })).headers.get('x-request-id');
    expect(await idFor('abc-DEF_1.23')).toBe('abc-DEF_1.23');
    for (const id of ['short', 'x'.repeat(65), 'with space', '{"a":1}aa', '<script>x', 'ümlauts-too']) {
      expect(await idFor(id)).toMatch(/^req_[0-9a-f]{32}$/);
    }
  });
});
