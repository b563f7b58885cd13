import { describe, expect, test } from 'vitest';
import { type KeyOptions, type KeyRecord, MemoryKeyStore, type ServerKitOptions } from '../../src/index.ts';
import { formatKey, parseKey } from '../../src/keys/key-format.ts';
import { audience, type Bench, issuer, problemIn, secret, startBench } from '../harness.ts';

const pepper = 'a pepper for tests, longer than 32 bytes';
const jwt = { secret, issuer, audience };
const day = 86_400_000;

/** A store that counts what it is asked. */
class CountingStore extends MemoryKeyStore {
  reads = 0;
  touched: ReadonlyMap<string, number>[] = [];
  override get(id: string): Promise<KeyRecord | undefined> {
    this.reads++;
    return super.get(id);
  }
  override touch(lastUsed: ReadonlyMap<string, number>): Promise<void> {
    this.touched.push(lastUsed);
    return super.touch(lastUsed);
  }
}

async function startKeys(more: Partial<KeyOptions> = {}, options: Partial<ServerKitOptions> = {}) {
  const store = new CountingStore();
  const bench = await startBench({
    auth: { jwt, keys: { pepper, ...more } },
    stores: { keys: store },
    limits: {
      requestsPerMinute: 10_000,
      failedSignInsPerMinute: 10_000,
      requestsPerMinutePerAddress: 10_000,
    },
    ...options,
  });
  return { bench, store };
}

const ada = { ownerId: 'ada', roles: ['user'] };
async function statusOf(bench: Bench, token: string, target = '/me'): Promise<number> {
  const response = await bench.answer(target, { token });
  await response.text();
  return response.status;
}

