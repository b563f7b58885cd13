import { existsSync, readFileSync } from 'node:fs';
import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import Fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ziggieExpress } from '../../src/express.ts';
import { ziggieFastify } from '../../src/fastify.ts';
import { createServerKit, type ServerKit } from '../../src/index.ts';
import type { TrustProxy } from '../../src/node/client-address.ts';
import { SetClock } from '../harness.ts';
import { corpus, hasCorpora, isExpected } from './shared.ts';

type Case = Record<string, unknown> & { id: string };
const lists = corpus('ratelimit-bypass') as unknown as Record<string, Case[]>;
const {
  client_address_cases: addressCases = [],
  ip_key_cases: keyCases = [],
  same_bucket_cases: bucketCases = [],
} = lists;
const {
  spoof_cases: spoofCases = [],
  identity_cases: identityCases = [],
  behaviour_cases: behaviourCases = [],
} = lists;

interface Mounted {
  /** The status of a request from a socket with that address. */
  ask(socketAddress: string, headers?: Record<string, string | string[]>): Promise<number>;
  clock: SetClock;
  /** The address that the kit last counted by. */
  seen(): string;
  close(): Promise<void>;
}
type Mount = (
  kit: ServerKit,
  trustProxy: TrustProxy | undefined,
) => Promise<{ server: Server; close: () => Promise<unknown> }>;

const mounts: [string, Mount][] = [
  [
    'Express 5',
    async (kit, trustProxy) => {
      const server = createServer(express().use('/llm', ziggieExpress(kit, { trustProxy })));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return { server, close: () => new Promise((resolve) => server.close(resolve)) };
    },
  ],
  [
    'Fastify 5',
    async (kit, trustProxy) => {
      const app = Fastify({ forceCloseConnections: true });
      app.register(ziggieFastify, { kit, trustProxy, prefix: '/llm' });
      await app.listen({ port: 0, host: '127.0.0.1' });
      return { server: app.server, close: () => app.close() };
    },
  ],
];

/** A host whose sockets come from wherever the test says, with a limit of two requests a minute per address. */
async function mounted(mount: Mount, trustProxy: TrustProxy | undefined): Promise<Mounted> {
  const clock = new SetClock();
  let seen = '';
  const kit = createServerKit({
    upstreams: [{ url: 'http://127.0.0.1:9' }],
    authenticate: (_request, connection) => {
      seen = connection.remoteAddress;
      return { id: 'ada', roles: ['user'] };
    },
    limits: { requestsPerMinutePerAddress: 2, requestsPerMinute: Number.POSITIVE_INFINITY },
    clock,
    doctor: false,
  });
  const { server, close } = await mount(kit, trustProxy);
  let from = '127.0.0.1';
  server.on('connection', (socket) => Object.defineProperty(socket, 'remoteAddress', { value: from }));
  const { port } = server.address() as AddressInfo;
  return {
    clock,
    seen: () => seen,
    ask: (socketAddress, headers = {}) => {
      from = socketAddress;
      return new Promise((resolve, reject) => {
        const request = httpRequest(
          { port, host: '127.0.0.1', path: '/llm/me', agent: false, headers },
          (response) => {
            response.resume();
            response.on('end', () => resolve(response.statusCode ?? 0));
          },
        );
        request.on('error', reject);
        request.end();
      });
    },
    close: async () => {
      await kit.close({ drainMs: 0 });
      server.closeAllConnections();
      await close();
    },
  };
}

const named: Record<string, string[]> = {
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  loopback: ['127.0.0.0/8', '::1'],
  '10.0.0.2/255.255.255.192': ['10.0.0.2/26'],
};
function trusted(value: unknown): TrustProxy | undefined {
  if (value === '(none)') return undefined;
  // Everybody is trusted: the door refuses to; as many hops as the header has comes to the same.
  if (value === '(all)') return 8;
  return [value].flat().flatMap((one) => named[one as string] ?? [one as string]);
}

