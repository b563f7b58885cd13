import { describe, expect, test } from 'vitest';
import { createServerKit, type ServerKitOptions } from '../src/index.ts';
import { secret, startBench } from './harness.ts';

const upstreams = [{ url: 'http://127.0.0.1:11434' }];
const jwt = { secret, issuer: 'https://app.example', audience: 'app' };

function messageOf(options: unknown): string {
  try {
    createServerKit(options as ServerKitOptions);
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(TypeError);
    return (thrown as TypeError).message;
  }
  throw new Error('createServerKit() accepted the options.');
}

describe('createServerKit() names each wrong option by its path', () => {
  test.each<[string, unknown, string[]]>([
    ['nothing', undefined, ['options:']],
    ['no upstream', { upstreams: [] }, ['upstreams: must name at least one model server']],
    ['two upstreams of one address', { upstreams: [upstreams[0], upstreams[0]] }, ['two upstreams are']],
    ['a name with a slash', { upstreams: [{ ...upstreams[0], name: 'marker/a' }] }, ['upstreams.0.name']],
    ['no slots', { upstreams: [{ ...upstreams[0], slots: 0 }] }, ['upstreams.0.slots']],
    [
      'an API key of two lines',
      { upstreams: [{ ...upstreams[0], apiKey: 'marker\nx' }] },
      ['upstreams.0.apiKey'],
    ],
    ['a cache for everybody', { upstreams, cache: { scope: 'marker' } }, ['cache.scope']],
    [
      'answers that are kept for ever',
      { upstreams, cache: { ttlMs: Number.POSITIVE_INFINITY } },
      ['cache.ttlMs'],
    ],
    ['not a URL', { upstreams: [{ url: 'marker-gpu' }] }, ['upstreams.0.url: must be an http']],
    ['another scheme', { upstreams: [{ url: 'file:///marker' }] }, ['upstreams.0.url']],
    ['a password in the URL', { upstreams: [{ url: 'http://a:marker@gpu' }] }, ['upstreams.0.url']],
    ['a query in the URL', { upstreams: [{ url: 'http://gpu/?marker' }] }, ['upstreams.0.url']],
    [
      'a short secret',
      { upstreams, auth: { jwt: { ...jwt, secret: 'marker' } } },
      ['auth.jwt.secret: must be at least 32 bytes'],
    ],
    [
      'no secret, as when its variable is not set',
      { upstreams, auth: { jwt: { ...jwt, secret: undefined } } },
      ['auth.jwt.secret: is missing', 'openssl rand -base64 48'],
    ],
    [
      'no issuer',
      { upstreams, auth: { jwt: { secret, audience: 'app' } } },
      ['auth.jwt.issuer: must be the expected'],
    ],
    [
      'no audience',
      { upstreams, auth: { jwt: { secret, issuer: 'app' } } },
      ['auth.jwt.audience: must be the expected'],
    ],
    ['an empty issuer', { upstreams, auth: { jwt: { ...jwt, issuer: '' } } }, ['auth.jwt.issuer']],
    [
      'a leeway of hours',
      { upstreams, auth: { jwt: { ...jwt, leewaySeconds: 7200 } } },
      ['auth.jwt.leewaySeconds'],
    ],
    [
      'an origin with a path',
      { upstreams, cors: { origins: ['https://marker.example/'] } },
      ['cors.origins.0: must be an exact origin'],
    ],
    ['any origin', { upstreams, cors: { origins: ['*'] } }, ['cors.origins.0']],
    ['a limit of 0', { upstreams, limits: { requestsPerMinute: 0 } }, ['limits.requestsPerMinute']],
    ['a negative limit', { upstreams, limits: { maxInFlight: -1 } }, ['limits.maxInFlight']],
    ['a body limit of a part', { upstreams, limits: { maxBodyBytes: 1.5 } }, ['limits.maxBodyBytes']],
    ['a timeout of 0', { upstreams, timeouts: { idleMs: 0 } }, ['timeouts.idleMs']],
    ['a logger without warn', { upstreams, logger: { info() {}, error() {} } }, ['logger: must have info']],
    [
      'authenticate that is no function',
      { upstreams, authenticate: 'marker' },
      ['authenticate: must be a function'],
    ],
    ['an option that does not exist', { upstreams, trustProxy: true }, ['trustProxy']],
    [
      'two at once',
      { upstreams: [], auth: { jwt: { ...jwt, secret: 'marker' } } },
      ['upstreams:', 'auth.jwt.secret:'],
    ],
  ])('%s', (_what, options, expected) => {
    const message = messageOf(options);
    for (const part of expected) expect(message).toContain(part);
    expect(message).not.toContain('marker');
  });

  // The sixtieth of a request cannot be given out: every request would be refused for ever.
  test.each(['requestsPerMinute', 'requestsPerMinutePerAddress', 'maxInFlight'])(
    'a part of a request is no limit: %s of 0.5 is refused',
    (name) => {
      expect(messageOf({ upstreams, limits: { [name]: 0.5 } })).toContain(`limits.${name}`);
      expect(() =>
        createServerKit({ upstreams, limits: { [name]: Number.POSITIVE_INFINITY } }),
      ).not.toThrow();
    },
  );

  test('two ways to say who is asking are refused', () => {
    expect(messageOf({ upstreams, auth: { jwt }, authenticate: () => null })).toContain('not both');
  });

  test.each([
    ['a secret that is one letter', 'a'.repeat(64), 'a few characters repeated'],
    ['a public key as secret', '-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0B\n', 'PEM or JWK'],
    ['a JWK as secret', '{"kty":"RSA","n":"abcdefghijklmnopqrstuvwxyz"}', 'PEM or JWK'],
  ])('%s is refused', (_name, weak, words) => {
    expect(messageOf({ upstreams, auth: { jwt: { ...jwt, secret: weak } } })).toContain(words);
  });

  test('a secret is measured in bytes, not in characters', () => {
    expect(() =>
      createServerKit({ upstreams, auth: { jwt: { ...jwt, secret: 'äöüßéèàçñøåêîôûë' } } }),
    ).not.toThrow();
    expect(messageOf({ upstreams, auth: { jwt: { ...jwt, secret: new Uint8Array(31) } } })).toContain(
      '32 bytes',
    );
  });
});

describe('without auth and authenticate', () => {
  test.each([{}, { auth: {} }])('nobody gets in, not even with a good token: %o', async (options) => {
    const bench = await startBench({ auth: undefined, ...options });
    expect((await bench.chat()).status).toBe(401);
    expect((await bench.answer('/models')).status).toBe(401);
    expect((await bench.answer('/health/live', { token: null })).status).toBe(200);
    expect(bench.ollama.fake.report().requests).toEqual([]);
  });
});
