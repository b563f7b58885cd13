import { startFakeOpenAI } from '@ziggie/llm-testing/node';
import { describe, expect, test } from 'vitest';
import type { ServerKitOptions, UpstreamOptions } from '../../src/index.ts';
import { type Bench, hello, startBench } from '../harness.ts';
import { closeLater } from './fleet.ts';

const secret = 'a secret for tests, longer than 32 bytes';
const jwt = { secret, issuer: 'https://app.example', audience: 'ziggie-tests', tenantClaim: 'org' };
const pepper = 'a pepper for tests, longer than 32 bytes';
const model = 'org/Model-1';

async function start(upstream: Partial<UpstreamOptions> = {}, options: Partial<ServerKitOptions> = {}) {
  const models = [{ name: model, capabilities: ['completion', 'embedding'] }];
  const server = closeLater(
    await startFakeOpenAI({ profile: 'vllm', models, tokensPerSecond: Number.POSITIVE_INFINITY }),
  );
  const node = () =>
    startBench({
      upstreams: [{ url: server.url, name: 'gpu', dialect: 'vllm', slots: 8, ...upstream }],
      auth: { jwt, keys: { pepper } },
      ...options,
    });
  const bench = await node();
  const sent = () => server.fake.report().requests.filter(({ method }) => method === 'POST');
  const saltOf = async (claims: Record<string, unknown>, on: Bench = bench, body: object = {}) => {
    const token = await on.token(claims);
    const answer = await on.chat({ ...hello, model, stream: false, ...body }, { token });
    expect(answer.status).toBe(200);
    return (sent().at(-1)?.body as { cache_salt?: string } | undefined)?.cache_salt;
  };
  return { server, bench, node, sent, saltOf };
}

describe('a vLLM is told whose its memory of a prompt is', () => {
  test('each tenant has a salt of its own, long and without its name, and its members share it', async () => {
    const { bench, sent, saltOf } = await start();
    const acme = await saltOf({ sub: 'ada', org: 'acme' });
    expect(acme).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(acme).not.toContain('acme');
    expect(await saltOf({ sub: 'bob', org: 'acme' })).toBe(acme);
    const others = [
      await saltOf({ sub: 'ada', org: 'umbrella' }),
      await saltOf({ sub: 'ada', org: 'acme ' }),
    ];
    expect(new Set([acme, ...others]).size).toBe(3);
    expect(sent().at(-1)?.body).toMatchObject({ model, messages: [{ role: 'user', content: 'Hello' }] });
    // On other surfaces and routes as well.
    const token = await bench.token({ org: 'acme' });
    await bench.answer('/v1/chat/completions', { token, body: { ...hello, model } });
    expect(sent().at(-1)?.body).toMatchObject({ cache_salt: acme });
    await bench.answer('/generate', { token, body: { model, prompt: 'Hello', raw: true, stream: false } });
    expect(sent().at(-1)).toMatchObject({ path: '/v1/completions', body: { cache_salt: acme } });
  });

  test('it is the same on every node with the same pepper, and after a restart', async () => {
    const { node, saltOf } = await start();
    const first = await saltOf({ org: 'acme' });
    expect(await saltOf({ org: 'acme' }, await node())).toBe(first);
    const other = await start({}, { auth: { jwt, keys: { pepper: `${pepper} of another operator` } } });
    expect(await other.saltOf({ org: 'acme' })).not.toBe(first);
  });

  test('without a pepper it is of the process, and still there', async () => {
    const { saltOf } = await start({}, { auth: { jwt } });
    const acme = await saltOf({ org: 'acme' });
    expect(acme).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(await saltOf({ org: 'umbrella' })).not.toBe(acme);
  });

  test('callers without a tenant are one, and nothing is sent', async () => {
    const { saltOf } = await start();
    expect(await saltOf({ sub: 'ada' })).toBeUndefined();
  });

  test('where users are kept apart, each has its own in each tenant', async () => {
    const { saltOf } = await start({ cacheSalt: 'user' });
    const salts = [
      await saltOf({ sub: 'ada', org: 'acme' }),
      await saltOf({ sub: 'bob', org: 'acme' }),
      await saltOf({ sub: 'ada', org: 'umbrella' }),
      await saltOf({ sub: 'ada' }),
    ];
    expect(new Set(salts).size).toBe(4);
    expect(await saltOf({ sub: 'ada', org: 'acme' })).toBe(salts[0]);
  });

  test('no caller says it', async () => {
    const { bench, sent, saltOf } = await start();
    const acme = await saltOf({ org: 'acme' });
    const own = await saltOf({ org: 'umbrella' });
    const token = await bench.token({ org: 'umbrella' });
    for (const [path, more] of [
      ['/chat', { cache_salt: acme }],
      ['/chat', { options: { cache_salt: acme } }],
      ['/v1/chat/completions', { cache_salt: acme }],
      ['/v1/chat/completions', { extra_body: { cache_salt: acme } }],
    ] as const) {
      await (await bench.answer(path, { token, body: { ...hello, model, ...more } })).text();
    }
    const salts = sent().map(({ body }) => (body as Record<string, unknown>)['cache_salt']);
    expect(salts.slice(2).every((salt) => salt === own)).toBe(true);
    expect(salts.filter((salt) => salt === acme)).toHaveLength(1);
  });
});

test.each([
  ['it is turned off', { cacheSalt: false }],
  ['the server is not known to be one', { dialect: 'openai' }],
] as [string, Partial<UpstreamOptions>][])('no salt is sent where %s', async (_why, upstream) => {
  const { saltOf, sent } = await start(upstream);
  expect(await saltOf({ org: 'acme' })).toBeUndefined();
  expect(JSON.stringify(sent())).not.toContain('cache_salt');
});

test('an Ollama has no such thing, and an option that says so is refused', async () => {
  await expect(
    startBench({ upstreams: [{ url: 'http://127.0.0.1:1', cacheSalt: 'tenant' }] }),
  ).rejects.toThrow(/cacheSalt is for vLLM/);
});
