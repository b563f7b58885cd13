import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT } from 'jose';
import { afterEach, describe, expect, test } from 'vitest';
import type { Clock, JwtOptions } from '../../src/index.ts';
import { type Bench, DrivenClock, problemIn, SetClock, secret, startBench } from '../harness.ts';

const issuer = 'https://issuer.example';
const audience = 'app';
const rsaPair = () => generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwk = (key: KeyObject, more: Record<string, unknown> = {}) => ({
  ...key.export({ format: 'jwk' }),
  ...more,
});

/** An issuer that publishes its keys on a real socket. */
class KeySetServer {
  asked = 0;
  answer: (request: IncomingMessage, response: ServerResponse) => void = (_request, response) => {
    response.end(JSON.stringify({ keys: this.keys }));
  };
  keys: unknown[] = [];
  readonly #server = createServer((request, response) => {
    this.asked++;
    this.answer(request, response);
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/jwks.json`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

let published: KeySetServer | undefined;
afterEach(() => published?.close());

async function startIssuer(more: Partial<JwtOptions> = {}, clock: Clock = new SetClock()) {
  published = new KeySetServer();
  const server = published;
  const jwksUrl = await server.start();
  const bench = await startBench({
    auth: { jwt: { jwksUrl, issuer, audience, ...more } },
    clock,
    limits: {
      requestsPerMinute: 10_000,
      requestsPerMinutePerAddress: 10_000,
      failedSignInsPerMinute: 10_000,
    },
  });
  return { server, bench };
}

async function tokenBy(bench: Bench, key: KeyObject, header: { alg?: string; kid?: string } = {}, more = {}) {
  const now = Math.floor(bench.clock.wallNow() / 1000);
  return new SignJWT({ sub: 'ada', iss: issuer, aud: audience, iat: now, exp: now + 100_000, ...more })
    .setProtectedHeader({ alg: 'RS256', ...header })
    .sign(key);
}

async function statusOf(bench: Bench, token: string): Promise<number> {
  const response = await bench.answer('/me', { token });
  await response.text();
  return response.status;
}

describe('an issuer that publishes its keys', () => {
  test('is asked once for many tokens, and again when a key id is new', async () => {
    const { server, bench } = await startIssuer();
    const [first, second] = [rsaPair(), rsaPair()];
    server.keys = [jwk(first.publicKey, { kid: 'first', alg: 'RS256', use: 'sig' })];
    const tokens = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        tokenBy(bench, first.privateKey, { kid: 'first' }, { jti: String(at) }),
      ),
    );
    expect(await Promise.all(tokens.map((token) => statusOf(bench, token)))).toEqual(new Array(20).fill(200));
    expect(server.asked).toBe(1);
    // The issuer brings in a new key: its first token works as soon as the cool-down lets the kit look again.
    server.keys.push(jwk(second.publicKey, { kid: 'second', use: 'sig' }));
    const rotated = await tokenBy(bench, second.privateKey, { kid: 'second' });
    expect(await statusOf(bench, rotated)).toBe(401);
    bench.clock.advance(30_000);
    expect(await statusOf(bench, rotated)).toBe(200);
    expect(server.asked).toBe(2);
  });

  test('is not asked more often for key ids that somebody makes up', async () => {
    const { server, bench } = await startIssuer();
    const { publicKey, privateKey } = rsaPair();
    server.keys = [jwk(publicKey, { kid: 'known' })];
    for (let at = 0; at < 50; at++) {
      expect(await statusOf(bench, await tokenBy(bench, privateKey, { kid: `made-up-${at}` }))).toBe(401);
      bench.clock.advance(1000);
    }
    expect(server.asked).toBe(2);
  });

  test('takes a key back: its tokens end when the set is looked at again', async () => {
    const { server, bench } = await startIssuer();
    const [old, current] = [rsaPair(), rsaPair()];
    server.keys = [jwk(old.publicKey, { kid: 'old' }), jwk(current.publicKey, { kid: 'current' })];
    expect(await statusOf(bench, await tokenBy(bench, old.privateKey, { kid: 'old' }))).toBe(200);
    server.keys.shift();
    bench.clock.advance(600_001);
    // Fresh enough to be used once more while the new set is on its way.
    await statusOf(bench, await tokenBy(bench, old.privateKey, { kid: 'old' }, { jti: '1' }));
    await expect.poll(() => server.asked).toBe(2);
    await expect
      .poll(async () =>
        statusOf(bench, await tokenBy(bench, old.privateKey, { kid: 'old' }, { jti: String(Math.random()) })),
      )
      .toBe(401);
    expect(await statusOf(bench, await tokenBy(bench, current.privateKey, { kid: 'current' }))).toBe(200);
  });

  test('may be away for a day, then nothing of it is believed', async () => {
    const { server, bench } = await startIssuer();
    const { publicKey, privateKey } = rsaPair();
    server.keys = [jwk(publicKey)];
    const fresh = () => tokenBy(bench, privateKey, {}, { jti: String(Math.random()) });
    expect(await statusOf(bench, await fresh())).toBe(200);
    server.answer = (_request, response) => response.writeHead(500).end();
    bench.clock.advance(86_000_000);
    expect(await statusOf(bench, await fresh())).toBe(200);
    await expect.poll(() => server.asked).toBe(2);
    bench.clock.advance(401_000);
    const refused = await bench.answer('/me', { token: await fresh() });
    expect(refused.headers.get('retry-after')).toBe('5');
    expect((await problemIn(refused)).code).toBe('store_unavailable');
  });

  test.each<[string, (request: IncomingMessage, response: ServerResponse) => void]>([
    ['redirects', (_request, response) => response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end()],
    ['sends too much', (_request, response) => response.end(`{"keys":[]${' '.repeat(70_000)}}`)],
    ['sends no JSON', (_request, response) => response.end('<html>')],
    ['sends no list', (_request, response) => response.end('{"keys":{}}')],
    ['answers 404', (_request, response) => response.writeHead(404).end('{"keys":[]}')],
    ['never ends', (_request, response) => response.write('{"keys":[')],
  ])('that %s gives no keys, and nobody gets in', async (_what, answer) => {
    const clock = new DrivenClock();
    const { server, bench } = await startIssuer({}, clock);
    server.answer = answer;
    const waiting = statusOf(bench, await tokenBy(bench, rsaPair().privateKey));
    await expect.poll(() => server.asked).toBe(1);
    await clock.drive(2000);
    expect(await waiting).toBe(503);
    expect(await statusOf(bench, await tokenBy(bench, rsaPair().privateKey))).toBe(503);
    expect(server.asked).toBe(1);
  });

  test.each<[string, (pair: ReturnType<typeof rsaPair>) => unknown[], number]>([
    ['a private key in it', ({ privateKey }) => [jwk(privateKey)], 503],
    [
      'two keys of one id',
      ({ publicKey }) => [jwk(publicKey, { kid: 'a' }), jwk(rsaPair().publicKey, { kid: 'a' })],
      503,
    ],
    ['a secret in it', ({ publicKey }) => [jwk(publicKey), { kty: 'oct', k: 'c2VjcmV0' }], 503],
    ['a key for encryption', ({ publicKey }) => [jwk(publicKey, { use: 'enc' })], 401],
    ['a key that may not verify', ({ publicKey }) => [jwk(publicKey, { key_ops: ['encrypt'] })], 401],
    ['a key of another algorithm', ({ publicKey }) => [jwk(publicKey, { alg: 'PS256' })], 401],
    ['RSA of 1,024 bits', () => [jwk(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey)], 401],
    ['two keys and a token without id', ({ publicKey }) => [jwk(publicKey), jwk(rsaPair().publicKey)], 401],
    [
      'a key of an unknown kind beside the good one',
      ({ publicKey }) => [{ kty: 'OKP', crv: 'nonsense', x: '' }, null, jwk(publicKey)],
      200,
    ],
  ])('with %s', async (_what, keys, status) => {
    const { server, bench } = await startIssuer();
    const pair = rsaPair();
    server.keys = keys(pair);
    expect(await statusOf(bench, await tokenBy(bench, pair.privateKey))).toBe(status);
  });
});

describe('algorithms', () => {
  const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve });
  const rsa = rsaPair();
  test.each([
    ['RS384', rsa],
    ['RS512', rsa],
    ['PS256', rsa],
    ['PS384', rsa],
    ['PS512', rsa],
    ['ES256', ec('prime256v1')],
    ['ES384', ec('secp384r1')],
    ['ES512', ec('secp521r1')],
    ['EdDSA', generateKeyPairSync('ed25519')],
    ['Ed25519', generateKeyPairSync('ed25519')],
  ] as const)('%s by PEM and by JWK', async (alg, { publicKey, privateKey }) => {
    const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
    for (const key of [pem, jwk(publicKey)]) {
      const bench = await startBench({
        auth: { jwt: { publicKey: key, algorithms: [alg], issuer, audience } },
      });
      expect(await statusOf(bench, await tokenBy(bench, privateKey, { alg }))).toBe(200);
    }
  });

  test.each([
    ['HS384', 48],
    ['HS512', 64],
  ] as const)('%s wants a secret of %i bytes', async (alg, bytes) => {
    const long = Buffer.from(Array.from({ length: bytes }, (_, at) => at));
    const options = (of: Buffer) => ({ auth: { jwt: { secret: of, algorithms: [alg], issuer, audience } } });
    const bench = await startBench(options(long));
    const now = Math.floor(bench.clock.wallNow() / 1000);
    const token = await new SignJWT({ sub: 'ada', iss: issuer, aud: audience, exp: now + 60 })
      .setProtectedHeader({ alg })
      .sign(long);
    expect(await statusOf(bench, token)).toBe(200);
    await expect(startBench(options(long.subarray(1)))).rejects.toThrow(`at least ${bytes} bytes`);
  });

  test('the old and the new key are both good while one replaces the other', async () => {
    const next = 'the next secret, which is also longer than 32 bytes';
    const bench = await startBench({
      auth: { jwt: { secret: [next, secret], issuer: 'https://app.example', audience: 'ziggie-tests' } },
    });
    expect(await statusOf(bench, await bench.token())).toBe(200);
    const now = Math.floor(bench.clock.wallNow() / 1000);
    const renewed = await new SignJWT({
      sub: 'ada',
      iss: 'https://app.example',
      aud: 'ziggie-tests',
      exp: now + 60,
    })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(next));
    expect(await statusOf(bench, renewed)).toBe(200);
  });
});

describe('several issuers', () => {
  const [one, two] = [rsaPair(), rsaPair()];
  const issuers = (more: Partial<JwtOptions> = {}): JwtOptions[] => [
    { publicKey: jwk(one.publicKey), issuer: 'https://one.example', audience, ...more },
    {
      publicKey: jwk(two.publicKey),
      issuer: 'https://two.example',
      audience: ['x', 'other'],
      tenantClaim: 'org',
      ...more,
    },
  ];
  const me = async (bench: Bench, token: string) => (await bench.answer('/me', { token })).json();

  test('each is held to its own key and audience, and their subjects are different people', async () => {
    const bench = await startBench({ auth: { jwt: issuers() } });
    const good = await tokenBy(bench, one.privateKey, {}, { iss: 'https://one.example' });
    expect(await me(bench, good)).toMatchObject({ id: 'https://one.example#ada', tenant: null });
    const other = await tokenBy(
      bench,
      two.privateKey,
      {},
      { iss: 'https://two.example', aud: 'other', org: 'acme' },
    );
    expect(await me(bench, other)).toMatchObject({ id: 'https://two.example#ada', tenant: 'acme' });
    for (const [key, claims] of [
      [two.privateKey, { iss: 'https://one.example' }],
      [two.privateKey, { iss: 'https://two.example' }],
      [one.privateKey, { iss: 'https://two.example', aud: 'other' }],
      [one.privateKey, { iss: 'https://three.example' }],
      [one.privateKey, { iss: undefined }],
    ] as const) {
      expect(await statusOf(bench, await tokenBy(bench, key, {}, claims))).toBe(401);
    }
  });

  test('subjects are one namespace when the options say so', async () => {
    const bench = await startBench({ auth: { jwt: issuers({ subjectPrefix: '' }) } });
    const token = await tokenBy(bench, one.privateKey, {}, { iss: 'https://one.example' });
    expect(await me(bench, token)).toMatchObject({ id: 'ada' });
  });

  test.each([
    ['one that accepts any', [{ issuer: false as const }, {}]],
    ['two of one name', [{}, {}]],
  ])('are refused with %s', async (_what, [first, second]) => {
    const make = (more: object | undefined): JwtOptions => ({
      publicKey: jwk(one.publicKey),
      issuer,
      audience,
      ...more,
    });
    await expect(startBench({ auth: { jwt: [make(first), make(second)] } })).rejects.toThrow(
      'several issuers',
    );
  });
});

describe('options of an issuer', () => {
  const pem = rsaPair().publicKey.export({ type: 'spki', format: 'pem' }) as string;
  const privatePem = rsaPair().privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  test.each<[string, Partial<JwtOptions>, string]>([
    ['a secret and a public key', { secret, publicKey: pem }, 'give one of'],
    ['RS256 with a secret', { secret, algorithms: ['RS256'] }, 'auth.jwt.algorithms'],
    ['HS256 with a public key', { publicKey: pem, algorithms: ['HS256'] }, 'whoever has the key could sign'],
    ['both kinds at once', { publicKey: pem, algorithms: ['RS256', 'HS256'] }, 'auth.jwt.algorithms'],
    ['none', { secret, algorithms: ['none' as 'HS256'] }, 'auth.jwt.algorithms'],
    ['a private key', { publicKey: privatePem }, 'private'],
    ['a key of another kind', { publicKey: pem, algorithms: ['ES256'] }, 'auth.jwt.publicKey'],
    [
      'RSA of 1,024 bits',
      { publicKey: jwk(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey) },
      '2048',
    ],
    ['what is no key', { publicKey: 'ssh-rsa AAAA' }, 'PEM or JWK'],
    ['a key set over http', { jwksUrl: 'http://issuer.example/jwks' }, 'https'],
    ['a key set with a password', { jwksUrl: 'https://user:pass@issuer.example/jwks' }, 'credentials'],
    ['a minute and more of leeway', { secret, leewaySeconds: 61 }, 'leewaySeconds'],
  ])('%s is refused, and nothing of it is repeated', async (_what, jwt, words) => {
    const failed = startBench({ auth: { jwt: { issuer, audience, ...jwt } } });
    await expect(failed).rejects.toThrow(words);
    await failed.catch((error: Error) =>
      expect(error.message).not.toMatch(/a secret for tests|MII|user:pass|ssh-rsa/),
    );
  });
});

describe('tokens that are ended', () => {
  const again = (bench: Bench) => bench.token({ jti: String(Math.random()) });

  test('one token, by itself or by its id, at once', async () => {
    const bench = await startBench();
    const [first, second, third] = [
      await bench.token({ jti: 'one' }),
      await bench.token({ jti: 'two' }),
      await bench.token({ jti: 'three' }),
    ];
    for (const token of [first, second, third]) expect(await statusOf(bench, token)).toBe(200);
    await bench.kit.revocations.revoke({ token: first });
    await bench.kit.revocations.revoke({ issuer: 'https://app.example', tokenId: 'two' });
    expect([
      await statusOf(bench, first),
      await statusOf(bench, second),
      await statusOf(bench, third),
    ]).toEqual([401, 401, 200]);
  });

  test('all of a principal until now, and none that come after', async () => {
    const bench = await startBench();
    const before = [await again(bench), await bench.token({ iat: undefined, jti: 'no iat' })];
    for (const token of before) expect(await statusOf(bench, token)).toBe(200);
    bench.clock.advance(1000);
    await bench.kit.revocations.revoke({ principalId: 'ada' });
    for (const token of before) expect(await statusOf(bench, token)).toBe(401);
    expect(await statusOf(bench, await bench.token({ sub: 'grace' }))).toBe(200);
    bench.clock.advance(1000);
    expect(await statusOf(bench, await again(bench))).toBe(200);
  });

  test('elsewhere: seen within 5 s, through a store that is shared', async () => {
    const { MemoryRevocationStore } = await import('../../src/index.ts');
    const revocations = new MemoryRevocationStore(() => Date.UTC(2030, 0, 1));
    const [here, there] = [
      await startBench({ stores: { revocations } }),
      await startBench({ stores: { revocations } }),
    ];
    const token = await here.token();
    expect(await statusOf(here, token)).toBe(200);
    await there.kit.revocations.revoke({ token });
    here.clock.advance(4999);
    expect(await statusOf(here, token)).toBe(200);
    here.clock.advance(1);
    expect(await statusOf(here, token)).toBe(401);
  });

  test('nobody gets in while the store cannot say', async () => {
    const away = {
      revoke: async () => {},
      revokedAt: () => Promise.reject(new Error('redis://10.0.0.1 is away')),
    };
    const bench = await startBench({ stores: { revocations: away } });
    const problem = await problemIn(await bench.answer('/me'));
    expect(problem).toMatchObject({ code: 'store_unavailable', status: 503, retryable: true });
    expect(JSON.stringify([problem, bench.logs])).not.toContain('10.0.0.1');
  });

  test('over HTTP, by an administrator', async () => {
    const bench = await startBench();
    const admin = await bench.token({ roles: ['admin'], sub: 'root' });
    const token = await bench.token();
    expect(await statusOf(bench, token)).toBe(200);
    const ended = await bench.answer('/admin/revocations', { token: admin, body: { token } });
    expect([ended.status, await ended.text()]).toEqual([204, '']);
    expect(await statusOf(bench, token)).toBe(401);
    expect(JSON.stringify(bench.logs)).not.toContain(token);
  });
});

describe('failed sign-ins', () => {
  const forged = async (bench: Bench) =>
    `${(await bench.token({ jti: String(Math.random()) })).slice(0, -8)}AAAAAAAA`;
  const from = (remoteAddress: string) => ({ connection: { remoteAddress } });

  test('the 21st guess of a minute is refused before any work, the address is told when', async () => {
    const bench = await startBench();
    const statuses: number[] = [];
    for (let at = 0; at < 21; at++) statuses.push(await statusOf(bench, await forged(bench)));
    expect(statuses).toEqual([...new Array(20).fill(401), 429]);
    const refused = await bench.answer('/me', { token: await forged(bench) });
    expect(refused.headers.get('retry-after')).toBe('3');
    expect((await problemIn(refused)).detail).toContain('Too many failed attempts');
    // A good token that nobody has seen yet has to wait too: it would be work.
    expect(await statusOf(bench, await bench.token({ jti: 'unseen' }))).toBe(429);
    bench.clock.advance(3000);
    expect(await statusOf(bench, await bench.token({ jti: 'unseen' }))).toBe(200);
  });

  test('a guesser in the same /64 does not lock out a neighbour who is in already', async () => {
    const bench = await startBench();
    const neighbour = await bench.token({ sub: 'grace' });
    const at = (address: string, token: string) => bench.answer('/me', { token, ...from(address) });
    expect((await at('2001:db8:1:2::1', neighbour)).status).toBe(200);
    for (let guess = 0; guess < 30; guess++) await at(`2001:db8:1:2::${guess + 2}`, await forged(bench));
    expect((await at('2001:db8:1:2::ff', await forged(bench))).status).toBe(429);
    expect((await at('2001:db8:1:2::1', neighbour)).status).toBe(200);
    expect((await at('2001:db8:1:3::1', await forged(bench))).status).toBe(401);
  });

  test('a burst of guesses gets no more than the limit, a burst of good tokens is not refused', async () => {
    const bench = await startBench();
    const guesses = await Promise.all(Array.from({ length: 60 }, () => forged(bench)));
    const guessed = await Promise.all(guesses.map((token) => statusOf(bench, token)));
    expect(guessed.filter((status) => status === 401)).toHaveLength(20);
    const free = await startBench();
    const tokens = await Promise.all(
      Array.from({ length: 50 }, (_, at) => free.token({ sub: `user-${at}` })),
    );
    expect(new Set(await Promise.all(tokens.map((token) => statusOf(free, token))))).toEqual(new Set([200]));
  });

  test('a token that has merely expired is no guess, no credential neither', async () => {
    const bench = await startBench();
    const expired = await bench.token({ exp: Math.floor(bench.clock.wallNow() / 1000) - 60 });
    for (let at = 0; at < 25; at++) {
      expect(await statusOf(bench, expired)).toBe(401);
      expect((await bench.answer('/me', { token: null })).status).toBe(401);
    }
    expect(await statusOf(bench, await bench.token())).toBe(200);
  });

  test('a token that has merely expired is no guess while its secret is being replaced by another', async () => {
    const next = 'the secret that comes next, longer than 32 bytes';
    const bench = await startBench({
      auth: { jwt: { secret: [secret, next], issuer: false, audience: false } },
    });
    const expired = await bench.token({ exp: Math.floor(bench.clock.wallNow() / 1000) - 60 });
    for (let at = 0; at < 25; at++) expect(await statusOf(bench, expired)).toBe(401);
    expect(await statusOf(bench, await bench.token())).toBe(200);
  });
});
