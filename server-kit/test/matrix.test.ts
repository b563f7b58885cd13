import { describe, expect, test } from 'vitest';
import type { ServerKitOptions } from '../src/index.ts';
import { type Route, routeTable } from '../src/routes/route-table.ts';
import { type Ask, type Bench, hello, prompt, startBench } from './harness.ts';

// What each caller gets on each route, written down a second time and on purpose not derived from the route table.
const callers = [
  'no token',
  'bad token',
  'expired',
  'user',
  'admin',
  'user and admin',
  'unknown role',
  'no role',
  'key for chat',
  'key for reading',
  'revoked key',
] as const;
type Caller = (typeof callers)[number];
type Expected = Record<Caller, number>;

const nobody = { 'no token': 401, 'bad token': 401, expired: 401, 'revoked key': 401 };
const powerless = { 'unknown role': 403, 'no role': 403 };
/** Who may generate may; the rest is by scope. */
const everybody = (status: number, keys: [chat: number, reading: number]): Expected => ({
  ...nobody,
  ...powerless,
  user: status,
  admin: status,
  'user and admin': status,
  'key for chat': keys[0],
  'key for reading': keys[1],
});
const admins = (status: number): Expected => ({
  ...everybody(status, [403, 403]),
  user: 403,
});
const open = Object.fromEntries(callers.map((caller) => [caller, 200])) as Expected;

const expected: Record<string, Expected> = {
  'POST /chat': everybody(200, [200, 403]),
  'POST /generate': everybody(200, [200, 403]),
  'POST /generate-complete': everybody(200, [200, 403]),
  'GET /models': everybody(200, [403, 200]),
  // A socket without an upgrade is a wrong request, to those who may open one.
  'GET /ws': everybody(400, [400, 403]),
  'POST /ws/ticket': everybody(200, [200, 403]),
  'GET /status': open,
  'GET /health': open,
  'GET /health/live': open,
  'GET /health/ready': open,
  // Nothing waits: the list is empty, and a place in it is nobody's.
  // Nothing is written: no stream is there.
  'GET /streams/:id': everybody(404, [404, 403]),
  'DELETE /streams/:id': everybody(404, [404, 403]),
  'GET /queue': everybody(200, [200, 403]),
  'GET /queue/:id': everybody(404, [404, 403]),
  'DELETE /queue/:id': everybody(404, [404, 403]),
  'POST /embed': everybody(200, [200, 403]),
  'GET /version': everybody(200, [403, 200]),
  'POST /api/chat': everybody(200, [200, 403]),
  'POST /api/generate': everybody(200, [200, 403]),
  'POST /api/embed': everybody(200, [200, 403]),
  'POST /api/embeddings': everybody(200, [200, 403]),
  'GET /api/tags': everybody(200, [403, 200]),
  'GET /api/ps': everybody(200, [403, 200]),
  'POST /api/show': everybody(200, [403, 200]),
  'GET /api/version': everybody(200, [403, 200]),
  // Closed to everybody, administrators too.
  'POST /api/pull': everybody(403, [403, 403]),
  'POST /api/push': everybody(403, [403, 403]),
  'POST /api/create': everybody(403, [403, 403]),
  'POST /api/copy': everybody(403, [403, 403]),
  'DELETE /api/delete': everybody(403, [403, 403]),
  'GET /api/blobs/:digest': everybody(403, [403, 403]),
  'POST /api/blobs/:digest': everybody(403, [403, 403]),
  'POST /v1/chat/completions': everybody(200, [200, 403]),
  'POST /v1/completions': everybody(200, [200, 403]),
  'POST /v1/responses': everybody(200, [200, 403]),
  'POST /v1/embeddings': everybody(200, [200, 403]),
  'GET /v1/models': everybody(200, [403, 200]),
  'GET /v1/models/:model': everybody(200, [403, 200]),
  'POST /v1/messages': everybody(200, [200, 403]),
  'GET /me': everybody(200, [403, 200]),
  'GET /me/limits': everybody(200, [403, 200]),
  'GET /me/keys': everybody(200, [403, 403]),
  'POST /me/keys': everybody(201, [403, 403]),
  'DELETE /me/keys/:id': everybody(200, [403, 403]),
  'POST /me/keys/:id/reroll': everybody(200, [403, 403]),
  'GET /admin/keys': admins(200),
  'POST /admin/keys': admins(201),
  'DELETE /admin/keys/:id': admins(200),
  'POST /admin/keys/:id/reroll': admins(200),
  'POST /admin/revocations': admins(204),
  'GET /metrics': admins(200),
  'GET /admin/selftest/stream': admins(200),
  'GET /admin/queue': admins(200),
  'DELETE /admin/queue/:id': admins(404),
  'POST /admin/queue/:id/priority': admins(404),
  'GET /admin/upstreams': admins(200),
  'POST /admin/upstreams/drain': admins(200),
  'POST /admin/upstreams/undrain': admins(200),
  'POST /admin/upstreams/probe': admins(200),
  'GET /admin/models': admins(200),
  'DELETE /admin/models': admins(200),
  'POST /admin/models/pull': admins(200),
  'POST /admin/models/load': admins(200),
  'POST /admin/models/unload': admins(200),
  'GET /admin/jobs': admins(200),
  // Nothing is pulled: no job is there.
  'GET /admin/jobs/:id': admins(404),
  'DELETE /admin/jobs/:id': admins(404),
  'GET /admin/jobs/:id/events': admins(404),
  'GET /admin/cache': admins(200),
  'POST /admin/cache/purge': admins(200),
};

