import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { ziggieNode } from '../../src/node.ts';
import { createSqliteStores } from '../../src/stores-sqlite.ts';
import { hello, problemIn, startBench } from '../harness.ts';
import { eventsOf, question, startWithRaw } from '../stream-harness.ts';
import { type AttackBench, attackedHosts, startAttackBench, statusOf } from './attack-bench.ts';

const unlimited = Number.POSITIVE_INFINITY;
const ofAddress = (requestsPerMinutePerAddress: number) => ({
  limits: { requestsPerMinutePerAddress, requestsPerMinute: unlimited },
});

describe.each(attackedHosts)('ways around the limits by the wire on %s', (_name, start) => {
  let bench: AttackBench;
  afterEach(() => bench.close());
  const head = (line: string, more: string[] = ['Connection: close']) =>
    [`${line} HTTP/1.1`, 'Host: proxy.test', `Authorization: ${bench.authorization}`, ...more, '', ''].join(
      '\r\n',
    );
  const statuses = (answers: string) =>
    [...answers.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));

  test('fifty requests written at once on one socket each count', async () => {
    bench = await startAttackBench(start, ofAddress(10));
    const answers = statuses(await bench.send(head('GET /llm/me', []).repeat(49) + head('GET /llm/me')));
    expect(answers.filter((status) => status === 200)).toHaveLength(10);
    expect(answers.filter((status) => status === 429)).toHaveLength(40);
  });

  test.each(['HEAD', 'OPTIONS', 'PUT', 'DELETE'])('a flood of %s is limited as others', async (method) => {
    bench = await startAttackBench(start, ofAddress(3));
    const all: number[] = [];
    for (let at = 0; at < 5; at++) {
      const more = [
        'Origin: https://app.example.com',
        'Access-Control-Request-Method: POST',
        'Connection: close',
      ];
      all.push(statusOf(await bench.send(head(`${method} /llm/models`, more))));
    }
    const good = { HEAD: 200, OPTIONS: 204, PUT: 405, DELETE: 405 }[method];
    expect(all).toEqual([good, good, good, 429, 429]);
    expect(statusOf(await bench.send(head('GET /llm/me')))).toBe(429);
  });

  test('an address list of 100,000 entries ends with the head of the request', async () => {
    bench = await startAttackBench(start);
    const long = `X-Forwarded-For: ${'203.0.113.9, '.repeat(100_000)}1.1.1.1`;
    expect([431, 0]).toContain(statusOf(await bench.send(head('GET /llm/me', [long, 'Connection: close']))));
    expect(bench.log).toEqual([]);
  });

  test('a key with a zero byte is no request at all', async () => {
    bench = await startAttackBench(start);
    bench.authorization += '\0';
    expect(statusOf(await bench.send(head('GET /llm/me')))).toBe(400);
    expect(bench.log).toEqual([]);
  });

  test('on a route of the kit a key in x-api-key opens nothing', async () => {
    const pepper = 'a pepper of the tests, of more than 32 bytes';
    bench = await startAttackBench(start, { auth: { keys: { pepper } } });
    const { key } = await bench.kit.keys.create({ ownerId: 'ada', roles: ['user'] });
    bench.authorization = `Bearer ${key}`;
    expect(statusOf(await bench.send(head('GET /llm/me')))).toBe(200);
    const line = `GET /llm/me HTTP/1.1\r\nHost: proxy.test\r\nx-api-key: ${key}\r\nConnection: close\r\n\r\n`;
    expect(statusOf(await bench.send(line))).toBe(401);
  });
});

