import { expect, test } from 'vitest';
import { MemoryCacheStore } from '../../src/index.ts';
import { SetClock } from '../harness.ts';
import { type CachedKit, startCached, tenants, type Who } from './cached-kit.ts';

const asked = { model: 'stand-in-embed', input: ['red apples', 'green pears'] };
const ask = async (kit: CachedKit, path: string, body: object, who: Who = {}, control?: string) => {
  const headers = control === undefined ? {} : { 'cache-control': control };
  const response = await kit.as(who, path, body, { headers });
  expect(response.status).toBe(200);
  return {
    cache: response.headers.get('x-ziggie-cache'),
    body: (await response.json()) as Record<string, unknown>,
  };
};

test('vectors of the same texts are computed once for a tenant, in the form of each surface', async () => {
  const kit = await startCached();
  const first = await ask(kit, '/embed', asked);
  const second = await ask(kit, '/embed', asked, { sub: 'bob' });
  expect([first.cache, second.cache]).toEqual(['miss', 'hit']);
  expect(second.body['embeddings']).toEqual(first.body['embeddings']);
  expect(second.body['prompt_eval_count']).toBe(first.body['prompt_eval_count']);
  const openAi = await ask(kit, '/v1/embeddings', asked);
  expect(openAi.cache).toBe('hit');
  expect((openAi.body['data'] as { embedding: number[] }[]).map(({ embedding }) => embedding)).toEqual(
    first.body['embeddings'],
  );
  expect(openAi.body['usage']).toMatchObject({ prompt_tokens: first.body['prompt_eval_count'] });
});

test.each([
  ['another tenant', asked, { tenant: 'umbrella' }],
  ['other texts', { ...asked, input: ['red apples'] }, {}],
  ['another order', { ...asked, input: [...asked.input].reverse() }, {}],
  ['another length', { ...asked, dimensions: 64 }, {}],
] as [string, object, Who][])('with %s they are others', async (_name, body, who) => {
  const kit = await startCached();
  await ask(kit, '/embed', asked);
  expect((await ask(kit, '/embed', body, who)).cache).toBe('miss');
});

test('a kept vector costs no tokens', async () => {
  const rules = [{ name: 'tokens', per: 'tenant', unit: 'totalTokens', window: 'day', limit: 1000 }] as const;
  const kit = await startCached({ limits: { ...tenants.limits, rules } });
  const used = async () => {
    const token = await kit.token({ tenant: 'acme', roles: ['user'] });
    const { limits } = (await (await kit.answer('/me/limits', { token })).json()) as {
      limits: { name: string; left: number }[];
    };
    return 1000 - (limits.find(({ name }) => name === 'tokens')?.left ?? 0);
  };
  await ask(kit, '/embed', asked);
  const once = await used();
  expect(once).toBeGreaterThan(0);
  expect((await ask(kit, '/embed', asked)).cache).toBe('hit');
  expect(await used()).toBe(once);
});

test('Cache-Control holds, and what is broken is computed anew', async () => {
  const store = new MemoryCacheStore(new SetClock());
  const kit = await startCached({ stores: { cache: store } });
  expect((await ask(kit, '/embed', asked, {}, 'no-store')).cache).toBe('bypass');
  expect((await ask(kit, '/embed', asked)).cache).toBe('miss');
  expect((await ask(kit, '/embed', asked, {}, 'no-cache')).cache).toBe('miss');
  expect((await ask(kit, '/embed', asked)).cache).toBe('hit');
  const find = store.find.bind(store);
  for (const change of [
    (text: string) => text.slice(0, -9),
    (text: string) => text.replace('[[', '[[1,'),
    (text: string) => text.replace(/"key":"../, '"key":"xx'),
  ]) {
    store.find = (key) => {
      const found = find(key);
      return { ...found, text: found.text && change(found.text) };
    };
    expect((await ask(kit, '/embed', asked)).cache).toBe('miss');
    store.find = find;
    expect((await ask(kit, '/embed', asked)).cache).toBe('hit');
  }
});