/** A good body for each route that takes one. */
const bodies: Record<string, unknown> = {
  '/chat': hello,
  '/generate': prompt,
  '/generate-complete': prompt,
  '/embed': { model: 'stand-in-embed', input: 'Hello' },
  '/api/chat': hello,
  '/api/generate': prompt,
  '/api/embed': { model: 'stand-in-embed', input: ['Hello'] },
  '/api/embeddings': { model: 'stand-in-embed', prompt: 'Hello' },
  '/api/show': { model: 'stand-in' },
  '/v1/chat/completions': hello,
  '/v1/completions': prompt,
  '/v1/responses': { model: 'stand-in', input: 'Hello' },
  '/v1/embeddings': { model: 'stand-in-embed', input: 'Hello' },
  '/v1/messages': { ...hello, max_tokens: 16 },
  '/ws/ticket': {},
  '/me/keys': { name: 'mine' },
  '/me/keys/:id/reroll': { graceSeconds: 60 },
  '/admin/keys': { ownerId: 'grace', roles: ['user'] },
  '/admin/keys/:id/reroll': {},
  '/admin/revocations': { principalId: 'mallory' },
  '/admin/queue/:id/priority': { priority: 'batch' },
  '/admin/upstreams/drain': { id: 'stand-in' },
  '/admin/upstreams/undrain': { id: 'stand-in' },
  '/admin/upstreams/probe': { id: 'stand-in' },
  '/admin/models': { model: 'stand-in' },
  '/admin/models/pull': { model: 'stand-in' },
  '/admin/models/load': { model: 'stand-in' },
  '/admin/models/unload': { model: 'stand-in' },
  '/admin/cache/purge': { all: true },
};

const pepper = 'a pepper for tests, longer than 32 bytes';
const keys = { pepper };
const withKeys = (more: Partial<ServerKitOptions> = {}, bench?: Partial<ServerKitOptions['auth']>) =>
  startBench({
    auth: {
      jwt: {
        secret: 'a secret for tests, longer than 32 bytes',
        issuer: 'https://app.example',
        audience: 'ziggie-tests',
      },
      keys,
      ...bench,
    },
    ...more,
  });

async function tokenOf(bench: Bench, caller: Caller): Promise<string | null> {
  const key = async (scopes: ('chat' | 'models:read' | 'me:read')[]) =>
    bench.kit.keys.create({ ownerId: 'ada', roles: ['user'], scopes });
  switch (caller) {
    case 'no token':
      return null;
    case 'bad token':
      return `${(await bench.token()).slice(0, -8)}AAAAAAAA`;
    case 'expired':
      return bench.token({ exp: Math.floor(bench.clock.wallNow() / 1000) - 3600 });
    case 'user':
      return bench.token({ roles: ['user'] });
    case 'admin':
      return bench.token({ roles: ['admin'] });
    case 'user and admin':
      return bench.token({ roles: ['user', 'admin'] });
    case 'unknown role':
      return bench.token({ roles: ['owner', 'constructor', '__proto__', 'USER'] });
    case 'no role':
      return bench.token({ roles: [] });
    case 'key for chat':
      return (await key(['chat'])).key;
    case 'key for reading':
      return (await key(['models:read', 'me:read'])).key;
    case 'revoked key': {
      const made = await key(['chat', 'models:read', 'me:read']);
      await bench.kit.keys.revoke(made.info.id);
      return made.key;
    }
  }
}

