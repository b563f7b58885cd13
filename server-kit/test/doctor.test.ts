import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import express from 'express';
import { SignJWT } from 'jose';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { openAdvisories } from '../src/doctor/advisories.ts';
import { isPublicAddress, isWeakSecret, trustsTooMuch } from '../src/doctor/judge.ts';
import { ziggieExpress } from '../src/express.ts';
import type { ServerKitOptions } from '../src/index.ts';
import { createSqliteStores } from '../src/stores-sqlite.ts';
import { listen } from './doors/hosts.ts';
import { closeLater, createTestClock, question, startBench, startWithFake, token } from './stream-harness.ts';

const strong = 'S0m3-l0ng-r4nd0m+text/w1th:m4ny;signs,QZXJ';
const jwt = (secret: string): ServerKitOptions['auth'] => ({
  jwt: { secret, issuer: false, audience: false },
});
const said = (bench: { log: { level: string; code?: unknown }[] }) =>
  bench.log.filter(({ level }) => level === 'warn').map(({ code }) => code);
/** Everything that is looked at later has been looked at. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 100));

afterEach(() => vi.unstubAllEnvs());

describe('the doctor', () => {
  test('has nothing to say about a good set-up', async () => {
    const bench = await startWithFake({ doctor: true });
    for (let at = 0; at < 3; at++) await bench.get('/models');
    await settled();
    expect(said(bench)).toEqual([]);
  });

  test('says a weak secret once, with a cure, and not the secret', async () => {
    const secret = 'my-secret-key-and-other-words-of-a-guide';
    const bench = await startWithFake({ doctor: true, auth: jwt(secret) });
    for (let at = 0; at < 3; at++) await bench.get('/health/live');
    await settled();
    expect(said(bench)).toEqual(['weak_secret']);
    expect(bench.log.find(({ level }) => level === 'warn')).toMatchObject({
      cure: expect.stringContaining('openssl rand'),
      docs: 'docs/errors.md#weak_secret',
    });
    expect(JSON.stringify(bench.log)).not.toContain(secret);
  });

  test('says it of options that came later', async () => {
    const bench = await startWithFake({ doctor: true });
    await bench.get('/health/live');
    const logger = {
      info() {},
      error() {},
      warn: (fields: object) => void bench.log.push({ level: 'warn', ...fields }),
    };
    bench.kit.reload({
      upstreams: [{ url: bench.ollama.url }],
      auth: jwt('my-secret-key-my-secret-key-my-secret-key!'),
      logger,
    });
    await bench.get('/health/live');
    expect(said(bench)).toEqual(['weak_secret']);
  });

  test.each([
    ['pm2', true, undefined],
    ['pm2 with stores that are shared', false, 'sqlite'],
    ['pm2 with limits that are shared, and nothing else', true, 'limits'],
    ['one process', false, undefined],
  ])('says that memory is not shared: %s', async (name, expected, stores) => {
    if (name !== 'one process') vi.stubEnv('NODE_APP_INSTANCE', '0');
    const opened = stores === undefined ? undefined : createSqliteStores({ path: ':memory:' });
    const bench = await startWithFake({
      doctor: true,
      stores: stores === 'limits' ? { limits: opened?.stores.limits } : opened?.stores,
    });
    await bench.get('/health/live');
    expect(said(bench)).toEqual(expected ? ['memory_store_shared'] : []);
    closeLater(async () => opened?.close());
  });

  test('says a version with holes, by name', async () => {
    const bench = await startWithFake({ doctor: true }, { version: '0.11.4' });
    await bench.get('/health/live');
    await expect.poll(() => said(bench)).toEqual(['upstream_outdated']);
    expect(bench.log.at(-1)).toMatchObject({ advisories: ['CVE-2026-7482'] });
  });

  test('says a clock that is off', async () => {
    const bench = await startWithFake({
      doctor: true,
      clock: { ...createTestClock(), wallNow: () => Date.now() - 120_000 } as never,
    });
    await bench.get('/health/live');
    await expect.poll(() => said(bench)).toEqual(['clock_off']);
  });

  // The model server's clock is the machine's own: the kit's is not moved, the issuer's is.
  const issuedWith = async (claims: Record<string, number>) =>
    new SignJWT({ sub: 'ada', exp: Math.floor(Date.now() / 1000) + 7200, ...claims })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(strong));
  const seconds = (offset: number) => Math.floor(Date.now() / 1000) + offset;

  test.each([
    ['made in two minutes', { iat: seconds(120) }, 200, ['issuer_clock_off']],
    ['good in two minutes', { nbf: seconds(120) }, 401, ['issuer_clock_off']],
    ['made half a minute ahead', { iat: seconds(30) }, 200, []],
    ['made an hour ago', { iat: seconds(-3600), nbf: seconds(-3600) }, 200, []],
  ])('a token %s says what the clock of its issuer is', async (_name, claims, status, expected) => {
    const bench = await startWithFake({ doctor: true, auth: jwt(strong) });
    const authorization = `Bearer ${await issuedWith(claims)}`;
    const ask = (value: string) =>
      bench.kit.handle(new Request('http://x/', { headers: { authorization: value } }), {
        remoteAddress: '192.0.2.7',
        encrypted: false,
        target: '/me',
        rawHeaders: [],
      });
    expect((await ask(authorization))?.status).toBe(status);
    for (let at = 0; at < 3; at++) await bench.get('/health/live');
    await settled();
    expect(said(bench)).toEqual(expected);
    expect(JSON.stringify(bench.log)).not.toContain(authorization.slice(7));
  });

  test('a token that nobody signed says nothing about clocks', async () => {
    const bench = await startWithFake({ doctor: true, auth: jwt(strong) });
    const forged = await new SignJWT({ sub: 'ada', iat: seconds(9999), exp: seconds(99_999) })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode('another secret of more than 32 bytes, too'));
    await bench.ask('/chat', question(), { headers: { authorization: `Bearer ${forged}` } });
    await bench.get('/health/live');
    await settled();
    expect(said(bench)).toEqual([]);
  });

  test.each([
    ['the present', 0, 0, []],
    ['two minutes ago', -120, 0, ['issuer_clock_off']],
    ['two minutes ahead', 120, 0, ['issuer_clock_off']],
    ['an hour ago, out of a cache that has had it for an hour', -3600, 3600, []],
  ])('a key set from %s says what the clock of its issuer is', async (_name, offset, age, expected) => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const issuer = await listen(
      createServer((_request, response) => {
        response.setHeader('date', new Date(Date.now() + offset * 1000).toUTCString());
        if (age > 0) response.setHeader('age', age);
        response.end(JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'a' }] }));
      }),
    );
    closeLater(issuer.close);
    const bench = await startWithFake({
      doctor: true,
      auth: {
        jwt: {
          jwksUrl: `http://127.0.0.1:${issuer.port}/jwks`,
          algorithms: ['ES256'],
          issuer: false,
          audience: false,
        },
      },
    });
    const token = await new SignJWT({ sub: 'ada', exp: seconds(600) })
      .setProtectedHeader({ alg: 'ES256', kid: 'a' })
      .sign(privateKey);
    const answer = await bench.ask(
      '/chat',
      { ...question(), stream: false },
      { headers: { authorization: `Bearer ${token}` } },
    );
    expect(answer.status).toBe(200);
    await answer.text();
    await bench.get('/health/live');
    await settled();
    expect(said(bench)).toEqual(expected);
  });

  test('says a model server in public, and is not held up by one that does not answer', async () => {
    // TEST-NET addresses are reserved, so the judge is asked with one that is not; nothing is sent to it before the test ends.
    const bench = startBench('http://8.8.8.8:11434', { doctor: true, timeouts: { connectMs: 50 } });
    const began = performance.now();
    await bench.get('/health/live');
    expect(performance.now() - began).toBeLessThan(1000);
    await expect.poll(() => said(bench)).toEqual(['upstream_public']);
  });

  test('says a parser in front and a trustProxy that is too wide', async () => {
    const bench = await startWithFake({ doctor: true });
    const app = express();
    app.use(express.json());
    app.use('/llm', ziggieExpress(bench.kit, { trustProxy: ['0.0.0.0/1'] }));
    const running = await listen(createServer(app));
    closeLater(running.close);
    for (let at = 0; at < 2; at++) {
      const response = await fetch(`http://127.0.0.1:${running.port}/llm/chat`, {
        method: 'POST',
        headers: { authorization: `Bearer ${await token()}`, 'content-type': 'application/json' },
        body: JSON.stringify({ ...question(), stream: false }),
      });
      expect(response.status).toBe(200);
    }
    expect(said(bench)).toEqual(['body_parser_in_front', 'trust_proxy_wide']);
  });

  test('can be told to be quiet, and a logger that throws fails no request', async () => {
    const quiet = await startWithFake({
      doctor: false,
      auth: jwt('my-secret-key-and-other-words-of-a-guide'),
    });
    await quiet.get('/health/live');
    expect(said(quiet)).toEqual([]);
    const throwing = () => {
      throw new Error('full');
    };
    const bench = await startWithFake({
      doctor: true,
      auth: jwt('my-secret-key-and-other-words-of-a-guide'),
      logger: { info: throwing, warn: throwing, error: throwing },
    });
    expect((await bench.get('/health/live')).status).toBe(200);
  });
});

describe('its judgement', () => {
  test.each([
    [undefined, false],
    [1, false],
    [4, false],
    [5, true],
    [
      ['127.0.0.1', '::1', '10.0.0.0/8', '192.168.0.0/16', 'fd00::/8'.replace('/8', '/48'), '203.0.113.0/24'],
      false,
    ],
    [['0.0.0.0/1'], true],
    [['52.0.0.0/8'], true],
    [['2000::/3'], true],
    [['10.0.0.0/7'], true],
  ])('trustProxy %j believes too much: %s', (trust, expected) => {
    expect(trustsTooMuch(trust)).toBe(expected);
  });

  test.each([
    ['a'.repeat(64), true],
    ['0123456789'.repeat(4), true],
    ['your-256-bit-secret-your-256-bit-secret!', true],
    ['correct horse battery staple passw0rd 123', true],
    [strong, false],
    ['5Yq0mP2vGk3c9Ql7ZrW1tXn8BdHs4LfJ6uOaEiT+Kx0=', false],
  ])('%s is weak: %s', (secret, expected) => {
    expect(isWeakSecret(secret)).toBe(expected);
    expect(isWeakSecret(new TextEncoder().encode(secret))).toBe(expected);
  });

  test.each([
    ['0.1.28', ['CVE-2024-28224', 'CVE-2024-37032', 'CVE-2024-39720', 'CVE-2024-45436', 'CVE-2026-7482']],
    ['0.1.33', ['CVE-2024-37032', 'CVE-2024-39720', 'CVE-2024-45436', 'CVE-2026-7482']],
    ['0.1.45', ['CVE-2024-39720', 'CVE-2024-45436', 'CVE-2026-7482']],
    ['0.1.46', ['CVE-2024-45436', 'CVE-2026-7482']],
    ['0.1.47', ['CVE-2026-7482']],
    ['0.17.1-rc0', ['CVE-2026-7482']],
    ['0.17.0', ['CVE-2026-7482']],
    ['0.17.1', []],
    ['0.33.0-rc1', []],
    ['1.0.0', []],
    ['0.0.0', ['CVE-2024-28224', 'CVE-2024-37032', 'CVE-2024-39720', 'CVE-2024-45436', 'CVE-2026-7482']],
    ['my build', []],
  ])('Ollama %s is open to %j', (version, expected) => {
    expect(openAdvisories(version)).toEqual(expected);
  });

  test.each([
    ['127.0.0.1', false],
    ['10.1.2.3', false],
    ['172.20.0.2', false],
    ['192.168.1.1', false],
    ['100.64.0.1', false],
    ['::1', false],
    ['fd00::1', false],
    ['::ffff:10.0.0.1', false],
    ['::ffff:8.8.8.8', true],
    ['8.8.8.8', true],
    ['2600::1', true],
  ])('%s is public: %s', (address, expected) => expect(isPublicAddress(address)).toBe(expected));
});
