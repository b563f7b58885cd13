import { describe, expect, test } from 'vitest';
import type { ServerKitOptions } from '../src/index.ts';
import { type Ask, hello, problemIn, startBench } from './harness.ts';

const ada: ServerKitOptions['authenticate'] = () => ({ id: 'ada', roles: ['user'] });
const post = (headers: Record<string, string>, more: Ask = {}): Ask => ({
  body: hello,
  token: null,
  headers,
  ...more,
});

describe("the host app's own authenticate", () => {
  test('gets the request and what the door knows', async () => {
    const seen: unknown[] = [];
    const bench = await startBench({
      authenticate: (request, connection) => {
        seen.push(request.headers.get('cookie'), connection.user);
        return { id: 'ada', roles: ['user'] };
      },
    });
    const response = await bench.answer('/models', {
      token: null,
      headers: { cookie: 'session=1' },
      connection: { user: { name: 'Ada' } },
    });
    expect(response.status).toBe(200);
    expect(seen).toEqual(['session=1', { name: 'Ada' }]);
    expect(bench.logs.at(-1)?.fields['principal']).toBe('ada');
  });

  test.each([
    ['null', null],
    ['undefined', undefined],
    ['false', false],
  ])('%s refuses, in words that name no token', async (_what, given) => {
    const bench = await startBench({ authenticate: (() => given) as ServerKitOptions['authenticate'] });
    const problem = await problemIn(await bench.answer('/models', { token: null }));
    expect(problem).toMatchObject({
      code: 'unauthorized',
      detail: 'You are not signed in. Sign in and try again.',
    });
  });

  test.each<[string, unknown]>([
    ['true', true],
    ['a name', 'ada'],
    ['no roles', { id: 'ada' }],
    ['roles as text', { id: 'ada', roles: 'admin' }],
    ['an empty id', { id: '', roles: ['user'] }],
    ['a number as id', { id: 7, roles: ['user'] }],
  ])('lets nobody in and says that the host is wrong when it gives %s', async (_what, given) => {
    const bench = await startBench({ authenticate: (() => given) as ServerKitOptions['authenticate'] });
    expect((await problemIn(await bench.answer('/models', { token: null }))).code).toBe('internal_error');
    expect(bench.logs.at(-1)).toMatchObject({
      level: 'error',
      fields: { reason: expect.stringMatching(/^TypeError at /) },
    });
  });

  test('lets nobody in when it throws, and tells the caller nothing of it', async () => {
    const bench = await startBench({
      authenticate: () => Promise.reject(new RangeError('database at 10.0.0.9')),
    });
    const problem = await problemIn(await bench.answer('/models', { token: null }));
    expect(problem.code).toBe('internal_error');
    expect(JSON.stringify([problem, bench.logs])).not.toContain('10.0.0.9');
    expect(bench.logs.at(-1)).toMatchObject({
      level: 'error',
      fields: { reason: expect.stringMatching(/^RangeError at .*authenticate\.test/) },
    });
  });

  test.each<[string, Record<string, string>, number]>([
    ['of this server', { origin: 'https://ziggie.invalid' }, 200],
    ['of this server behind TLS that a proxy took off', { origin: 'http://ziggie.invalid' }, 200],
    ['of a listed site', { origin: 'https://app.example' }, 200],
    ['of a foreign site', { origin: 'https://evil.example' }, 403],
    ['of a site whose name begins like ours', { origin: 'https://ziggie.invalid.evil.example' }, 403],
    ['of a subdomain', { origin: 'https://x.ziggie.invalid' }, 403],
    ['of another port', { origin: 'https://ziggie.invalid:8443' }, 403],
    ['of a listed site with another port', { origin: 'https://app.example:444' }, 403],
    ['of a sandboxed frame', { origin: 'null' }, 403],
    ['that is not said', {}, 403],
    ['that is no URL', { origin: 'ziggie.invalid' }, 403],
  ])('lets a POST in from a page %s as it should', async (_whose, headers, status) => {
    const bench = await startBench({ authenticate: ada, cors: { origins: ['https://app.example'] } });
    const response = await bench.answer('/chat', post(headers));
    expect(response.status).toBe(status);
    if (status === 200) await response.text();
    else expect(bench.ollama.fake.report().requests).toEqual([]);
  });

  test('over TLS a page without TLS is not one of ours', async () => {
    const bench = await startBench({ authenticate: ada });
    const encrypted = { connection: { encrypted: true } };
    const plain = await bench.answer('/chat', post({ origin: 'http://ziggie.invalid' }, encrypted));
    expect(plain.status).toBe(403);
    const own = await bench.answer('/chat', post({ origin: 'https://ziggie.invalid' }, encrypted));
    expect(own.status).toBe(200);
    await own.text();
  });

  test('is not asked before the Origin is known to be ours', async () => {
    let asked = 0;
    const bench = await startBench({
      authenticate: () => {
        asked++;
        return null;
      },
    });
    await bench.answer('/chat', post({ origin: 'https://evil.example' }));
    expect(asked).toBe(0);
  });
});
