import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { say, stall } from '@ziggie/llm-testing';
import express from 'express';
import Fastify from 'fastify';
import { afterEach, describe, expect, test } from 'vitest';
import { ziggieExpress } from '../../src/express.ts';
import { ziggieFastify } from '../../src/fastify.ts';
import type { ServerKit, ServerKitOptions } from '../../src/index.ts';
import { audience, type Bench, issuer, secret, startBench } from '../harness.ts';

/** One address that answers a prompt, in the form of its surface. */
export interface LimitedSurface {
  /** Below the mount. */
  path: string;
  /** The smallest good body. */
  body(prompt: string, model: string): Record<string, unknown>;
  /** The members that ask for so many tokens of output. */
  wants(tokens: number): Record<string, unknown>;
  /** Whether an API key may come as `x-api-key`. */
  takesKeyHeader: boolean;
  /** Whether answers have `x-ratelimit-*` beside `RateLimit`. */
  hasOpenAiHeaders: boolean;
}

const pepper = 'a pepper for tests, longer than 32 bytes';
const prefix = '/llm';
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const hosts: [string, (kit: ServerKit) => Promise<number>][] = [
  [
    'Express',
    async (kit) => {
      const server = createServer(express().use(prefix, ziggieExpress(kit)));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      closers.push(() => closed(server));
      return (server.address() as AddressInfo).port;
    },
  ],
  [
    'Fastify',
    async (kit) => {
      const app = Fastify({ forceCloseConnections: true });
      app.register(ziggieFastify, { kit, prefix });
      await app.listen({ port: 0, host: '127.0.0.1' });
      closers.push(() => app.close());
      return (app.server.address() as AddressInfo).port;
    },
  ],
];

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

