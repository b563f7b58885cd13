import { describe, expect, test } from 'vitest';
import { routeTable } from '../src/routes/route-table.ts';
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
] as const;
type Caller = (typeof callers)[number];

const guarded = {
  'no token': 401,
  'bad token': 401,
  expired: 401,
  user: 200,
  admin: 200,
  'user and admin': 200,
  'unknown role': 403,
  'no role': 403,
};
const open = {
  'no token': 200,
  'bad token': 200,
  expired: 200,
  user: 200,
  admin: 200,
  'user and admin': 200,
  'unknown role': 200,
  'no role': 200,
};

const expected: Record<string, Record<Caller, number>> = {
  'POST /chat': guarded,
  'POST /generate': guarded,
  'POST /generate-complete': guarded,
  'GET /models': guarded,
  // An address for upgrades: whoever may open one is told so, everybody else what stands in the way first.
  'GET /ws': { ...guarded, user: 400, admin: 400, 'user and admin': 400 },
  'POST /ws/ticket': guarded,
  'GET /status': open,
  'GET /health': open,
  'GET /health/live': open,
  'GET /health/ready': open,
};

async function tokenOf(bench: Bench, caller: Caller): Promise<string | null> {
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
  }
}

const rows = routeTable.map((route) => ({ ...route, name: `${route.method} ${route.path}` }));

describe('who may do what', () => {
  test('each row of the route table has an expectation, and no expectation is left over', () => {
    expect(rows.map(({ name }) => name).sort()).toEqual(Object.keys(expected).sort());
  });

  test('no two rows share a method and a path', () => {
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
  });

  for (const { name, method, path } of rows) {
    test.each(callers)(`${name} for %s`, async (caller) => {
      const bench = await startBench();
      const ask: Ask = { token: await tokenOf(bench, caller) };
      if (method === 'POST') ask.body = path === '/chat' ? hello : prompt;
      const response = await bench.answer(path, ask);
      expect(response.status).toBe(expected[name]?.[caller]);
      await response.text();
      if (response.status >= 400) expect(bench.ollama.fake.report().requests).toEqual([]);
    });
  }
});
