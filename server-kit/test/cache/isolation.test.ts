import { expect, test } from 'vitest';
import type { CacheFound, CacheKey, CacheStore, ServerKitOptions } from '../../src/index.ts';
import { MemoryCacheStore } from '../../src/index.ts';
import { eventsIn, problemIn, SetClock, startBench } from '../harness.ts';
import { randomFrom } from '../queue/random.ts';
import { chunk, lastRecord, startRawOllama, streamEnd, streamHead, textRecord } from '../raw-ollama.ts';
import { closeLater } from '../stream-harness.ts';
import { readOf, repeatable, startCached, tenants } from './cached-kit.ts';

test.each([{}, { scope: 'user' }, { keep: false }, { coalesce: false }] as const)(
  'in four hundred probes no tenant sees an answer of another (%j)',
  async (cache) => {
    let count = 0;
    // No two answers are the same, so each can be told by its text.
    const raw = await startRawOllama(({ socket }) => {
      const number = ++count;
      setTimeout(() => {
        socket.write(streamHead + chunk(textRecord(`answer ${number}`)) + chunk(lastRecord) + streamEnd);
      }, number % 4);
    });
    closeLater(() => raw.close());
    const bench = await startBench({ ...tenants, upstreams: [{ url: raw.url, slots: 64 }], cache });
    const next = randomFrom(7);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T;
    const seen = new Map<string, Set<string>>();
    const caches: (string | null)[] = [];
    const probe = async () => {
      const tenant = pick(['acme', 'acme ', 'Acme', 'umbrella', undefined]);
      const sub = pick(['ada', 'bob']);
      const asked = pick(['one', 'two', 'three']);
      const token = await bench.token({ tenant, sub, roles: ['user'] });
      const body = {
        model: 'raw',
        messages: [{ role: 'user', content: asked }],
        options: { temperature: 0 },
      };
      const response = await bench.answer('/chat', { body, token });
      caches.push(response.headers.get('x-ziggie-cache'));
      const text = (await eventsIn(response))
        .map((one) => (one.type === 'text-delta' ? one.text : ''))
        .join('');
      const scope = 'scope' in cache ? [tenant, sub] : [tenant];
      seen.set(text, (seen.get(text) ?? new Set()).add(JSON.stringify([...scope, asked])));
    };
    for (let at = 0; at < 20; at++) await Promise.all(Array.from({ length: 20 }, probe));
    expect([...seen.values()].filter((scopes) => scopes.size > 1)).toEqual([]);
    // The probes did meet a cache that gives and shares.
    expect(caches.filter((one) => one !== 'miss').length).toBeGreaterThan(40);
    await raw.close();
  },
);

test('a kept answer goes past no check: credential, role, model, limits, rules for content', async () => {
  const roles: ServerKitOptions['roles'] = {
    user: { permissions: ['chat'] },
    small: { permissions: ['chat'], models: ['stand-in-thinking'] },
    reader: { permissions: ['models:read'] },
  };
  const kit = await startCached({ roles, content: { blockedPhrases: ['lease of doom'] } });
  await readOf(await kit.as({}, '/chat', repeatable));
  const codes = [
    (await problemIn(await kit.answer('/chat', { body: repeatable, token: null }))).code,
    (await problemIn(await kit.as({ roles: ['reader'] }, '/chat', repeatable))).code,
    (await problemIn(await kit.as({ roles: ['small'] }, '/chat', repeatable))).code,
  ];
  expect(codes).toEqual(['unauthorized', 'forbidden', 'model_not_found']);
  const doomed = { ...repeatable, messages: [{ role: 'user', content: 'Tell me of the lease of doom.' }] };
  expect((await problemIn(await kit.as({}, '/chat', doomed))).code).toBe('content_blocked');
  const limited = await startCached({ limits: { requestsPerMinute: 2 } });
  await readOf(await limited.as({}, '/chat', repeatable));
  await readOf(await limited.as({}, '/chat', repeatable));
  expect((await problemIn(await limited.as({}, '/chat', repeatable))).code).toBe('rate_limited');
  expect(kit.generations + limited.generations).toBe(2);
});