async function askOn(bench: Bench, { method, path }: Route, token: string | null, keyId?: string) {
  const ask: Ask = { token, method };
  if (method !== 'GET') ask.body = bodies[path];
  const target = path
    .replace(':id', keyId ?? 'missing')
    .replace(':model', 'stand-in:latest')
    .replace(':digest', `sha256:${'a'.repeat(64)}`);
  return bench.answer(target, ask);
}

const rows = routeTable.map((route) => ({ route, name: `${route.method} ${route.path}` }));

describe('who may do what', () => {
  test('each row of the route table has an expectation, and no expectation is left over', () => {
    expect(rows.map(({ name }) => name).sort()).toEqual(Object.keys(expected).sort());
  });

  test('no two rows share a method and a path', () => {
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
  });

  for (const { name, route } of rows) {
    test.each(callers)(`${name} for %s`, async (caller) => {
      const bench = await withKeys();
      const { info } = await bench.kit.keys.create({ ownerId: 'ada', roles: ['user'] });
      const response = await askOn(bench, route, await tokenOf(bench, caller), info.id);
      expect(response.status).toBe(expected[name]?.[caller]);
      await response.text();
      if (response.status >= 400) expect(bench.ollama.fake.report().requests).toEqual([]);
    });
  }
});

describe('whose keys', () => {
  const withId = rows.filter(({ route }) => route.path.includes('/keys/:id'));
  const owners = ['ada', 'grace', 'nobody'] as const;

  for (const { name, route } of withId) {
    test.each(owners)(`${name} on a key of %s, as ada`, async (owner) => {
      const bench = await withKeys();
      const made =
        owner === 'nobody' ? undefined : await bench.kit.keys.create({ ownerId: owner, roles: ['user'] });
      const isAdmin = route.path.startsWith('/admin/');
      const token = await bench.token({ roles: [isAdmin ? 'admin' : 'user'] });
      const response = await askOn(bench, route, token, made?.info.id ?? 'A'.repeat(16));
      const sees = owner === 'ada' || (isAdmin && owner !== 'nobody');
      expect(response.status).toBe(sees ? 200 : 404);
      // Somebody else's key is as little there as one that never was, and it still works.
      if (!sees)
        expect(await response.json()).toMatchObject({ detail: 'There is no such API key of yours.' });
      if (made && !sees) expect((await bench.answer('/models', { token: made.key })).status).toBe(200);
    });
  }

  test('GET /me/keys lists one’s own, GET /admin/keys everybody’s or one owner’s', async () => {
    const bench = await withKeys();
    for (const ownerId of ['ada', 'grace', 'ada']) await bench.kit.keys.create({ ownerId, roles: ['user'] });
    const owners = async (target: string, role: string) => {
      const response = await bench.answer(target, { token: await bench.token({ roles: [role] }) });
      const list = (await response.json()) as { keys: { ownerId: string; hash?: string }[] };
      expect(JSON.stringify(list)).not.toMatch(/hash/i);
      return list.keys.map(({ ownerId }) => ownerId).sort();
    };
    expect(await owners('/me/keys', 'user')).toEqual(['ada', 'ada']);
    expect(await owners('/admin/keys', 'admin')).toEqual(['ada', 'ada', 'grace']);
    expect(await owners('/admin/keys?ownerId=grace', 'admin')).toEqual(['grace']);
    // The owner of one's own list is not for the caller to name.
    expect((await bench.answer('/me/keys?ownerId=grace')).status).toBe(400);
  });
});