describe('a key', () => {
  test('is shown once, and the store has nothing that it could be made from', async () => {
    const { bench, store } = await startKeys();
    const { key, info } = await bench.kit.keys.create({ ...ada, name: 'ci' });
    expect(key).toMatch(/^zk_live_[0-9A-Za-z]{16}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}$/);
    const record = await store.get(info.id);
    const keySecret = key.split('_')[3] as string;
    expect(JSON.stringify([record, info, await bench.kit.keys.list()])).not.toContain(keySecret);
    expect(info).toMatchObject({
      ownerId: 'ada',
      name: 'ci',
      scopes: ['chat', 'models:read', 'me:read'],
      revokedAt: null,
    });
    expect(info.expiresAt.getTime() - info.createdAt.getTime()).toBe(90 * day);
  });

  test('stands for its owner, who is named in the log with the key', async () => {
    const { bench } = await startKeys();
    const { key, info } = await bench.kit.keys.create({ ...ada, tenant: 'acme' });
    const me = (await (await bench.answer('/me', { token: key })).json()) as Record<string, unknown>;
    expect(me).toMatchObject({
      id: 'ada',
      keyId: info.id,
      tenant: 'acme',
      permissions: ['chat', 'models:read', 'me:read'],
    });
    expect(bench.logs.at(-1)?.fields).toMatchObject({ principal: 'ada', keyId: info.id, tenant: 'acme' });
    expect(JSON.stringify(bench.logs)).not.toContain(key.split('_')[3]);
  });

  test('wrong in any one character is refused without a look into the store', async () => {
    const { bench, store } = await startKeys();
    const { key } = await bench.kit.keys.create(ada);
    expect(await statusOf(bench, key)).toBe(200);
    const reads = store.reads;
    for (let at = 0; at < key.length; at++) {
      const other = key[at] === 'x' ? 'y' : 'x';
      expect(await statusOf(bench, key.slice(0, at) + other + key.slice(at + 1))).toBe(401);
    }
    expect(store.reads).toBe(reads);
  });

  test.each<[string, (key: string) => string]>([
    ['in capitals', (key) => key.toUpperCase()],
    [
      'with a right checksum and another secret',
      (key) => formatKey('live', key.split('_')[2] as string, 'A'.repeat(43)),
    ],
    [
      'with a right checksum and another id',
      (key) => formatKey('live', 'B'.repeat(16), key.split('_')[3] as string),
    ],
    [
      'of another environment',
      (key) => formatKey('test', key.split('_')[2] as string, key.split('_')[3] as string),
    ],
    ['twice', (key) => `${key}${key}`],
    ['cut', (key) => key.slice(0, -1)],
    ['its id alone', (key) => key.split('_')[2] as string],
    ['with a constructor as id', () => 'zk_live_constructor_x_y'],
  ])('%s is refused like every other credential', async (_what, change) => {
    const { bench } = await startKeys();
    const { key } = await bench.kit.keys.create(ada);
    const ask = (token: string) => bench.answer('/me', { token, headers: { 'x-request-id': 'the-same-id' } });
    const refused = await ask(change(key));
    expect(refused.status).toBe(401);
    expect(await refused.text()).toBe(await (await ask('not.a.token')).text());
  });

  test('ends when its time is over, when it is revoked, and when its owner is gone', async () => {
    let roles: string[] | null = ['user'];
    const { bench } = await startKeys({ rolesOf: () => roles });
    const short = await bench.kit.keys.create({ ...ada, expiresAt: new Date(bench.clock.wallMs + 1000) });
    const revoked = await bench.kit.keys.create(ada);
    const orphan = await bench.kit.keys.create(ada);
    for (const { key } of [short, revoked, orphan]) expect(await statusOf(bench, key)).toBe(200);
    bench.clock.advance(1000);
    expect(await statusOf(bench, short.key)).toBe(401);
    await bench.kit.keys.revoke(revoked.info.id);
    expect(await statusOf(bench, revoked.key)).toBe(401);
    // Ending a key twice is no error, and the first time counts.
    const again = await bench.kit.keys.revoke(revoked.info.id);
    expect(again?.revokedAt?.getTime()).toBe(bench.clock.wallMs);
    roles = null;
    bench.clock.advance(5000);
    expect(await statusOf(bench, orphan.key)).toBe(401);
  });

  test('loses what its owner loses, and gains nothing that its owner gains', async () => {
    let roles = ['user', 'admin'];
    const { bench } = await startKeys({ rolesOf: () => roles });
    const { key } = await bench.kit.keys.create({ ownerId: 'ada', roles: ['user'], scopes: null });
    expect(await statusOf(bench, key, '/admin/keys')).toBe(403);
    roles = ['admin'];
    bench.clock.advance(5000);
    expect(await statusOf(bench, key, '/me')).toBe(403);
  });

  test('revoked elsewhere ends here within 5 s', async () => {
    const store = new MemoryKeyStore();
    const [here, there] = [
      (await startKeys({}, { stores: { keys: store } })).bench,
      (await startKeys({}, { stores: { keys: store } })).bench,
    ];
    const { key, info } = await there.kit.keys.create(ada);
    expect(await statusOf(here, key)).toBe(200);
    await there.kit.keys.revoke(info.id);
    here.clock.advance(5000);
    expect(await statusOf(here, key)).toBe(401);
  });

  test('with a new secret: the old one is good for the grace and not a moment longer', async () => {
    const { bench } = await startKeys();
    const { key, info } = await bench.kit.keys.create(ada);
    const rerolled = await bench.kit.keys.reroll(info.id, { graceSeconds: 60 });
    expect(rerolled?.info.id).toBe(info.id);
    expect([await statusOf(bench, key), await statusOf(bench, rerolled?.key as string)]).toEqual([200, 200]);
    bench.clock.advance(60_000);
    expect([await statusOf(bench, key), await statusOf(bench, rerolled?.key as string)]).toEqual([401, 200]);
    const third = await bench.kit.keys.reroll(info.id);
    expect([
      await statusOf(bench, rerolled?.key as string),
      await statusOf(bench, third?.key as string),
    ]).toEqual([401, 200]);
    await bench.kit.keys.revoke(info.id);
    expect(await bench.kit.keys.reroll(info.id)).toBeUndefined();
  });

  test('revoked within a grace: neither secret works', async () => {
    const { bench } = await startKeys();
    const { key, info } = await bench.kit.keys.create(ada);
    const rerolled = await bench.kit.keys.reroll(info.id, { graceSeconds: 60 });
    await bench.kit.keys.revoke(info.id);
    expect([await statusOf(bench, key), await statusOf(bench, rerolled?.key as string)]).toEqual([401, 401]);
  });

  test('is read once in 5 s however often it is used, and its last use is written down in one go', async () => {
    const { bench, store } = await startKeys();
    const [first, second] = [await bench.kit.keys.create(ada), await bench.kit.keys.create(ada)];
    const reads = store.reads;
    for (let at = 0; at < 50; at++) {
      await statusOf(bench, first.key);
      await statusOf(bench, second.key);
    }
    expect(store.reads - reads).toBe(2);
    expect(store.touched).toHaveLength(0);
    await bench.kit.close({ drainMs: 0 });
    expect(store.touched.map((noted) => [...noted.keys()].sort())).toEqual([
      [first.info.id, second.info.id].sort(),
    ]);
    expect((await store.get(first.info.id))?.lastUsedAtMs).toBe(bench.clock.wallMs);
  });

  test('made with another pepper is not one of ours; the old pepper stays good beside the new', async () => {
    const store = new MemoryKeyStore();
    const with_ = async (of: KeyOptions['pepper']) =>
      (await startKeys({ pepper: of }, { stores: { keys: store } })).bench;
    const next = 'the next pepper, which is also longer than 32 bytes';
    const { key } = await (await with_(pepper)).kit.keys.create(ada);
    expect(await statusOf(await with_(next), key)).toBe(401);
    expect(await statusOf(await with_([next, pepper]), key)).toBe(200);
  });

  test('counts with the other credentials of its owner', async () => {
    const bench = await startBench({ auth: { jwt, keys: { pepper } }, limits: { requestsPerMinute: 3 } });
    const keys = [await bench.kit.keys.create(ada), await bench.kit.keys.create(ada)];
    const statuses = [];
    for (const token of [keys[0]?.key, keys[1]?.key, await bench.token(), keys[0]?.key])
      statuses.push(await statusOf(bench, token as string));
    expect(statuses).toEqual([200, 200, 200, 429]);
  });

  test('works beside the host app’s own check, without an Origin', async () => {
    const { bench } = await startKeys({}, { authenticate: () => null, auth: { keys: { pepper } } });
    const { key } = await bench.kit.keys.create(ada);
    expect(await statusOf(bench, key)).toBe(200);
    const answer = await bench.chat({ stream: false }, { token: key });
    expect(answer.status).toBe(200);
    expect((await bench.answer('/me', { token: null })).status).toBe(401);
  });

  test('in x-api-key means nothing on our own routes', async () => {
    const { bench } = await startKeys();
    const { key } = await bench.kit.keys.create(ada);
    expect((await bench.answer('/me', { token: null, headers: { 'x-api-key': key } })).status).toBe(401);
  });

  test('cannot be checked while its store is away', async () => {
    const store = new CountingStore();
    const { bench } = await startKeys({}, { stores: { keys: store } });
    const { key } = await bench.kit.keys.create(ada);
    store.get = () => Promise.reject(new Error('away'));
    bench.clock.advance(5000);
    expect((await problemIn(await bench.answer('/me', { token: key }))).code).toBe('store_unavailable');
  });
});