test('where the host lets longer heads in, 100,000 addresses still cost one look', async () => {
  const bench = await startBench();
  const door = ziggieNode(bench.kit, { trustProxy: 1 });
  const server = createServer({ maxHeaderSize: 4 * 2 ** 20 }, door);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const headers = {
    authorization: `Bearer ${await bench.token()}`,
    'x-forwarded-for': `${'203.0.113.9, '.repeat(100_000)}198.51.100.4`,
  };
  const began = performance.now();
  const response = await fetch(`http://127.0.0.1:${port}/me`, { headers });
  expect(response.status).toBe(200);
  expect(performance.now() - began).toBeLessThan(1000);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

test('an answer that says twice what it used is charged once', async () => {
  const record = (done: boolean, more: Record<string, unknown> = {}) =>
    `${JSON.stringify({ model: 'raw:latest', message: { role: 'assistant', content: done ? '' : 'hi' }, done, ...more })}\n`;
  const last = record(true, { done_reason: 'stop', prompt_eval_count: 5, eval_count: 7 });
  const bench = await startWithRaw(
    ({ socket }) =>
      socket.end(
        `HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\nconnection: close\r\n\r\n${record(false)}${last}${last}`,
      ),
    {
      limits: { rules: [{ name: 'tokens', per: 'user', unit: 'totalTokens', window: 'day', limit: 10_000 }] },
    },
  );
  const events = await eventsOf(await bench.ask('/chat', question('Hello', 'raw')));
  expect(events.filter(({ type }) => type === 'usage')).toHaveLength(1);
  const { limits } = (await (await bench.get('/me/limits')).json()) as {
    limits: { name: string; left: number }[];
  };
  expect(limits.find(({ name }) => name === 'tokens')?.left).toBe(10_000 - 12);
});

test.each(['n', 'best_of', 'num_choices'])('%s multiplies nothing: it is refused', async (member) => {
  const bench = await startBench();
  for (const body of [{ [member]: 100 }, { options: { [member]: 100 } }]) {
    expect((await problemIn(await bench.chat(body))).code).toBe('bad_request');
  }
  expect(bench.ollama.fake.report().requests.filter(({ path }) => path === '/api/chat')).toEqual([]);
});

test('a role that may do everything has the limits of everybody', async () => {
  const bench = await startBench({ limits: { requestsPerMinute: 2, maxInFlight: 1 } });
  const token = await bench.token({ roles: ['admin'] });
  const seen: number[] = [];
  for (let at = 0; at < 3; at++) seen.push((await bench.answer('/admin/keys', { token })).status);
  expect(seen.at(-1)).toBe(429);
});

test('what is counted in a file outlives the process; what is counted in memory does not', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ziggie-restart-'));
  const once = async (path: string | undefined): Promise<number> => {
    const opened = path === undefined ? undefined : createSqliteStores({ path });
    const bench = await startBench({
      limits: { requestsPerMinute: 1 },
      ...(opened ? { stores: { limits: opened.stores.limits } } : {}),
    });
    const { status } = await bench.answer('/me');
    await bench.kit.close();
    opened?.close();
    return status;
  };
  const file = join(folder, 'kit.db');
  expect([await once(file), await once(file), await once(file)]).toEqual([200, 429, 429]);
  expect([await once(undefined), await once(undefined)]).toEqual([200, 200]);
  rmSync(folder, { recursive: true });
});

test('a model by a name with a space is no second bucket: there is no such model', async () => {
  const bench = await startBench({
    limits: { rules: [{ name: 'model', per: 'model', unit: 'requests', window: 'day', limit: 1 }] },
  });
  const first = await bench.chat({ stream: false });
  await first.text();
  expect(first.status).toBe(200);
  for (const model of ['stand-in ', ' stand-in', 'stand-in\u00a0', 'stand-in\t', 'stand-in:latest ']) {
    expect((await bench.chat({ ...hello, model })).status).toBe(404);
  }
  for (const model of ['stand-in', 'STAND-IN', 'stand-in:latest']) {
    expect((await bench.chat({ ...hello, model })).status).toBe(503);
  }
});

test.each([
  [{ id: 'A' }, { id: 'A ' }],
  [{ id: '\u00e9' }, { id: 'e\u0301' }],
  [
    { tenant: 't1', id: 'a:b' },
    { tenant: 't1:a', id: 'b' },
  ],
  [
    { tenant: 'c', id: 'a:b' },
    { tenant: 'b:c', id: 'a' },
  ],
])('%j and %j are two people', async (one, other) => {
  let principal: { id: string; tenant?: string } = one;
  const bench = await startBench({
    authenticate: () => ({ roles: ['user'], ...principal }),
    limits: {
      requestsPerMinute: 1,
      rules: [{ per: 'tenant', unit: 'requests', window: 'day', limit: 1 }],
    },
  });
  const ask = async (who: typeof principal) => {
    principal = who;
    return (await bench.answer('/me')).status;
  };
  expect([await ask(one), await ask(one), await ask(other), await ask(other)]).toEqual([200, 429, 200, 429]);
});
