import { allowed, discovery } from './read-discovery.ts';
import { upstreams } from './read-upstreams.ts';
import {
  cacheScopes,
  hedge,
  hosts,
  jwtAlgorithms,
  kinds,
  list,
  number,
  origins,
  prefix,
  proxies,
  text,
  truth,
  url,
} from './readers.ts';

/** What a variable's text becomes. Throws an Error whose message ends "must be …". */
export type ReadValue<T> = (text: string) => T;

/** One variable of the environment. */
export interface Variable<T> {
  name: string;
  read: ReadValue<T>;
  /** For the table: what is taken when it is not set. */
  default: string;
  /** For the table. */
  about: string;
  /** May come from a file: `<NAME>_FILE` holds its path. */
  secret?: boolean;
}

const variable = <T>(
  name: string,
  read: ReadValue<T>,
  byDefault: string,
  about: string,
  more: { secret?: boolean } = {},
): Variable<T> => ({ name, read, default: byDefault, about, ...more });

const whole = number({ min: 1, isWhole: true });
const rate = number({ min: 1, isWhole: true, mayBeInfinite: true });
const ms = number({ min: 1, max: 86_400_000 });

/** Every variable that is read. The table in docs/configuration.md is made of these. */
export const variables = {
  port: variable('PORT', number({ min: 0, max: 65_535, isWhole: true }), '3000', 'port to listen on'),
  host: variable('HOST', hosts, '127.0.0.1', 'address to listen on; `0.0.0.0` in a container'),
  prefix: variable('MOUNT', prefix, '/api/llm', 'path that the kit is mounted at'),
  trustProxy: variable(
    'TRUST_PROXY',
    proxies,
    'nobody',
    'proxies in front: how many, or their addresses and CIDRs, comma-separated',
  ),
  upstreams: variable(
    'UPSTREAMS',
    upstreams,
    'http://127.0.0.1:11434',
    'the model servers, comma-separated, each with its settings as a query: `http://gpu-1:11434?slots=4,https://api.example?dialect=openai` (`name`, `dialect`, `cacheSalt`, `slots`, `maxInFlight`, `weight`); or a JSON list of the option `upstreams`, which may have `apiKey` too',
    { secret: true },
  ),
  discovery: variable(
    'UPSTREAMS_DISCOVERY',
    discovery,
    'nobody looks',
    'where more model servers are found while it runs: `dns+srv://_ollama._tcp.gpu.internal`, `file:/path/to/list.json` or `kubernetes://namespace/service:port`, with settings for all as a query: `?slots=4` (`dialect`, `cacheSalt`, `slots`, `maxInFlight`, `weight`, `scheme`, `everySeconds`)',
  ),
  discoveryAllow: variable(
    'UPSTREAMS_DISCOVERY_ALLOW',
    list(allowed),
    'private networks',
    'where those may be: CIDRs, host names and `*.domains`, comma-separated',
  ),
  discoveryApiKey: variable(
    'UPSTREAMS_DISCOVERY_API_KEY',
    text,
    'none',
    'sent as a bearer token to every server that is found',
    { secret: true },
  ),
  jwtSecret: variable('JWT_SECRET', text, '', 'secret that tokens are signed with, at least 32 bytes', {
    secret: true,
  }),
  jwtPublicKey: variable('JWT_PUBLIC_KEY', text, '', 'public key of the signer, as PEM', { secret: true }),
  jwksUrl: variable('JWKS_URL', url, '', 'where the signer publishes its keys'),
  jwtAlgorithms: variable(
    'JWT_ALGORITHMS',
    list(jwtAlgorithms),
    'by the kind of key',
    'algorithms that are accepted, comma-separated',
  ),
  jwtIssuer: variable('JWT_ISSUER', text, 'required with a key', 'expected `iss`; `false` for any'),
  jwtAudience: variable('JWT_AUDIENCE', text, 'required with a key', 'expected `aud`; `false` for any'),
  jwtSubjectClaim: variable('JWT_SUBJECT_CLAIM', text, 'sub', 'claim that names the principal'),
  jwtRolesClaim: variable('JWT_ROLES_CLAIM', text, 'roles', 'claim with the list of roles'),
  jwtTenantClaim: variable('JWT_TENANT_CLAIM', text, 'none', 'claim that names the tenant'),
  pepper: variable(
    'API_KEY_PEPPER',
    text,
    'no API keys',
    'secret that hashes of API keys are made with, at least 32 bytes',
    { secret: true },
  ),
  store: variable(
    'STORE',
    text,
    'memory',
    'where keys, limits, revocations and tickets are kept: `memory`, `sqlite:<path>` or `redis`',
  ),
  storeStreams: variable(
    'STORE_STREAMS',
    truth,
    'false',
    'whether the SQLite file has answers too, so that readers go on in another process of the machine or after a restart; Redis always has',
  ),
  redisUrl: variable(
    'REDIS_URL',
    text,
    '',
    'such as `redis://127.0.0.1:6379`; makes `redis` the default of `STORE`',
    { secret: true },
  ),
  redisNodes: variable('REDIS_NODES', whole, '1', 'processes that share the Redis'),
  redisDeadlineMs: variable(
    'REDIS_DEADLINE_MS',
    ms,
    '50',
    'longest that an answer of Redis is waited for; then rates go on by themselves and quotas refuse',
  ),
  requestsPerMinute: variable('REQUESTS_PER_MINUTE', rate, '60', 'per principal; `Infinity` for none'),
  requestsPerMinutePerAddress: variable(
    'REQUESTS_PER_MINUTE_PER_ADDRESS',
    rate,
    '600',
    'before any credential is looked at; `Infinity` for none',
  ),
  maxInFlight: variable('MAX_IN_FLIGHT', rate, '8', 'answers at once per principal; `Infinity` for none'),
  queueMaxPerModel: variable(
    'QUEUE_MAX_PER_MODEL',
    number({ min: 0, max: 100_000, isWhole: true }),
    '100',
    'requests that may wait for one model; 0 refuses at once',
  ),
  queueMaxWaitMs: variable('QUEUE_MAX_WAIT_MS', ms, '300000', 'longest wait for a place, loads not counted'),
  hedgeAfterMs: variable(
    'HEDGE_AFTER_MS',
    hedge,
    'never',
    'after how much silence before the first token a second server that has the model is asked; `learned` for what 19 of 20 take',
  ),
  continueModels: variable(
    'CONTINUE_MODELS',
    list(text),
    'none',
    'models, by name or beginning (`llama3.2*`), whose answers another Ollama goes on with when theirs dies: those whose template leaves the last message of an assistant open',
  ),
  tokensPerDay: variable('TOKENS_PER_DAY', whole, 'no limit', 'tokens per user and calendar day'),
  timeZone: variable('TIME_ZONE', text, 'UTC', 'whose calendar days follow, such as `Europe/Berlin`'),
  maxBodyBytes: variable('MAX_BODY_BYTES', whole, '1048576', 'longest body without images'),
  maxImageBodyBytes: variable('MAX_IMAGE_BODY_BYTES', whole, '20971520', 'longest body with images'),
  corsOrigins: variable(
    'CORS_ORIGINS',
    list(origins),
    'none',
    'exact origins that may call from a browser, comma-separated',
  ),
  sockets: variable('SOCKETS', truth, 'true', 'whether `/ws` is served'),
  redactInput: variable(
    'REDACT_INPUT',
    list(kinds),
    'nothing',
    'of email, phone, card, iban, key: what is replaced in prompts',
  ),
  redactOutput: variable('REDACT_OUTPUT', list(kinds), 'nothing', 'what is replaced in answers'),
  connectMs: variable('CONNECT_TIMEOUT_MS', ms, '2000', 'to the model server'),
  loadMs: variable('LOAD_TIMEOUT_MS', ms, '600000', 'a model that is brought into memory'),
  firstTokenMs: variable('FIRST_TOKEN_TIMEOUT_MS', ms, '300000', 'after the load'),
  idleMs: variable('IDLE_TIMEOUT_MS', ms, '60000; 180000 with tools or a format', 'between tokens'),
  heartbeatMs: variable('HEARTBEAT_MS', ms, '10000', 'a byte at least this often on an open stream'),
  resume: variable('RESUME', truth, 'true', 'whether answers survive a lost connection'),
  resumeGraceMs: variable(
    'RESUME_GRACE_MS',
    ms,
    '30000',
    'how long an answer is written on after its last reader has gone',
  ),
  modelAdmin: variable(
    'MODEL_ADMIN',
    truth,
    'true',
    'whether administrators may pull, load and delete models on `/admin/models`',
  ),
  modelPull: variable(
    'MODEL_PULL',
    list(text),
    '`*`',
    'what may be pulled: names or beginnings such as `llama3*`, comma-separated',
  ),
  modelRegistries: variable(
    'MODEL_REGISTRIES',
    list(text),
    'none',
    'hosts that the name of a model may begin with, such as `hf.co`: the model servers call them',
  ),
  cache: variable(
    'CACHE',
    truth,
    'false',
    'whether answers are kept for those of one tenant who ask the same, and shared while they are written',
  ),
  cacheScope: variable(
    'CACHE_SCOPE',
    cacheScopes,
    'tenant',
    'who shares an answer: `tenant`, or only one `user`',
  ),
  cacheModels: variable(
    'CACHE_MODELS',
    list(text),
    'all',
    'models whose answers may be kept and shared: names, or beginnings such as `llama3*`, comma-separated',
  ),
  cacheKeep: variable('CACHE_KEEP', truth, 'true', '`false` only shares answers that are being written'),
  cacheCoalesce: variable(
    'CACHE_COALESCE',
    truth,
    'true',
    'whether equal requests at the same time share one generation',
  ),
  cacheSampled: variable(
    'CACHE_SAMPLED',
    truth,
    'false',
    'also requests that sample: a temperature above 0 and no seed',
  ),
  cacheTtlMs: variable(
    'CACHE_TTL_MS',
    number({ min: 1000, max: 2_592_000_000 }),
    '3600000',
    'how long an answer is kept',
  ),
  cacheMaxEntries: variable(
    'CACHE_MAX_ENTRIES',
    number({ min: 1, max: 1_000_000, isWhole: true }),
    '10000',
    'answers that are kept',
  ),
  cacheMaxBytes: variable(
    'CACHE_MAX_BYTES',
    number({ min: 1024, isWhole: true }),
    '67108864',
    'of all answers that are kept together',
  ),
  cacheSemanticModel: variable(
    'CACHE_SEMANTIC_MODEL',
    text,
    'none',
    'the embedding model that finds questions which mean the same',
  ),
  cacheSemanticThreshold: variable(
    'CACHE_SEMANTIC_THRESHOLD',
    number({ min: 0.01, max: 1 }),
    '0.95',
    'least cosine that counts as the same; depends on the model',
  ),
  drainMs: variable(
    'DRAIN_MS',
    number({ min: 0, max: 86_400_000 }),
    '8000',
    'how long a stop waits for answers; below what the platform gives (Docker: 10 s)',
  ),
} as const;

/** The values that were set. */
export type Values = {
  [Key in keyof typeof variables]?: ReturnType<(typeof variables)[Key]['read']> | undefined;
};
