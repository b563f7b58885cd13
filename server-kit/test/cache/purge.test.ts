import { expect, test } from 'vitest';
import type { CacheStore } from '../../src/index.ts';
import { problemIn } from '../harness.ts';
import { EventReader } from '../streams/nodes.ts';
import { type CachedKit, readOf, repeatable, startCached } from './cached-kit.ts';
import { ada, bob, cacheOf, question, startShared } from './shared-kit.ts';

const purge = (kit: CachedKit, body: unknown) =>
  kit.as({ roles: ['admin'], sub: 'root' }, '/admin/cache/purge', body);
const purged = async (kit: CachedKit, body: unknown) => (await (await purge(kit, body)).json()) as unknown;
const state = async (kit: CachedKit) => {
  const token = await kit.token({ roles: ['admin'] });
  return (await (await kit.answer('/admin/cache', { token })).json()) as Record<string, unknown>;
};

/** Two tenants and one without, each with an answer of two models. */
async function startFilled() {
  const kit = await startCached();
  const asked = [['acme'], ['umbrella'], [undefined]].flatMap(([tenant]) =>
    ['stand-in', 'stand-in-thinking'].map((model) => ({ tenant, model })),
  );
  const cacheFor = async ({ tenant, model }: { tenant: string | undefined; model: string }) => {
    const body = { ...repeatable, model };
    return (await readOf(await kit.as({ tenant } as never, '/chat', body))).cache;
  };
  for (const one of asked) await cacheFor(one);
  return { kit, caches: async () => Promise.all(asked.map(cacheFor)) };
}

test.each([
  [{ tenant: 'acme' }, 2, ['miss', 'miss', 'hit', 'hit', 'hit', 'hit']],
  [{ tenant: null }, 2, ['hit', 'hit', 'hit', 'hit', 'miss', 'miss']],
  [{ model: 'Stand-In' }, 3, ['miss', 'hit', 'miss', 'hit', 'miss', 'hit']],
  [{ tenant: 'umbrella', model: 'stand-in:latest' }, 1, ['hit', 'hit', 'miss', 'hit', 'hit', 'hit']],
  [{ all: true }, 6, ['miss', 'miss', 'miss', 'miss', 'miss', 'miss']],
  [{ tenant: 'nobody' }, 0, ['hit', 'hit', 'hit', 'hit', 'hit', 'hit']],
])('%j throws away %i answers, and says in the log who did it', async (body, count, left) => {
  const { kit, caches } = await startFilled();
  expect(await purged(kit, body)).toEqual({ purged: count });
  expect(kit.logs.find(({ message }) => message === 'llm cache purged')?.fields).toMatchObject({
    principal: 'root',
    purged: count,
  });
  expect(await caches()).toEqual(left);
});

test.each([
  [{}],
  [{ all: false }],
  [{ all: true, tenant: 'acme' }],
  [{ tenants: 'acme' }],
  [{ tenant: 7 }],
  [{ model: '' }],
])('%j throws nothing away', async (body) => {
  const { kit, caches } = await startFilled();
  expect((await problemIn(await purge(kit, body))).code).toBe('bad_request');
  expect(new Set(await caches())).toEqual(new Set(['hit']));
});

test('what is kept and what happened can be seen', async () => {
  const { kit, caches } = await startFilled();
  await caches();
  await readOf(await kit.as({}, '/chat', { ...repeatable, options: {} }));
  expect(await state(kit)).toMatchObject({
    enabled: true,
    entries: 6,
    bytes: expect.any(Number),
    events: { hit: 6, miss: 6, stored: 6, bypass: 1, coalesced: 0, store_failed: 0 },
  });
  expect(JSON.stringify(await state(await startCached({ cache: undefined })))).toContain('"enabled":false');
});

test('a store that is away says so', async () => {
  const fails = () => {
    throw new Error('away');
  };
  const store: CacheStore = { find: fails, put: fails, drop: fails, purge: fails, size: fails };
  const kit = await startCached({ stores: { cache: store } });
  expect((await problemIn(await purge(kit, { all: true }))).code).toBe('store_unavailable');
});

test('what is being written goes on, is not kept, and is joined by nobody', async () => {
  const { pacer, node, read, post } = await startShared({ cache: {} });
  const first = await read(ada, { begins: true });
  await pacer.say('a');
  await first.pieces(1);
  const token = await node.token({ roles: ['admin'] });
  await node.answer('/admin/cache/purge', { token, body: { model: 'raw' } });
  const second = await read(bob, { begins: true });
  expect(cacheOf(second)).toBe('miss');
  await second.leave();
  await (await pacer.exchange(1)).closed;
  const { socket } = await pacer.exchange(0);
  socket.end();
  await first.rest();
  const third = post(bob, question);
  await pacer.exchange(2);
  await pacer.say('new');
  await pacer.finish();
  const reader = new EventReader(await third);
  await reader.rest();
  expect([cacheOf(reader), reader.said]).toEqual(['miss', 'new']);
});

test('the end of an answer that was thrown away takes nothing from the one that came after it', async () => {
  const { pacer, node, read } = await startShared({ cache: {} });
  const first = await read(ada, { begins: true });
  await pacer.say('a');
  await first.pieces(1);
  const token = await node.token({ roles: ['admin'] });
  await node.answer('/admin/cache/purge', { token, body: { all: true } });
  const second = await read(bob, { begins: true });
  (await pacer.exchange(0)).socket.end();
  await first.rest();
  const third = await read({ sub: 'eve' });
  expect([cacheOf(second), cacheOf(third)]).toEqual(['miss', 'coalesced']);
  await pacer.say('b');
  await pacer.finish();
  for (const reader of [second, third]) {
    await reader.rest();
    expect(reader.said).toBe('b');
  }
  expect(pacer.generations).toBe(2);
});