describe.skipIf(!hasCorpora).each(mounts)('ways around the limits on %s', (_name, mount) => {
  let plain: Mounted;
  beforeAll(async () => {
    plain = await mounted(mount, undefined);
  });
  afterAll(() => plain?.close());

  test('no header makes an address another one', async () => {
    const wrong: string[] = [];
    for (const { id, header, value } of spoofCases) {
      // A minute later the bucket is whole again.
      plain.clock.advance(60_000);
      const statuses: number[] = [];
      for (let round = 0; round < 3; round++) {
        const text = value === 'RANDOM_PER_REQUEST' ? `203.0.113.${round}` : (value as string);
        // `X, X (two headers)`: the same field twice.
        const [name = '', again] = (header as string).split(/, | \(/);
        const twice = again === undefined ? text : [text, '127.0.0.1'];
        statuses.push(await plain.ask('198.51.100.1', { [name]: twice }));
      }
      if (statuses.join() !== '200,200,429') wrong.push(`${id}: ${statuses}`);
    }
    expect(wrong).toEqual([]);
  });

  test('the address that counts is the one the trusted proxies say', async () => {
    const wrong: string[] = [];
    for (const one of addressCases) {
      const host = await mounted(mount, trusted(one['trust_proxy']));
      const forwarded = one['x_forwarded_for'] as string | null;
      await host.ask(one['socket'] as string, forwarded === null ? {} : { 'x-forwarded-for': forwarded });
      const isOurs = isExpected('a hop that is no address', one.id);
      const expected = isOurs
        ? /^(?:10\.0\.0\.1|127\.0\.0\.1)$/.test(host.seen())
        : host.seen() === one['client_address'];
      if (!expected) wrong.push(`${one.id}: ${host.seen()} instead of ${one['client_address']}`);
      await host.close();
    }
    expect(wrong).toEqual([]);
  });

  test('one address is one bucket in every spelling, two are two', async () => {
    const host = await mounted(mount, ['127.0.0.1']);
    const wrong: string[] = [];
    const ask = (address: string) => host.ask('127.0.0.1', { 'x-forwarded-for': address });
    const groups = [
      ...bucketCases.map((one) => ({
        id: one.id,
        addresses: one['addresses'] as string[],
        same: one['same'],
      })),
      ...keyCases.map((one) => {
        const address = one['address'] as string;
        const other = /value in the original test: (\d+\.\d+\.\d+\.\d+)$/.exec(one['expect'] as string)?.[1];
        return { id: one.id, addresses: [address, other ?? address.toUpperCase()], same: true as unknown };
      }),
    ];
    for (const { id, addresses, same } of groups) {
      if (isExpected('IPv4 in an old form of IPv6', id)) continue;
      const [first = '', ...others] = addresses;
      for (const other of same === 'reject' ? addresses : others) {
        host.clock.advance(60_000);
        if (same === 'reject') {
          await host.ask('127.0.0.1', { 'x-forwarded-for': other });
          const isAddress = ['192.0.2.1', '127.0.0.1'].includes(other);
          if (host.seen() !== (isAddress ? other : '127.0.0.1')) wrong.push(`${id} ${other}: ${host.seen()}`);
          continue;
        }
        const statuses = [await ask(first), await ask(first), await ask(other)];
        if (statuses.join() !== (same ? '200,200,429' : '200,200,200'))
          wrong.push(`${id} ${other}: ${statuses}`);
      }
    }
    await host.close();
    expect(wrong).toEqual([]);
  });
});

function here(words: Record<string, string>): typeof tests {
  return Object.fromEntries(
    Object.entries(words).map(([id, text]) => [id, ['corpora/limit-behaviours.test.ts', text]]),
  );
}

// Behaviours are tried by the tests of what behaves; this holds that each has one, or a reason.
const tests: Record<string, [file: string, words: string]> = {
  'behaviour/burst': [
    'stores/limit-store.contract.ts',
    'a hundred at the same time get exactly what there is',
  ],
  'behaviour/burst-multi-node': [
    'quotas/redis-quotas.test.ts',
    'two nodes, 50 requests each at once, a limit of 10: ten pass',
  ],
  'behaviour/window-edge': [
    '../src/limits/gcra.test.ts',
    'never lets more through than burst + rate × time, in any window',
  ],
  'behaviour/clock-back': [
    'stores/limit-store.contract.ts',
    'a clock that is set back an hour locks nobody out for an hour',
  ],
  'behaviour/clock-forward': [
    'stores/limit-store.contract.ts',
    'a clock that is set forward gives no more than one burst',
  ],
  'behaviour/redis-clock': [
    'quotas/redis-quotas.test.ts',
    'two nodes, 50 requests each at once, a limit of 10: ten pass',
  ],
  'behaviour/abort-before-headers': ['limits.test.ts', 'the next one is 429 until one ends, however it ends'],
  'behaviour/abort-mid-stream': ['quotas/quotas.test.ts', 'charges what was written when a reader leaves'],
  'behaviour/no-usage': ['quotas/quotas.test.ts', "['missing', { eval_count: undefined"],
  'behaviour/usage-lies': ['quotas/quotas.test.ts', 'raise no quota, cost something and no more than can be'],
  'behaviour/reserve': ['quotas/quotas.test.ts', 'ten at once with room for one: one runs'],
  'behaviour/max-tokens-omitted': [
    'quotas/quotas.test.ts',
    'is reserved, then settled from what the model server counted',
  ],
  'behaviour/retry-counted': ['limits.test.ts', 'refusals do not make the wait longer'],
  'behaviour/retry-after': [
    'quotas/quotas.test.ts',
    'waiting as long as Retry-After says makes the next request pass',
  ],
  'behaviour/ws-messages': ['ws/requests.test.ts', 'the limits are those of HTTP: rate, and answers at once'],
  'behaviour/ws-connections': ['ws/identity.test.ts', 'above the sockets of a principal: 429'],
  'behaviour/key-scan': ['identity/issuers.test.ts', 'the 21st guess of a minute is refused before any work'],
  'behaviour/key-flood-memory': ['../src/limits/rate-book.test.ts', 'never grows beyond its capacity'],
  'behaviour/images': ['bodies.test.ts', 'nine images are too many'],
  'behaviour/health-flood': ['info.test.ts', 'how it is'],
  'behaviour/redis-down': [
    'quotas/redis-quotas.test.ts',
    'Redis stops: each of four nodes gives out a quarter of a rate and no more',
  ],
  'behaviour/redis-slow': [
    'quotas/redis-quotas.test.ts',
    'Redis answers after 5 s: nobody waits longer than a moment',
  ],
  'behaviour/reset-race': ['quotas/quotas.test.ts', 'a stream counts for the day it began in'],
  'behaviour/cache-hit': ['cache/charging.test.ts', 'costs no token and no GPU time'],
  'behaviour/cache-poison': ['../src/cache/cache-key.test.ts', 'changes of one member give'],
  'behaviour/leak-429': ['quotas/quotas.test.ts', 'a refusal says nothing of other people'],
  'identity/1': [
    'identity/keys.test.ts',
    'wrong in any one character is refused without a look into the store',
  ],
  'identity/3': ['identity/keys.test.ts', "['in capitals'"],
  'identity/5': ['tokens.test.ts', '`bearer $'],
  'identity/7': ['identity/keys.test.ts', 'counts with the other credentials of its owner'],
  'identity/8': ['limits.test.ts', 'refusals do not make the wait longer'],
  'identity/15': ['ws/requests.test.ts', 'the limits are those of HTTP: rate, and answers at once'],
  ...here({
    'behaviour/usage-twice': 'an answer that says twice what it used is charged once',
    'behaviour/keepalive-pipeline': 'fifty requests written at once on one socket each count',
    'behaviour/head-options': 'a flood of %s is limited as others',
    'behaviour/xff-long': 'an address list of 100,000 entries ends with the head of the request',
    'behaviour/n-and-best-of': '%s multiplies nothing: it is refused',
    'behaviour/admin-exempt': 'a role that may do everything has the limits of everybody',
    'behaviour/restart': 'what is counted in a file outlives the process',
    'identity/4': 'a key with a zero byte is no request at all',
    'identity/6': 'on a route of the kit a key in x-api-key opens nothing',
    'identity/10': "[{ id: 'A' }, { id: 'A ' }]",
    'identity/11': "[{ id: '\\u00e9' }",
    'identity/12': "{ tenant: 't1', id: 'a:b' }",
    'identity/13': "{ tenant: 'c', id: 'a:b' }",
    'identity/25': 'a model by a name with a space is no second bucket',
  }),
  'identity/17': ['surfaces/embed.test.ts', 'one bucket for every surface'],
  'behaviour/cost-batch': ['surfaces/embed.test.ts', 'each text of a batch counts'],
  'identity/23': ['matrix.test.ts', 'on every answering route and in every spelling'],
};

describe.skipIf(!hasCorpora)('behaviours and identities of the list', () => {
  test.each([...behaviourCases, ...identityCases].map(({ id }) => id))('%s has its test', (id) => {
    const [file = 'a test', words = 'of it'] = tests[id] ?? [];
    const path = new URL(`../${file}`, import.meta.url);
    expect(existsSync(path)).toBe(true);
    expect(readFileSync(path, 'utf8')).toContain(words);
  });
});

test('names that differ by anything but themselves share no bucket', async () => {
  const clock = new SetClock();
  let principal = { id: '', roles: ['user'], tenant: '' };
  const kit = createServerKit({
    upstreams: [{ url: 'http://127.0.0.1:9' }],
    authenticate: () => principal,
    limits: {
      requestsPerMinute: 1,
      rules: [{ per: 'tenant', unit: 'requests', window: 'day', limit: 1 }],
      requestsPerMinutePerAddress: Number.POSITIVE_INFINITY,
    },
    doctor: false,
    clock,
  });
  const pairs = [
    ['A', 'A '],
    ['\u00e9', 'e\u0301'],
    ['a:b', 'a', 'b:a', 'a:b:'],
    ['x'.repeat(250), 'x'.repeat(251)],
    ['constructor', '__proto__', 'toString'],
    ['=', '==', ''],
  ];
  for (const names of pairs) {
    for (const [at, name] of names.filter(Boolean).entries()) {
      principal = { id: name, roles: ['user'], tenant: `t${name}` };
      const connection = { remoteAddress: '127.0.0.1', encrypted: false, target: '/me', rawHeaders: [] };
      const first = await kit.handle(new Request('http://ziggie.invalid/'), connection);
      const second = await kit.handle(new Request('http://ziggie.invalid/'), connection);
      expect([at, first?.status, second?.status]).toEqual([at, 200, 429]);
    }
  }
  await kit.close();
});