describe('which models', () => {
  const roles: ServerKitOptions['roles'] = {
    user: { permissions: ['chat', 'models:read', 'me:read', 'keys:own'] },
    small: { permissions: ['chat', 'models:read'], models: ['Stand-In'] },
    family: { permissions: ['chat', 'models:read'], models: ['stand-in-v*', 'stand-in-t*'] },
    reader: { permissions: ['models:read'] },
  };
  const models = ['stand-in', 'stand-in-thinking', 'stand-in-vision', 'stand-in-embed'] as const;
  const callers = {
    user: { roles: ['user'], may: [...models] },
    small: { roles: ['small'], may: ['stand-in'] },
    family: { roles: ['family'], may: ['stand-in-thinking', 'stand-in-vision'] },
    'small and family': {
      roles: ['small', 'family'],
      may: ['stand-in', 'stand-in-thinking', 'stand-in-vision'],
    },
    'a reader who is also small': { roles: ['reader', 'small'], may: ['stand-in'] },
  } as const;
  const answering = rows.filter(
    ({ route }) => route.permission === 'chat' && route.method === 'POST' && route.path !== '/ws/ticket',
  );
  const spellings = (model: string) => [model, model.toUpperCase(), `${model}:latest`];

  test.each(Object.entries(callers))(
    '%s, on every answering route and in every spelling',
    async (_name, caller) => {
      const bench = await withKeys({ roles, limits: { requestsPerMinute: 10_000 } });
      const token = await bench.token({ roles: caller.roles });
      for (const { route } of answering) {
        for (const model of models) {
          for (const spelling of spellings(model)) {
            const before = bench.ollama.fake
              .report()
              .requests.filter(({ path }) => /^\/api\/(?:generate|chat|embed)$/.test(path)).length;
            const stream = route.operation === 'embed' ? {} : { stream: false };
            const body = { ...(bodies[route.path] as object), model: spelling, ...stream };
            const response = await bench.answer(route.path, { token, body });
            const answer = await response.text();
            const may = (caller.may as readonly string[]).includes(model);
            // The embedding model is allowed where it is allowed, and cannot chat; the others make no vectors.
            const fits = (model === 'stand-in-embed') === (route.operation === 'embed');
            const status = may ? (fits ? 200 : 400) : 404;
            expect.soft(response.status, `${route.path} ${spelling}: ${answer.slice(0, 200)}`).toBe(status);
            const after = bench.ollama.fake
              .report()
              .requests.filter(({ path }) => /^\/api\/(?:generate|chat|embed)$/.test(path)).length;
            if (!may) expect(after).toBe(before);
          }
        }
      }
      const list = (await (await bench.answer('/models', { token })).json()) as {
        models: { name: string }[];
      };
      const readable = (caller.roles as readonly string[]).includes('reader') ? models : caller.may;
      expect(list.models.map(({ name }) => name.replace(':latest', '')).sort()).toEqual([...readable].sort());
    },
  );

  test('an unknown and a forbidden model give the same answer and ask the same of the model server', async () => {
    const bench = await withKeys({ roles });
    const token = await bench.token({ roles: ['small'] });
    const answers = new Set<string>();
    const asked: number[] = [];
    for (const model of ['stand-in-vision', 'no-such-model', 'stand-in-visiom']) {
      // Old enough that both looks at the list are taken.
      bench.clock.advance(10_000);
      const before = bench.ollama.fake.report().requests.length;
      const response = await bench.chat({ model }, { token, headers: { 'x-request-id': 'the-same-id' } });
      expect(response.status).toBe(404);
      response.headers.delete('server-timing');
      answers.add(
        JSON.stringify([
          [...response.headers].filter(([name]) => !name.startsWith('ratelimit')),
          await response.text(),
        ]),
      );
      asked.push(bench.ollama.fake.report().requests.length - before);
    }
    expect(answers.size).toBe(1);
    expect(new Set(asked).size).toBe(1);
  });

  test('an API key is held to its own models and to those of its roles, whichever are fewer', async () => {
    const bench = await withKeys({ roles });
    const made = await bench.kit.keys.create({
      ownerId: 'ada',
      roles: ['family'],
      models: ['stand-in', 'stand-in-vision'],
    });
    const statuses: Record<string, number> = {};
    for (const model of models) {
      const response = await bench.chat({ model, stream: false }, { token: made.key });
      statuses[model] = response.status;
      await response.text();
    }
    expect(statuses).toEqual({
      'stand-in': 404,
      'stand-in-thinking': 404,
      'stand-in-vision': 200,
      'stand-in-embed': 404,
    });
  });
});
