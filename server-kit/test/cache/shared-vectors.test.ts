import { expect, test } from 'vitest';
import type { ServerKitOptions } from '../../src/index.ts';
import { type Ask, problemIn } from '../harness.ts';
import { whole } from '../raw-ollama.ts';
import { startNode, startPacer } from '../streams/nodes.ts';
import { tenants, type Who } from './cached-kit.ts';

const texts = { model: 'raw', input: ['red apples', 'green pears'] };
const vectors = [
  [1, 0, 0],
  [0, 1, 0],
];
const answer = whole(JSON.stringify({ model: 'raw', embeddings: vectors, prompt_eval_count: 9 }));

/** A kit whose model server makes vectors when the test says so. */
async function start(options: Partial<ServerKitOptions> = {}) {
  const pacer = await startPacer();
  const node = await startNode(pacer, { ...tenants, cache: { keep: false }, ...options });
  let asked = 0;
  const seen = async () => {
    const token = await node.token({ sub: 'root', roles: ['admin'] });
    const { events } = (await (await node.answer('/admin/cache', { token })).json()) as {
      events: Record<string, number>;
    };
    return ['hit', 'coalesced', 'miss', 'bypass'].reduce((sum, what) => sum + (events[what] ?? 0), 0);
  };
  const post = async (
    who: Who = {},
    { body = texts as object, path = '/embed', ...more }: Ask & { path?: string } = {},
  ) => {
    const token = await node.token({ tenant: 'acme', roles: ['user'], ...who });
    const answering = node.answer(path, { body, token, ...more });
    asked++;
    // Until the cache has seen it, so that the next one comes behind it.
    await expect.poll(seen, { interval: 2 }).toBe(asked);
    return { answering };
  };
  const finish = async (at = 0) => (await pacer.exchange(at)).socket.write(answer);
  return { pacer, node, post, finish };
}

const cacheOf = (response: Response) => response.headers.get('x-ziggie-cache');

test('fifty who want the vectors of the same texts at once ask a model once, each in its own form', async () => {
  const { pacer, post, finish } = await start();
  const asked = [];
  for (let at = 0; at < 50; at++) {
    const path = ['/embed', '/api/embed', '/v1/embeddings'][at % 3] as string;
    asked.push({ path, ...(await post({ sub: `user-${at}` }, { path })) });
  }
  await finish();
  for (const [at, { path, answering }] of asked.entries()) {
    const response = await answering;
    expect(response.status).toBe(200);
    expect(cacheOf(response)).toBe(at === 0 ? 'miss' : 'coalesced');
    const body = (await response.json()) as { embeddings?: number[][]; data?: { embedding: number[] }[] };
    const own = path === '/v1/embeddings' ? body.data?.map(({ embedding }) => embedding) : body.embeddings;
    expect(own).toEqual(vectors);
  }
  expect(pacer.generations).toBe(1);
});

test.each([
  ['of another tenant', { tenant: 'umbrella' }, texts, {}],
  ['of other texts', {}, { ...texts, input: ['green pears', 'red apples'] }, {}],
  ['of another length', {}, { ...texts, dimensions: 2 }, {}],
  ['that are to be new', {}, texts, { 'cache-control': 'no-cache' }],
  ['that nobody is to keep', {}, texts, { 'cache-control': 'no-store' }],
] as [string, Who, object, Record<string, string>][])(
  'vectors %s are made for themselves',
  async (_which, who, body, headers) => {
    const { pacer, post, finish } = await start();
    const first = await post();
    await pacer.exchange(0);
    const second = await post(who, { body, headers });
    await pacer.exchange(1);
    expect(pacer.generations).toBe(2);
    await finish(0);
    await finish(1);
    expect((await first.answering).status).toBe(200);
    expect((await second.answering).status).toBe(200);
  },
);

test('a user is a scope of its own where the options say so', async () => {
  const { pacer, post, finish } = await start({ cache: { keep: false, scope: 'user' } });
  const [first, second] = [await post(), await post({ sub: 'bob' })];
  await finish(0);
  await finish(1);
  await Promise.all([first.answering, second.answering]);
  expect(pacer.generations).toBe(2);
});

test('without coalescing each asks for itself', async () => {
  const { pacer, post, finish } = await start({ cache: { keep: false, coalesce: false } });
  const [first, second] = [await post(), await post({ sub: 'bob' })];
  await finish(0);
  await finish(1);
  await Promise.all([first.answering, second.answering]);
  expect(pacer.generations).toBe(2);
});

test('whoever began it may leave: the others get theirs, and the model server is let go of with the last', async () => {
  const { pacer, node, post, finish } = await start();
  const [ada, bob, grace] = [new AbortController(), new AbortController(), new AbortController()];
  const first = await post({ sub: 'ada' }, { signal: ada.signal });
  const second = await post({ sub: 'bob' }, { signal: bob.signal });
  ada.abort();
  await first.answering;
  expect(node.kit.gauges()).toMatchObject({ openUpstream: 1 });
  await finish();
  expect(((await (await second.answering).json()) as { embeddings: unknown }).embeddings).toEqual(vectors);
  const third = await post({ sub: 'grace' }, { signal: grace.signal });
  const { closed } = await pacer.exchange(1);
  grace.abort();
  await closed;
  await third.answering;
  expect(node.kit.gauges()).toMatchObject({ openUpstream: 0, activeRequests: 0 });
});

test('they are charged once, and counted once', async () => {
  const rules = [{ name: 'tokens', per: 'user', unit: 'totalTokens', window: 'day', limit: 1000 }] as const;
  const { node, post, finish } = await start({ limits: { ...tenants.limits, rules } });
  const asked = [await post({ sub: 'ada' }), await post({ sub: 'bob' })];
  await finish();
  for (const { answering } of asked) expect((await answering).status).toBe(200);
  const used = async (sub: string) => {
    const token = await node.token({ tenant: 'acme', roles: ['user'], sub });
    const { limits } = (await (await node.answer('/me/limits', { token })).json()) as {
      limits: { name: string; left: number }[];
    };
    return 1000 - (limits.find(({ name }) => name === 'tokens')?.left ?? 0);
  };
  expect([await used('ada'), await used('bob')]).toEqual([9, 0]);
});

test('one that fails fails for all who wait for it, and is not kept', async () => {
  const { pacer, post, finish } = await start({ cache: {} });
  const asked = [await post({ sub: 'ada' }), await post({ sub: 'bob' })];
  (await pacer.exchange()).socket.write(whole('{"error":"boom"}', 'HTTP/1.1 400 Bad Request'));
  for (const { answering } of asked) {
    expect(await problemIn(await answering)).toMatchObject({ code: expect.any(String) });
  }
  const again = await post();
  await finish(1);
  expect(cacheOf(await again.answering)).toBe('miss');
  const kept = await post({ sub: 'bob' });
  expect(cacheOf(await kept.answering)).toBe('hit');
  expect(pacer.generations).toBe(2);
});
