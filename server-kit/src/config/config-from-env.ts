import { readFileSync } from 'node:fs';
import type { JwtOptions } from '../auth/auth-types.ts';
import type { CacheOptions } from '../cache/cache-options.ts';
import type { ServerKitOptions } from '../kit-types.ts';
import { type Values, type Variable, variables } from './variables.ts';

/** What an environment says. */
export interface EnvironmentConfig {
  /** For `createServerKit` and `kit.reload`; without stores, which are opened by whoever closes them. */
  options: ServerKitOptions;
  listen: { port: number; host: string };
  /** Where to mount the kit. */
  prefix: string;
  /** For the door. */
  trustProxy: number | readonly string[] | undefined;
  store:
    | { kind: 'memory' }
    | { kind: 'sqlite'; path: string; streams: boolean }
    | { kind: 'redis'; url: string; nodes: number; deadlineMs: number };
}

/** Settings of {@link configFromEnv}. */
export interface ConfigFromEnvOptions {
  /** Gives the text of a secret's file. Default: from the disk. */
  readFile?: ((path: string) => string) | undefined;
}

const maxSecretLength = 65_536;

/**
 * Reads the kit's configuration from environment variables; docs/configuration.md lists them. Set to nothing is as good as
 * not set. A secret may stand in a file that `<NAME>_FILE` names, as container platforms give them.
 *
 * @throws {TypeError} that names each wrong variable and says what it must be. Values are never repeated.
 *
 * @example
 * const { options, listen, prefix } = configFromEnv(process.env);
 * const kit = createServerKit(options);
 */
export function configFromEnv(
  env: Readonly<Record<string, string | undefined>>,
  { readFile = (path) => readFileSync(path, 'utf8') }: ConfigFromEnvOptions = {},
): EnvironmentConfig {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, one] of Object.entries(variables) as [string, Variable<unknown>][]) {
    try {
      const text = textOf(one, env, readFile);
      if (text !== undefined) values[key] = one.read(text);
    } catch (thrown) {
      problems.push(`${one.name} ${(thrown as Error).message}`);
    }
  }
  const given = values as Values;
  const jwt = jwtOf(given, problems);
  const store = storeOf(given, problems);
  if (problems.length > 0) {
    throw new TypeError(
      `configFromEnv(): the environment is not valid.\n${problems.map((one) => `  ${one}`).join('\n')}`,
    );
  }
  return {
    options: optionsOf(given, jwt),
    listen: { port: given.port ?? 3000, host: given.host ?? '127.0.0.1' },
    prefix: given.prefix ?? '/api/llm',
    trustProxy: given.trustProxy,
    store,
  };
}

function textOf(
  { name, secret }: Variable<unknown>,
  env: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string,
): string | undefined {
  const direct = env[name]?.trim() || undefined;
  const path = secret ? env[`${name}_FILE`]?.trim() || undefined : undefined;
  if (path === undefined) return direct;
  if (direct !== undefined) throw new Error(`and ${name}_FILE are both set: give one of them`);
  let text: string;
  try {
    text = readFile(path);
  } catch (thrown) {
    const { code } = thrown as { code?: string };
    throw new Error(`could not be read: ${name}_FILE names a file that gives ${code ?? 'an error'}`);
  }
  // Editors and `echo` end a file with a new line, which is no part of a secret.
  const secretText = text.replace(/\r?\n$/, '');
  if (secretText === '' || secretText.length > maxSecretLength) {
    throw new Error(`must be 1 to ${maxSecretLength} characters in the file that ${name}_FILE names`);
  }
  return secretText;
}

function jwtOf(values: Values, problems: string[]): JwtOptions | undefined {
  const { jwtSecret: secret, jwtPublicKey: publicKey, jwksUrl } = values;
  const keys = [secret, publicKey, jwksUrl].filter((one) => one !== undefined);
  if (keys.length > 1) problems.push('JWT_SECRET, JWT_PUBLIC_KEY and JWKS_URL: give one of them');
  if (keys.length !== 1) return undefined;
  const expected = (name: string, value: string | undefined): string | false => {
    if (value === undefined) {
      problems.push(`${name} is missing: what tokens must say, or "false" to accept any in so many words`);
    }
    return value === undefined || value === 'false' ? false : value;
  };
  return {
    secret,
    publicKey,
    jwksUrl,
    issuer: expected('JWT_ISSUER', values.jwtIssuer),
    audience: expected('JWT_AUDIENCE', values.jwtAudience),
    algorithms: values.jwtAlgorithms,
    subjectClaim: values.jwtSubjectClaim,
    rolesClaim: values.jwtRolesClaim,
    tenantClaim: values.jwtTenantClaim,
  };
}