/** What every address that costs something must refuse, over real sockets, and say about it. */
export function limitsContract(surface: LimitedSurface): void {
  describe.each(hosts)(`limits of ${surface.path} on %s`, (_host, mount) => {
    let bench: Bench;
    let port: number;
    const begin = async (limits: ServerKitOptions['limits'], more: Partial<ServerKitOptions> = {}) => {
      bench = await startBench({
        auth: { jwt: { secret, issuer, audience }, keys: { pepper } },
        limits: limits ?? {},
        ...more,
      });
      port = await mount(bench.kit);
    };
    const post = async (
      more: Record<string, unknown> = {},
      headers: Record<string, string> | undefined = undefined,
    ) =>
      fetch(`http://127.0.0.1:${port}${prefix}${surface.path}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(headers ?? { authorization: `Bearer ${await bench.token()}` }),
        },
        body: JSON.stringify({ ...surface.body('Hello', 'stand-in'), ...more }),
      });
    const spend = async (more: Record<string, unknown> = {}) => {
      const response = await post(more);
      await response.text();
      return response;
    };
    const named = (response: Response, name: string) =>
      surface.hasOpenAiHeaders
        ? ['limit', 'remaining', 'reset'].map((part) => response.headers.get(`x-ratelimit-${part}-${name}`))
        : [...response.headers.keys()].filter((key) => key.startsWith('x-ratelimit'));

    test('requests: the third of two is 429 and says when', async () => {
      await begin({ requestsPerMinute: 2 });
      const first = await spend();
      expect(first.status).toBe(200);
      expect(first.headers.get('ratelimit')).toBe('"principal";r=1;t=30');
      expect(named(first, 'requests')).toEqual(surface.hasOpenAiHeaders ? ['2', '1', '30s'] : []);
      await spend();
      const refused = await spend();
      expect(refused.status).toBe(429);
      expect(refused.headers.get('retry-after')).toBe('30');
      expect(named(refused, 'requests')).toEqual(surface.hasOpenAiHeaders ? ['2', '0', '1m0s'] : []);
      bench.clock.advance(30_000);
      expect((await spend()).status).toBe(200);
    });

    test('tokens: what an answer has used is not there for the next', async () => {
      await begin({
        rules: [{ name: 'day', per: 'user', unit: 'outputTokens', window: 'day', limit: 100 }],
      });
      const first = await spend(surface.wants(100));
      expect(first.status).toBe(200);
      if (surface.hasOpenAiHeaders) expect(named(first, 'tokens')[0]).toBe('100');
      for (let at = 0; at < 100; at++) {
        const { status, headers } = await spend(surface.wants(100));
        if (status === 200) continue;
        expect(status).toBe(429);
        expect(Number(headers.get('retry-after'))).toBeGreaterThan(60);
        return;
      }
      throw new Error('The quota never refused.');
    });

    test('answers at once: the second is 429 while the first is written', async () => {
      await begin({ maxInFlight: 1 });
      bench.ollama.fake.script([say('begun'), stall()]);
      const leaving = new AbortController();
      const body = JSON.stringify({ ...surface.body('Hello', 'stand-in'), stream: true });
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${await bench.token()}` };
      const running = fetch(`http://127.0.0.1:${port}${prefix}${surface.path}`, {
        method: 'POST',
        headers,
        body,
        signal: leaving.signal,
      }).catch(() => {});
      await bench.ollama.fake.waitFor(({ openGenerations }) => openGenerations === 1);
      expect((await spend()).status).toBe(429);
      leaving.abort();
      await running;
      await bench.ollama.fake.waitFor(({ openGenerations }) => openGenerations === 0);
      await expect.poll(async () => (await spend()).status).toBe(200);
    });

    test('addresses: refused before any credential is looked at', async () => {
      await begin({ requestsPerMinutePerAddress: 1 });
      expect((await post({}, { authorization: 'Bearer nonsense' })).status).toBe(401);
      expect((await post()).status).toBe(429);
    });

    test('wrong credentials: the one after the limit is 429 although it is good', async () => {
      await begin({ failedSignInsPerMinute: 2 });
      for (let at = 0; at < 2; at++) {
        expect((await post({}, { authorization: `Bearer guess${at}` })).status).toBe(401);
      }
      expect((await post()).status).toBe(429);
    });

    test('size: a longer body is 413 and reaches nobody', async () => {
      await begin({ maxBodyBytes: 2000 });
      const response = await post(surface.body('x'.repeat(3000), 'stand-in'));
      expect(response.status).toBe(413);
      expect(bench.ollama.fake.report().requests).toEqual([]);
    });

    test('output: more than 4,096 tokens are never asked of the model server', async () => {
      await begin({});
      await spend(surface.wants(100_000));
      const asked = bench.ollama.fake.report().requests.findLast(({ method }) => method === 'POST');
      const { options } = JSON.parse(JSON.stringify(asked?.body)) as { options: { num_predict: number } };
      expect(options.num_predict).toBe(4096);
    });

    test('models: one that is forbidden looks like one that is not there', async () => {
      const roles = { user: { permissions: ['chat'], models: ['stand-in'] } } as const;
      await begin({}, { roles });
      const seen: string[] = [];
      for (const model of ['stand-in-vision', 'no-such-model']) {
        const response = await post(surface.body('Hello', model));
        expect(response.status).toBe(404);
        const text = (await response.text()).replaceAll(response.headers.get('x-request-id') ?? '-', 'id');
        seen.push(text.replaceAll(model, 'model'));
      }
      expect(seen[0]).toBe(seen[1]);
    });

    test('an API key is taken where it belongs, and two credentials are none', async () => {
      await begin({});
      const { key } = await bench.kit.keys.create({ ownerId: 'ada', roles: ['user'] });
      expect((await post({}, { authorization: `Bearer ${key}` })).status).toBe(200);
      expect((await post({}, { 'x-api-key': key })).status).toBe(surface.takesKeyHeader ? 200 : 401);
      if (surface.takesKeyHeader) {
        const both = { 'x-api-key': key, authorization: `Bearer ${key}` };
        expect((await post({}, both)).status).toBe(401);
      }
    });
  });
}
