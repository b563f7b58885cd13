import { createHmac, createSign, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { audience, type Bench, issuer, problemIn, secret, startBench } from './harness.ts';

const part = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** A token made by hand, so that its header can say anything. */
function hs(
  payload: unknown,
  header: unknown = { alg: 'HS256', typ: 'JWT' },
  key: string | Buffer = secret,
  hash = 'sha256',
) {
  const text = `${part(header)}.${part(payload)}`;
  return `${text}.${createHmac(hash, key).update(text).digest('base64url')}`;
}

function claims(bench: Bench, more: Record<string, unknown> = {}): Record<string, unknown> {
  const now = Math.floor(bench.clock.wallNow() / 1000);
  return { sub: 'ada', iss: issuer, aud: audience, exp: now + 60, ...more };
}

async function statusOf(bench: Bench, authorization: string): Promise<number> {
  const response = await bench.answer('/models', { token: null, headers: { authorization } });
  await response.body?.cancel();
  return response.status;
}

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const publicPem = publicKey.export({ type: 'spki', format: 'pem' }) as string;

function rs(payload: unknown): string {
  const text = `${part({ alg: 'RS256', typ: 'JWT' })}.${part(payload)}`;
  return `${text}.${createSign('RSA-SHA256').update(text).sign(privateKey, 'base64url')}`;
}

type Attack = [name: string, make: (bench: Bench) => string];
const bearer = (make: (bench: Bench) => string) => (bench: Bench) => `Bearer ${make(bench)}`;
const with_ = (more: Record<string, unknown>) => bearer((bench) => hs(claims(bench, more)));
const head = (header: unknown) => bearer((bench) => hs(claims(bench), header));

const attacks: Attack[] = [
  ['an empty header', () => ''],
  ['the scheme alone', () => 'Bearer'],
  ['the scheme and a space', () => 'Bearer '],
  ['Basic', () => `Basic ${Buffer.from(`ada:${secret}`).toString('base64')}`],
  ['no scheme', (bench) => hs(claims(bench))],
  ['two tokens', (bench) => `Bearer ${hs(claims(bench))}, Bearer ${hs(claims(bench))}`],
  ['a good token and a word', (bench) => `Bearer ${hs(claims(bench))} x`],
  ['two spaces', (bench) => `Bearer  ${hs(claims(bench))}`],
  ['not a token', () => 'Bearer null'],
  [
    'another secret',
    bearer((bench) => hs(claims(bench), undefined, 'another secret, also longer than 32 bytes')),
  ],
  ['an empty secret', bearer((bench) => hs(claims(bench), undefined, ''))],
  ['alg none without signature', bearer((bench) => `${part({ alg: 'none' })}.${part(claims(bench))}.`)],
  ['alg None', head({ alg: 'None' })],
  ['alg none, signed', head({ alg: 'none' })],
  [
    'alg HS384 with the right secret',
    bearer((bench) => hs(claims(bench), { alg: 'HS384' }, secret, 'sha384')),
  ],
  [
    'alg HS512 with the right secret',
    bearer((bench) => hs(claims(bench), { alg: 'HS512' }, secret, 'sha512')),
  ],
  ['alg hs256', head({ alg: 'hs256' })],
  ['alg as a list', head({ alg: ['HS256'] })],
  ['no alg', head({ typ: 'JWT' })],
  ['alg RS256, signed with a key of theirs', bearer((bench) => rs(claims(bench)))],
  ['alg RS256 over an HMAC', head({ alg: 'RS256' })],
  ['HS256 with a public key as secret', bearer((bench) => hs(claims(bench), undefined, publicPem))],
  [
    'their key in the header',
    bearer((bench) =>
      hs(claims(bench), { alg: 'HS256', jwk: { kty: 'oct', k: part('k'.repeat(40)) } }, 'k'.repeat(40)),
    ),
  ],
  [
    'their key at an address',
    bearer((bench) => hs(claims(bench), { alg: 'HS256', jku: 'http://127.0.0.1:9/' }, 'k'.repeat(40))),
  ],
  [
    'a key id that is a path',
    bearer((bench) => hs(claims(bench), { alg: 'HS256', kid: '../../../dev/null' }, '')),
  ],
  ['a critical header that is not known', head({ alg: 'HS256', crit: ['mine'], mine: 1 })],
  ['an unencoded payload', head({ alg: 'HS256', crit: ['b64'], b64: false })],
  ['an unencoded payload that it does not call critical', head({ alg: 'HS256', b64: false })],
  ['an empty crit', head({ alg: 'HS256', crit: [] })],
  [
    'expired beyond the leeway',
    bearer((bench) => hs(claims(bench, { exp: bench.clock.wallNow() / 1000 - 31 }))),
  ],
  ['no exp', with_({ exp: undefined })],
  ['exp as text', with_({ exp: '9999999999' })],
  ['exp null', with_({ exp: null })],
  [
    'exp beyond numbers',
    bearer((bench) => hs(JSON.stringify(claims(bench)).replace(/"exp":\d+/, '"exp":-1e400'))),
  ],
  ['not valid yet', bearer((bench) => hs(claims(bench, { nbf: bench.clock.wallNow() / 1000 + 31 })))],
  ['nbf as text', with_({ nbf: '0' })],
  ['no subject', with_({ sub: undefined })],
  ['an empty subject', with_({ sub: '' })],
  ['a subject that is an object', with_({ sub: { toString: 'ada' } })],
  ['a subject that is a list', with_({ sub: ['ada'] })],
  ['a subject that is a part of a number', with_({ sub: 1.5 })],
  ['a very long subject', with_({ sub: 'a'.repeat(257) })],
  ['a subject with a line break', with_({ sub: 'ada\nroot' })],
  ['another issuer', with_({ iss: 'https://evil.example' })],
  ['no issuer', with_({ iss: undefined })],
  ['another audience', with_({ aud: 'other' })],
  ['no audience', with_({ aud: undefined })],
  ['roles as text', with_({ roles: 'admin' })],
  ['roles null', with_({ roles: null })],
  ['a role that is no text', with_({ roles: ['user', 7] })],
  ['sixty-five roles', with_({ roles: new Array(65).fill('user') })],
  ['claims that are a list', bearer(() => hs([]))],
  ['claims that are no JSON', bearer(() => hs('not json'))],
  ['a nested token', bearer((bench) => hs(hs(claims(bench)), { alg: 'HS256', cty: 'JWT' }))],
  [
    'an encrypted token',
    bearer(() => `${part({ alg: 'dir', enc: 'A256GCM' })}..${part('iv')}.${part('text')}.${part('tag')}`),
  ],
  ['an oversized token', bearer((bench) => hs(claims(bench, { filler: 'x'.repeat(9000) })))],
  ['cut in the signature', bearer((bench) => hs(claims(bench)).slice(0, -1))],
  ['without signature', bearer((bench) => hs(claims(bench)).split('.').slice(0, 2).join('.'))],
  ['an empty signature', bearer((bench) => `${hs(claims(bench)).split('.').slice(0, 2).join('.')}.`)],
  [
    'a signature of another token',
    bearer((bench) =>
      [
        ...hs(claims(bench, { sub: 'eve' }))
          .split('.')
          .slice(0, 2),
        hs(claims(bench)).split('.')[2],
      ].join('.'),
    ),
  ],
];

describe('tokens', () => {
  test('a good one gets in', async () => {
    const bench = await startBench();
    expect(await statusOf(bench, `Bearer ${hs(claims(bench))}`)).toBe(200);
    expect(await statusOf(bench, `bearer ${hs(claims(bench))}`)).toBe(200);
    expect(await statusOf(bench, `Bearer ${hs(claims(bench, { sub: 42 }))}`)).toBe(200);
    expect(await statusOf(bench, `Bearer ${hs(claims(bench, { aud: ['x', audience] }))}`)).toBe(200);
  });

  test(`${attacks.length} wrong ones do not, and all get the same answer`, async () => {
    const bench = await startBench({ limits: { failedSignInsPerMinute: Number.POSITIVE_INFINITY } });
    const answers = new Set<string>();
    for (const [name, make] of attacks) {
      const response = await bench.answer('/models', {
        token: null,
        headers: { authorization: make(bench), 'x-request-id': 'the-same-id' },
      });
      expect.soft(response.status, name).toBe(401);
      expect(response.headers.get('www-authenticate')).toBe('Bearer');
      answers.add(await response.text());
    }
    const none = await bench.answer('/models', { token: null, headers: { 'x-request-id': 'the-same-id' } });
    answers.add(await none.text());
    expect([...answers]).toHaveLength(1);
    expect(bench.ollama.fake.report().requests).toEqual([]);
    expect(bench.logs.every(({ fields }) => typeof fields['reason'] === 'string')).toBe(true);
    // No token, no claim and nothing of the secret in the log.
    expect(JSON.stringify(bench.logs)).not.toMatch(/eyJ|ada|evil\.example|a secret for tests/);
  });

  test('the issuer and the audience are any when the options say so in words', async () => {
    const bench = await startBench({ auth: { jwt: { secret, issuer: false, audience: false } } });
    expect(await statusOf(bench, `Bearer ${hs(claims(bench, { iss: 'x', aud: undefined }))}`)).toBe(200);
  });

  test('other claims can name the subject and the roles', async () => {
    const bench = await startBench({
      auth: { jwt: { secret, issuer, audience, subjectClaim: 'user_id', rolesClaim: 'groups' } },
    });
    expect(await statusOf(bench, `Bearer ${hs(claims(bench, { user_id: 'u1' }))}`)).toBe(200);
    expect(bench.logs.at(-1)?.fields['principal']).toBe('u1');
    expect(await statusOf(bench, `Bearer ${hs(claims(bench))}`)).toBe(401);
    expect(await statusOf(bench, `Bearer ${hs(claims(bench, { user_id: 'u1', groups: ['x'] }))}`)).toBe(403);
  });

  test('a clock may differ by the leeway and no more, before and after', async () => {
    const bench = await startBench();
    const now = bench.clock.wallNow() / 1000;
    expect(await statusOf(bench, `Bearer ${hs(claims(bench, { exp: now - 29 }))}`)).toBe(200);
    expect(await statusOf(bench, `Bearer ${hs(claims(bench, { exp: now - 30 }))}`)).toBe(401);
    expect(await statusOf(bench, `Bearer ${hs(claims(bench, { nbf: now + 30 }))}`)).toBe(200);
    expect(await statusOf(bench, `Bearer ${hs(claims(bench, { nbf: now + 31 }))}`)).toBe(401);
  });

  test('a token that was accepted dies with its exp', async () => {
    const bench = await startBench();
    const good = `Bearer ${hs(claims(bench))}`;
    expect(await statusOf(bench, good)).toBe(200);
    bench.clock.advance(89_000);
    expect(await statusOf(bench, good)).toBe(200);
    bench.clock.advance(1_000);
    expect(await statusOf(bench, good)).toBe(401);
  });

  test('an accepted token opens nothing for one that differs in any character', async () => {
    const none = Number.POSITIVE_INFINITY;
    const bench = await startBench({
      limits: { requestsPerMinutePerAddress: none, failedSignInsPerMinute: none },
    });
    const good = hs(claims(bench));
    expect(await statusOf(bench, `Bearer ${good}`)).toBe(200);
    await fc.assert(
      fc.asyncProperty(
        // The last character of a signature carries two bits that mean nothing; it is left alone.
        fc.nat({ max: good.length - 2 }),
        fc.constantFrom(...'ABCxyz019-_.'),
        async (at, character) => {
          fc.pre(good[at] !== character);
          const forged = good.slice(0, at) + character + good.slice(at + 1);
          expect(await statusOf(bench, `Bearer ${forged}`)).toBe(401);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('the refusal is a problem that tells what to send', async () => {
    const bench = await startBench();
    const problem = await problemIn(await bench.answer('/models', { token: null }));
    expect(problem).toMatchObject({ code: 'unauthorized', status: 401, retryable: false });
    expect(problem.detail).toContain('Authorization: Bearer');
  });
});