describe('a key made over HTTP', () => {
  const make = (bench: Bench, token: string, body: unknown, path = '/me/keys') =>
    bench.answer(path, { token, body });

  test('can do no more than who makes it', async () => {
    const { bench } = await startKeys();
    const token = await bench.token();
    for (const scopes of [['keys:admin'], ['chat', 'revocations:admin']]) {
      expect((await make(bench, token, { scopes })).status).toBe(403);
    }
    expect((await make(bench, token, { scopes: ['chat', 'keys:own'] })).status).toBe(201);
  });

  test('by a key: neither further scopes, nor further models, nor a longer life', async () => {
    const { bench } = await startKeys();
    const maker = await bench.kit.keys.create({
      ...ada,
      scopes: ['keys:own', 'chat'],
      models: ['stand-in'],
      expiresAt: new Date(bench.clock.wallMs + day),
    });
    expect((await make(bench, maker.key, { scopes: ['models:read'] })).status).toBe(403);
    expect((await make(bench, maker.key, { models: ['stand-in-vision'] })).status).toBe(403);
    expect((await make(bench, maker.key, { models: ['*'] })).status).toBe(403);
    const made = (await (await make(bench, maker.key, { lifetimeDays: 365 })).json()) as {
      info: Record<string, unknown>;
    };
    expect(made.info).toMatchObject({ scopes: ['chat'], models: ['stand-in'] });
    expect(new Date(made.info['expiresAt'] as string).getTime()).toBe(bench.clock.wallMs + day);
  });

  test('by an administrator of some things: nothing of the others (CVE-2026-47101 of LiteLLM)', async () => {
    const roles: ServerKitOptions['roles'] = {
      user: { permissions: ['chat', 'models:read'] },
      clerk: { permissions: ['keys:admin', 'chat'], models: ['stand-in'] },
      root: { permissions: ['chat', 'models:read', 'keys:admin', 'revocations:admin'] },
    };
    const { bench } = await startKeys({}, { roles });
    const clerk = await bench.token({ roles: ['clerk'] });
    const wanted = (more: object) =>
      make(bench, clerk, { ownerId: 'grace', roles: ['root'], ...more }, '/admin/keys');
    expect((await wanted({ scopes: ['revocations:admin'] })).status).toBe(403);
    expect((await wanted({ roles: ['user'], scopes: ['chat', 'models:read'] })).status).toBe(403);
    // Chat the clerk may, but only with one model; the role would open all of them.
    expect((await wanted({ roles: ['user'], scopes: ['chat'] })).status).toBe(403);
    expect((await wanted({ roles: ['clerk'], scopes: ['chat'] })).status).toBe(201);
  });

  test.each([
    ['an unknown scope', { scopes: ['everything'] }],
    ['no scope at all', { scopes: [] }],
    ['an owner', { ownerId: 'grace' }],
    ['roles', { roles: ['admin'] }],
    ['no end', { lifetimeDays: 4000 }],
    ['a very long name', { name: 'x'.repeat(101) }],
    ['a list', []],
  ])('with %s is refused', async (_what, body) => {
    const { bench } = await startKeys();
    expect((await make(bench, await bench.token(), body)).status).toBe(400);
  });

  test('there are none on a kit without them, and kit.keys says so', async () => {
    const bench = await startBench();
    expect((await bench.answer('/me/keys')).status).toBe(404);
    await expect(bench.kit.keys.create(ada)).rejects.toThrow('auth.keys');
  });
});

describe('kit.keys refuses', () => {
  test.each<[string, object]>([
    ['no owner', { ownerId: '' }],
    ['roles that are text', { roles: 'admin' }],
    ['an unknown scope', { scopes: ['all'] }],
    ['a model without a name', { models: [''] }],
    ['an end that has been', { expiresAt: new Date(0) }],
  ])('%s', async (_what, more) => {
    const { bench } = await startKeys();
    await expect(bench.kit.keys.create({ ...ada, ...more })).rejects.toThrow(TypeError);
  });
});

test('parseKey() reads what formatKey() writes and nothing that differs by two neighbours swapped', () => {
  const key = formatKey('live', '0123456789abcdef', 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG');
  expect(parseKey(key)).toEqual({ environment: 'live', id: '0123456789abcdef' });
  for (let at = 8; at < key.length - 1; at++) {
    if (key[at] === key[at + 1]) continue;
    const swapped = key.slice(0, at) + key[at + 1] + key[at] + key.slice(at + 2);
    expect(parseKey(swapped)).toBeUndefined();
  }
});