function storeOf(
  { store, storeStreams = false, redisUrl, redisNodes, redisDeadlineMs }: Values,
  problems: string[],
): EnvironmentConfig['store'] {
  const wanted = store ?? (redisUrl === undefined ? 'memory' : 'redis');
  if (wanted === 'memory') return { kind: 'memory' };
  if (wanted.startsWith('sqlite:') && wanted.length > 7)
    return { kind: 'sqlite', path: wanted.slice(7), streams: storeStreams };
  if (wanted !== 'redis') problems.push('STORE must be memory, sqlite:<path> or redis');
  else if (redisUrl === undefined) problems.push('REDIS_URL is missing: STORE is redis');
  if (redisUrl !== undefined && !/^rediss?:$/.test(URL.parse(redisUrl)?.protocol ?? '')) {
    problems.push('REDIS_URL must be a URL such as redis://127.0.0.1:6379');
  }
  return { kind: 'redis', url: redisUrl ?? '', nodes: redisNodes ?? 1, deadlineMs: redisDeadlineMs ?? 50 };
}

function optionsOf(values: Values, jwt: JwtOptions | undefined): ServerKitOptions {
  const { tokensPerDay, timeZone, pepper, redactInput, redactOutput, discovery } = values;
  return {
    upstreams: values.upstreams ?? (discovery ? [] : [{ url: 'http://127.0.0.1:11434' }]),
    discovery: discovery && {
      source: discovery.source,
      allow: values.discoveryAllow,
      defaults: { ...discovery.defaults, apiKey: values.discoveryApiKey },
    },
    auth: { jwt, keys: pepper === undefined ? undefined : { pepper } },
    limits: {
      requestsPerMinute: values.requestsPerMinute,
      requestsPerMinutePerAddress: values.requestsPerMinutePerAddress,
      maxInFlight: values.maxInFlight,
      maxBodyBytes: values.maxBodyBytes,
      maxImageBodyBytes: values.maxImageBodyBytes,
      timeZone,
      rules:
        tokensPerDay === undefined
          ? undefined
          : [
              {
                name: 'tokens-per-day',
                per: 'user',
                unit: 'totalTokens',
                window: 'day',
                limit: tokensPerDay,
              },
            ],
    },
    queue: { maxPerModel: values.queueMaxPerModel, maxWaitMs: values.queueMaxWaitMs },
    hedging: values.hedgeAfterMs,
    continuation: values.continueModels && { models: values.continueModels },
    cors: values.corsOrigins && { origins: values.corsOrigins },
    sockets: { enabled: values.sockets },
    modelAdmin:
      values.modelAdmin === false ? false : { pull: values.modelPull, registries: values.modelRegistries },
    resume: values.resume === false ? false : { graceMs: values.resumeGraceMs },
    cache: cacheOf(values),
    content: (redactInput ?? redactOutput) && { redact: { input: redactInput, output: redactOutput } },
    timeouts: {
      connectMs: values.connectMs,
      loadMs: values.loadMs,
      firstTokenMs: values.firstTokenMs,
      idleMs: values.idleMs,
      heartbeatMs: values.heartbeatMs,
      drainMs: values.drainMs ?? 8000,
    },
  };
}

/** Settings of a cache do not switch it on: whoever wants answers kept says so. */
function cacheOf(values: Values): CacheOptions | undefined {
  if (values.cache !== true) return undefined;
  return {
    models: values.cacheModels,
    scope: values.cacheScope,
    keep: values.cacheKeep,
    coalesce: values.cacheCoalesce,
    sampled: values.cacheSampled,
    ttlMs: values.cacheTtlMs,
    maxEntries: values.cacheMaxEntries,
    maxBytes: values.cacheMaxBytes,
    semantic:
      values.cacheSemanticModel === undefined
        ? undefined
        : { model: values.cacheSemanticModel, threshold: values.cacheSemanticThreshold },
  };
}