test.each([
  ['one after the other', false],
  ['at once', true],
])('rules for output hold for each reader, %s', async (_name, atOnce) => {
  const kit = await startCached({
    content: {
      after: {
        rewrite: (text, { principal: { id } }) =>
          id === 'bob' ? text.replaceAll(/[a-z]/g, '*') : id === 'cid' ? text.toUpperCase() : text,
      },
    },
  });
  const read = async (sub: string) => readOf(await kit.as({ sub }, '/chat', repeatable));
  const cid = read('cid');
  if (!atOnce) await cid;
  const [loud, hidden, plain] = await Promise.all([cid, read('bob'), read('ada')]);
  expect([loud.cache, hidden.cache, plain.cache].filter((one) => one === 'miss')).toHaveLength(1);
  expect(hidden.cache).toBe(atOnce ? 'coalesced' : 'hit');
  expect(plain.text).toMatch(/[a-z]/);
  expect(hidden.text).toBe(plain.text.replaceAll(/[a-z]/g, '*'));
  expect(loud.text).toBe(plain.text.toUpperCase());
});

test('what a rule for input changes is asked and kept as it was changed', async () => {
  const kit = await startCached({ content: { redact: { input: ['email'] } } });
  const ask = (address: string) => ({
    ...repeatable,
    messages: [{ role: 'user', content: `Who is ${address}?` }],
  });
  await readOf(await kit.as({}, '/chat', ask('ada@acme.example')));
  expect((await readOf(await kit.as({}, '/chat', ask('bob@acme.example')))).cache).toBe('hit');
});

/** A store that somebody else can write to. */
class OpenStore extends MemoryCacheStore {
  keys: CacheKey[] = [];
  swap: ((text: string | undefined) => string | undefined) | undefined;

  override find(key: CacheKey): CacheFound {
    this.keys.push(key);
    const found = super.find(key);
    return this.swap ? { ...found, text: this.swap(found.text) } : found;
  }
}

test.each([
  ['no JSON', () => '{"key":'],
  ['of an older form', () => '{"v":0,"text":"hello"}'],
  ['with an event that is none', (text = '') => text.replace('text-delta', 'text-delete')],
  [
    'with a failure in it',
    (text = '') => text.replace('"events":[', '"events":[{"type":"error","code":"aborted"},'),
  ],
  ['of another key', (text = '') => text.replace(/"key":"../, '"key":"xx')],
  ['that its length ended', (text = '') => text.replace('"stop"', '"length"')],
] as [string, (text?: string) => string][])('an entry %s is a miss, and gone', async (_name, swap) => {
  const store = new OpenStore(new SetClock());
  const kit = await startCached({ stores: { cache: store as CacheStore } });
  const first = await readOf(await kit.as({}, '/chat', repeatable));
  store.swap = swap;
  expect(await readOf(await kit.as({}, '/chat', repeatable))).toEqual({ ...first, cache: 'miss' });
  store.swap = undefined;
  expect((await readOf(await kit.as({}, '/chat', repeatable))).cache).toBe('hit');
  expect(kit.generations).toBe(2);
});

test('a key tells neither a tenant nor a word of the prompt', async () => {
  const store = new OpenStore(new SetClock());
  const kit = await startCached({ stores: { cache: store as CacheStore } });
  await readOf(await kit.as({ tenant: 'acme' }, '/chat', repeatable));
  const [key] = store.keys;
  expect(JSON.stringify(key)).not.toMatch(/acme|lease|stand-in/);
  expect(key).toEqual({
    tenant: expect.stringMatching(/^[\w-]{22}$/),
    model: expect.stringMatching(/^[\w-]{22}$/),
    digest: expect.stringMatching(/^[\w-]{43}$/),
  });
});

test('a store that throws is an empty one', async () => {
  const fails = () => {
    throw new Error('canary of the store');
  };
  const store: CacheStore = { find: fails, put: fails, drop: fails, purge: fails, size: fails };
  const kit = await startCached({ stores: { cache: store } });
  for (let at = 0; at < 2; at++) {
    expect((await readOf(await kit.as({}, '/chat', repeatable))).cache).toBe('miss');
  }
  expect(JSON.stringify(kit.logs)).not.toContain('canary');
});
