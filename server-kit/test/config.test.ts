import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { environmentExample, environmentTable } from '../src/config/environment-table.ts';
import { variables } from '../src/config/variables.ts';
import { configFromEnv, createServerKit } from '../src/index.ts';

const secret = 'a secret for tests, longer than 32 bytes';
const signed = { JWT_SECRET: secret, JWT_ISSUER: 'app', JWT_AUDIENCE: 'false' };
const problemsOf = (env: Record<string, string>) => {
  try {
    configFromEnv(env);
  } catch (thrown) {
    return (thrown as TypeError).message;
  }
  throw new Error('The environment was accepted.');
};

describe('the environment', () => {
  test('that says nothing gives the defaults, and lets nobody in', async () => {
    const config = configFromEnv({ PORT: '', STORE: '  ', PATH: '/bin' });
    expect(config).toMatchObject({
      listen: { port: 3000, host: '127.0.0.1' },
      prefix: '/api/llm',
      trustProxy: undefined,
      store: { kind: 'memory' },
      options: { upstreams: [{ url: 'http://127.0.0.1:11434' }] },
    });
    await createServerKit(config.options).close();
  });

  test.each([
    ['http://gpu-1:11434', [{ url: 'http://gpu-1:11434' }]],
    [
      ' http://gpu-1:11434/ , http://gpu-2:11434?slots=4&name=gpu-2 ,',
      [{ url: 'http://gpu-1:11434/' }, { url: 'http://gpu-2:11434', slots: 4, name: 'gpu-2' }],
    ],
    [
      'http://a:1,https://api.example/v1?dialect=openai&weight=0.5&maxInFlight=9',
      [
        { url: 'http://a:1' },
        { url: 'https://api.example/v1', dialect: 'openai', weight: 0.5, maxInFlight: 9 },
      ],
    ],
    [
      '[{"url":"https://api.example","dialect":"openai","apiKey":"sk-x"},{"url":"http://a:1","slots":2}]',
      [
        { url: 'https://api.example', dialect: 'openai', apiKey: 'sk-x' },
        { url: 'http://a:1', slots: 2 },
      ],
    ],
  ])('UPSTREAMS=%s are model servers', async (text, expected) => {
    const { options } = configFromEnv({ UPSTREAMS: text });
    expect(options.upstreams).toEqual(expected);
    await createServerKit(options).close();
    const fromFile = configFromEnv({ UPSTREAMS_FILE: '/run/u' }, { readFile: () => `${text}\n` });
    expect(fromFile.options.upstreams).toEqual(expected);
  });

  test.each([
    ['gpu-1:11434', 'url: must be an http or https URL'],
    ['http://a:1,ftp://b', '(number 2) url: must be an http or https URL'],
    ['http://u:canary@a:1', 'url: must be'],
    ['http://a:1?slots=0', 'slots: '],
    ['http://a:1?slots=1e3x', 'slots: '],
    ['http://a:1?slots=', 'slots: '],
    ['http://a:1?slots=1&slots=2', 'at most once'],
    ['http://a:1?canary=1', 'nothing else'],
    ['http://a:1?dialect=canary', 'dialect: '],
    ['http://a:1?apiKey=canary', 'must not stand in an address'],
    ['http://a:1#canary', 'url: must be'],
    ['[]', 'must be URLs such as'],
    ['[{"url":"http://a:1","canary":1}]', 'nrecognized key'],
    ['["http://a:1"]', 'nvalid input'],
    ['[{"url":"http://canary', 'must be URLs such as'],
    [',', 'must be URLs such as'],
  ])('UPSTREAMS=%s is refused in words that do not repeat it', (text, words) => {
    const problem = problemsOf({ UPSTREAMS: text });
    expect(problem).toContain('UPSTREAMS ');
    expect(problem).toContain(words);
    if (!problem.includes('nrecognized')) expect(problem).not.toContain('canary');
  });

  test.each([
    'dns+srv://_ollama._tcp.gpu.internal?slots=4&scheme=https&everySeconds=5',
    'file:/etc/ziggie/upstreams.json',
    'file:///etc/ziggie/upstreams.json?dialect=openai',
    'kubernetes://ai/ollama:http?slots=2',
    'kubernetes://ai/ollama',
  ])('UPSTREAMS_DISCOVERY=%s finds more, and none need be named', (text) => {
    const { options } = configFromEnv({ UPSTREAMS_DISCOVERY: text, UPSTREAMS_DISCOVERY_API_KEY: 'sk-x' });
    expect(options.upstreams).toEqual([]);
    expect(options.discovery?.source.watch).toBeTypeOf('function');
    expect(options.discovery?.defaults?.apiKey).toBe('sk-x');
    if (text.includes('slots')) expect(options.discovery?.defaults?.slots).toBeGreaterThan(1);
  });

  test.each([
    'canary',
    'http://canary',
    'dns+srv://',
    'dns+srv://a/canary',
    'dns+srv://a:53',
    'dns+srv://a?slots=canary',
    'dns+srv://a?slots=1&slots=1',
    'dns+srv://a?canary=1',
    'dns+srv://a?apiKey=canary',
    'dns+srv://a#canary',
    'kubernetes://canary',
    'kubernetes://a/b/c',
    'kubernetes://A_canary/b',
    'file:',
    'file://host/canary',
  ])('UPSTREAMS_DISCOVERY=%s is refused in words that do not repeat it', (text) => {
    const problem = problemsOf({ UPSTREAMS_DISCOVERY: text });
    expect(problem).toContain('UPSTREAMS_DISCOVERY must ');
    expect(problem).not.toContain('canary');
  });

  test('UPSTREAMS_DISCOVERY_ALLOW says where they may be', () => {
    const found = { UPSTREAMS_DISCOVERY: 'dns+srv://a' };
    const { options } = configFromEnv({ ...found, UPSTREAMS_DISCOVERY_ALLOW: '10.0.0.0/8, *.gpu.internal' });
    expect(options.discovery?.allow).toEqual(['10.0.0.0/8', '*.gpu.internal']);
    expect(problemsOf({ ...found, UPSTREAMS_DISCOVERY_ALLOW: '0.0.0.0/0' })).toContain('CIDRs');
  });

  test('gives every variable its place', async () => {
    const config = configFromEnv({
      ...signed,
      PORT: '8080',
      HOST: '0.0.0.0',
      MOUNT: '/llm',
      TRUST_PROXY: '10.0.0.0/8, ::1',
      UPSTREAMS: 'http://gpu-1:11434',
      JWT_ALGORITHMS: 'HS256,HS512',
      JWT_SUBJECT_CLAIM: 'user_id',
      JWT_ROLES_CLAIM: 'groups',
      JWT_TENANT_CLAIM: 'org',
      API_KEY_PEPPER: secret,
      REDIS_URL: 'redis://127.0.0.1:6379',
      REDIS_NODES: '4',
      REQUESTS_PER_MINUTE: '10',
      REQUESTS_PER_MINUTE_PER_ADDRESS: 'Infinity',
      MAX_IN_FLIGHT: '2',
      TOKENS_PER_DAY: '1000',
      TIME_ZONE: 'Europe/Berlin',
      MAX_BODY_BYTES: '1000',
      MAX_IMAGE_BODY_BYTES: '2000',
      CORS_ORIGINS: 'https://a.example, https://b.example',
      SOCKETS: 'false',
      REDACT_INPUT: 'email,card',
      REDACT_OUTPUT: 'key',
      CONNECT_TIMEOUT_MS: '1',
      LOAD_TIMEOUT_MS: '2',
      FIRST_TOKEN_TIMEOUT_MS: '3',
      IDLE_TIMEOUT_MS: '4',
      HEARTBEAT_MS: '5',
      RESUME_GRACE_MS: '6',
      MODEL_PULL: 'llama3*, qwen3',
      MODEL_REGISTRIES: 'hf.co',
      DRAIN_MS: '0',
    });
    expect(config).toMatchObject({
      listen: { port: 8080, host: '0.0.0.0' },
      prefix: '/llm',
      trustProxy: ['10.0.0.0/8', '::1'],
      store: { kind: 'redis', url: 'redis://127.0.0.1:6379', nodes: 4 },
      options: {
        upstreams: [{ url: 'http://gpu-1:11434' }],
        auth: {
          jwt: {
            secret,
            issuer: 'app',
            audience: false,
            algorithms: ['HS256', 'HS512'],
            subjectClaim: 'user_id',
            rolesClaim: 'groups',
            tenantClaim: 'org',
          },
          keys: { pepper: secret },
        },
        limits: {
          requestsPerMinute: 10,
          requestsPerMinutePerAddress: Number.POSITIVE_INFINITY,
          maxInFlight: 2,
          maxBodyBytes: 1000,
          maxImageBodyBytes: 2000,
          timeZone: 'Europe/Berlin',
          rules: [{ unit: 'totalTokens', window: 'day', limit: 1000 }],
        },
        cors: { origins: ['https://a.example', 'https://b.example'] },
        modelAdmin: { pull: ['llama3*', 'qwen3'], registries: ['hf.co'] },
        sockets: { enabled: false },
        resume: { graceMs: 6 },
        content: { redact: { input: ['email', 'card'], output: ['key'] } },
        timeouts: { connectMs: 1, loadMs: 2, firstTokenMs: 3, idleMs: 4, heartbeatMs: 5, drainMs: 0 },
      },
    });
    const { jwt, ...auth } = config.options.auth ?? {};
    await createServerKit({
      ...config.options,
      auth: { ...auth, jwt: { ...(jwt as object), secret: secret.repeat(2) } as never },
    }).close();
  });

  test('RESUME=false ends answers with their connection, whatever the grace', () => {
    expect(configFromEnv({ RESUME: 'false', RESUME_GRACE_MS: '6' }).options.resume).toBe(false);
    expect(problemsOf({ RESUME_GRACE_MS: '0' })).toContain('RESUME_GRACE_MS ');
  });

  test('CACHE=true keeps answers as the others say, and without it none of them does', async () => {
    const said = {
      CACHE_SCOPE: 'user',
      CACHE_MODELS: 'llama3*, qwen3',
      CACHE_KEEP: 'true',
      CACHE_COALESCE: 'false',
      CACHE_SAMPLED: 'true',
      CACHE_TTL_MS: '1000',
      CACHE_MAX_ENTRIES: '5',
      CACHE_MAX_BYTES: '2048',
      CACHE_SEMANTIC_MODEL: 'nomic-embed-text',
      CACHE_SEMANTIC_THRESHOLD: '0.9',
    };
    expect(configFromEnv(said).options.cache).toBeUndefined();
    const { options } = configFromEnv({ ...said, CACHE: 'true' });
    expect(options.cache).toEqual({
      models: ['llama3*', 'qwen3'],
      scope: 'user',
      keep: true,
      coalesce: false,
      sampled: true,
      ttlMs: 1000,
      maxEntries: 5,
      maxBytes: 2048,
      semantic: { model: 'nomic-embed-text', threshold: 0.9 },
    });
    await createServerKit(options).close();
    expect(problemsOf({ CACHE_SEMANTIC_THRESHOLD: '1.1' })).toContain('from 0.01 to 1');
    expect(problemsOf({ CACHE_SCOPE: 'everybody' })).toContain('CACHE_SCOPE must be tenant or user');
    expect(problemsOf({ CACHE: 'yes' })).toContain('CACHE ');
  });

  test('takes secrets from files, without the new line at the end', () => {
    const files: Record<string, string> = {
      '/run/jwt': `${secret}\n`,
      '/run/redis': 'redis://:pw@r:6379\r\n',
    };
    const readFile = (path: string) => files[path] as string;
    const env = {
      JWT_SECRET_FILE: '/run/jwt',
      JWT_ISSUER: 'a',
      JWT_AUDIENCE: 'a',
      REDIS_URL_FILE: '/run/redis',
    };
    const config = configFromEnv(env, { readFile });
    expect(config.options.auth?.jwt).toMatchObject({ secret });
    expect(config.store).toMatchObject({ url: 'redis://:pw@r:6379' });
  });

  test('names every wrong variable at once, and repeats no value', () => {
    const wrong = {
      PORT: '0x50',
      MOUNT: 'api//llm',
      TRUST_PROXY: 'true',
      UPSTREAMS: 'file:///canary',
      JWT_SECRET: secret,
      JWKS_URL: 'https://canary.example/keys',
      STORE: 'canary',
      REQUESTS_PER_MINUTE: '-1',
      MAX_IN_FLIGHT: '1.5',
      CORS_ORIGINS: '*',
      SOCKETS: 'yes',
      REDACT_INPUT: 'canary',
      HEARTBEAT_MS: '1e3',
      JWT_ALGORITHMS: 'none',
      API_KEY_PEPPER_FILE: '/does/not/exist/canary',
    };
    const text = problemsOf(wrong);
    for (const name of Object.keys(wrong)) {
      if (name !== 'JWKS_URL' && name !== 'API_KEY_PEPPER_FILE')
        expect(text).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
    }
    expect(text).toContain('JWT_SECRET, JWT_PUBLIC_KEY and JWKS_URL: give one of them');
    expect(text).toContain(
      'API_KEY_PEPPER could not be read: API_KEY_PEPPER_FILE names a file that gives ENOENT',
    );
    expect(text).not.toContain('canary');
    expect(text).not.toContain(secret);
  });

  test.each([
    [{ JWT_SECRET: secret }, /JWT_ISSUER is missing.*\n.*JWT_AUDIENCE is missing/],
    [{ STORE: 'redis' }, /REDIS_URL is missing/],
    [{ REDIS_URL: 'http://x' }, /REDIS_URL must be a URL such as redis:/],
    [{ STORE: 'sqlite:' }, /STORE must be/],
    [{ JWT_SECRET: secret, JWT_SECRET_FILE: '/x' }, /JWT_SECRET and JWT_SECRET_FILE are both set/],
  ])('%j is not valid', (env, expected) => {
    expect(problemsOf(env as Record<string, string>)).toMatch(expected);
  });
});

describe('what is written about it', () => {
  const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

  test('docs/configuration.md has the table of all variables', () => {
    expect(read('docs/configuration.md')).toContain(environmentTable());
  });

  test.each(['express-gateway', 'fastify-gateway'])('.env.example of %s has them all', (name) => {
    expect(read(`examples/${name}/.env.example`)).toBe(environmentExample());
  });

  test('no two variables share a name', () => {
    const names = Object.values(variables).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});
