import * as z from 'zod';
import type { ContinuationOptions } from './answer/continuation.ts';
import {
  authSchema,
  jwtSettingsOf,
  type KeySettings,
  keySettingsOf,
  rolesSchema,
} from './auth/auth-options.ts';
import type { JwtSettings } from './auth/jwt.ts';
import { defaultRoles, type RoleTable } from './auth/permissions.ts';
import { type CacheSettings, cacheSchema, cacheSettings } from './cache/cache-options.ts';
import { type Clock, systemClock } from './clock.ts';
import { Content } from './content/content.ts';
import type { ContentOptions } from './content/content-options.ts';
import { redactKinds } from './content/detectors.ts';
import type { DiscoverySettings } from './discovery/discovered-list.ts';
import { discoverySchema, discoverySettings } from './discovery/discovery-settings.ts';
import type { ServerKitOptions, Stores } from './kit-types.ts';
import { count, limitsSchema, pricesSchema } from './limits/limit-options.ts';
import { type LimitRule, type ModelPrice, type Rule, ruleOf } from './limits/limit-rules.ts';
import type { Logger } from './log/logger.ts';
import { safeLogger } from './log/safe-logger.ts';
import type { RequestMetrics } from './metrics/request-metrics.ts';
import {
  type ModelAdminSettings,
  modelAdminSchema,
  modelAdminSettings,
} from './models/model-admin-options.ts';
import { type QueueSettings, queueSchema, queueSettings } from './queue/queue-options.ts';
import { Routing } from './routing/routing.ts';
import { routingSchema } from './routing/routing-options.ts';
import { type ResumeSettings, resumeSchema, resumeSettings } from './streams/stream-settings.ts';
import { modelPattern } from './upstream/model-pattern.ts';
import type { HedgingOptions } from './upstreams/hedging.ts';
import { type UpstreamSettings, upstreamSchema, upstreamSettings } from './upstreams/upstream-settings.ts';
import { type SocketSettings, socketSettings } from './ws/socket-settings.ts';

/** The options with every default in place. */
export interface Settings {
  upstreams: readonly UpstreamSettings[];
  discovery: DiscoverySettings | undefined;
  jwt: readonly JwtSettings[] | undefined;
  keys: KeySettings | undefined;
  roles: RoleTable;
  stores: Stores;
  prices: Readonly<Record<string, ModelPrice>>;
  authenticate: ServerKitOptions['authenticate'];
  limits: {
    failedSignInsPerMinute: number;
    rules: readonly Rule[];
    maxBodyBytes: number;
    maxImageBodyBytes: number;
  };
  queue: QueueSettings;
  hedging: HedgingOptions | undefined;
  continuation: ContinuationOptions | undefined;
  /** Whether `/metrics` is served, and what requests have added up to. */
  metrics: boolean;
  requestMetrics?: RequestMetrics | undefined;
  routing: Routing;
  resume: ResumeSettings | undefined;
  cache: CacheSettings | undefined;
  /** `undefined`: models are not changed through the kit. */
  modelAdmin: ModelAdminSettings | undefined;
  corsOrigins: ReadonlySet<string>;
  sockets: SocketSettings;
  doctor: boolean;
  content: Content | undefined;
  timeouts: {
    connectMs: number;
    loadMs: number;
    firstTokenMs: number;
    idleMs: number;
    idleWithToolsMs: number;
    heartbeatMs: number;
    drainMs: number;
  };
  logger: Logger;
  clock: Clock;
}

const milliseconds = z.number().positive().max(86_400_000);

const origin = z.string().refine(isOrigin, {
  error: 'must be an exact origin such as "https://app.example", without a path and without "*"',
});

const store = z.custom<object>((value) => typeof value === 'object' && value !== null).optional();

const members = z.strictObject({
  upstreams: z.array(upstreamSchema).max(256, { error: 'must name at most 256 model servers' }),
  discovery: discoverySchema.optional(),
  auth: authSchema.optional(),
  roles: rolesSchema.optional(),
  stores: z
    .strictObject({
      keys: store,
      limits: store,
      revocations: store,
      tickets: store,
      streams: store,
      cache: store,
    })
    .optional(),
  prices: pricesSchema.optional(),
  authenticate: z
    .custom<NonNullable<ServerKitOptions['authenticate']>>(isFunction, { error: 'must be a function' })
    .optional(),
  limits: limitsSchema.optional(),
  queue: queueSchema.optional(),
  hedging: z.strictObject({ afterMs: milliseconds.optional() }).optional(),
  continuation: z.strictObject({ models: z.array(modelPattern).min(1).max(256) }).optional(),
  routing: routingSchema.optional(),
  resume: resumeSchema.optional(),
  cache: cacheSchema.optional(),
  modelAdmin: modelAdminSchema.optional(),
  sockets: z
    .strictObject({
      enabled: z.boolean().optional(),
      maxPerPrincipal: count.optional(),
      maxOpen: count.optional(),
      maxRequestsPerSocket: count.optional(),
      maxFrameBytes: z.number().int().positive().optional(),
      stallTimeoutMs: milliseconds.optional(),
      allowFirstFrameAuth: z.boolean().optional(),
      allowQueryToken: z.boolean().optional(),
      allowBareRequests: z.boolean().optional(),
    })
    .optional(),
  content: z
    .strictObject({
      redact: z
        .strictObject({
          input: z.array(z.enum(redactKinds)).optional(),
          output: z.array(z.enum(redactKinds)).optional(),
        })
        .optional(),
      blockedPhrases: z
        .array(
          z
            .string()
            .max(256)
            .refine((phrase) => phrase.trim() !== '', { error: 'must have at least one word' }),
        )
        .optional(),
      before: z
        .custom<NonNullable<ContentOptions['before']>>(isFunction, { error: 'must be a function' })
        .optional(),
      after: z
        .strictObject({
          rewrite: z.custom<NonNullable<ContentOptions['after']>['rewrite']>(isFunction, {
            error: 'must be a function',
          }),
          windowCharacters: z.int().min(1).max(8192).optional(),
        })
        .optional(),
    })
    .optional(),
  doctor: z.boolean().optional(),
  metrics: z.boolean().optional(),
  cors: z.strictObject({ origins: z.array(origin) }).optional(),
  timeouts: z
    .strictObject({
      connectMs: milliseconds.optional(),
      firstTokenMs: milliseconds.optional(),
      loadMs: milliseconds.optional(),
      idleMs: milliseconds.optional(),
      heartbeatMs: milliseconds.optional(),
      drainMs: z.number().min(0).max(86_400_000).optional(),
    })
    .optional(),
  logger: z
    .custom<Logger>((value) => isLogger(value), { error: 'must have info, warn and error' })
    .optional(),
  clock: z.custom<Clock>((value) => typeof value === 'object' && value !== null).optional(),
});

const schema = members.refine(({ upstreams, discovery }) => upstreams.length > 0 || discovery !== undefined, {
  path: ['upstreams'],
  error: 'must name at least one model server, unless discovery finds them',
});

/** Without a logger only the kit's own failures are told, because nobody would ever hear of them. */
const errorsToConsole: Logger = {
  info() {},
  warn() {},
  error: (fields, message) => console.error(message, fields),
};

/** What a discovery says is seldom, and nobody would know otherwise why no server comes. */
const warningsToConsole: Logger = {
  ...errorsToConsole,
  warn: (fields, message) => console.warn(message, fields),
};

/**
 * Checks the options once, at creation.
 *
 * @throws {TypeError} that names each wrong member by its path and says what it must be. Values are never repeated.
 */
export function settingsOf(options: ServerKitOptions): Settings {
  const parsed = schema.safeParse(options);
  if (!parsed.success) {
    const lines = parsed.error.issues.map(
      (issue) => `  ${issue.path.join('.') || 'options'}: ${issue.message}`,
    );
    throw new TypeError(`createServerKit(): the options are not valid.\n${lines.join('\n')}`);
  }
  const {
    upstreams,
    auth,
    authenticate,
    limits = {},
    sockets,
    content,
    cors,
    timeouts = {},
    logger,
    clock = systemClock,
  } = parsed.data;
  if (auth?.jwt && authenticate) {
    throw new TypeError(
      'createServerKit(): give auth.jwt or authenticate, not both: one of them decides who is asking.',
    );
  }
  return {
    upstreams: upstreamSettings(upstreams, timeouts.connectMs ?? 2000),
    discovery:
      parsed.data.discovery &&
      discoverySettings(
        parsed.data.discovery,
        timeouts.connectMs ?? 2000,
        safeLogger(logger ?? warningsToConsole),
      ),
    jwt: options.auth?.jwt && jwtSettingsOf(options.auth.jwt, clock),
    keys: options.auth?.keys && keySettingsOf(options.auth.keys),
    roles: options.roles ?? defaultRoles,
    stores: options.stores ?? {},
    prices: options.prices ?? {},
    authenticate,
    limits: {
      failedSignInsPerMinute: limits.failedSignInsPerMinute ?? 20,
      rules: rulesOf(options.limits ?? {}),
      maxBodyBytes: limits.maxBodyBytes ?? 1024 * 1024,
      maxImageBodyBytes: limits.maxImageBodyBytes ?? 20 * 1024 * 1024,
    },
    queue: queueSettings(options.queue),
    hedging: parsed.data.hedging,
    continuation: parsed.data.continuation,
    metrics: parsed.data.metrics ?? true,
    routing: new Routing(options.routing),
    resume: resumeSettings(options.resume),
    cache: cacheSettings(options.cache),
    modelAdmin: modelAdminSettings(options.modelAdmin),
    corsOrigins: new Set(cors?.origins),
    doctor: parsed.data.doctor ?? true,
    content: content && new Content(content, clock ?? systemClock),
    sockets: socketSettings(sockets ?? {}, limits.maxBodyBytes ?? 1024 * 1024),
    timeouts: {
      connectMs: timeouts.connectMs ?? 2000,
      loadMs: timeouts.loadMs ?? 600_000,
      firstTokenMs: timeouts.firstTokenMs ?? 300_000,
      idleMs: timeouts.idleMs ?? 60_000,
      // Text that might be a tool call, or that a grammar forces, is held back by Ollama: long gaps are normal.
      idleWithToolsMs: Math.max(timeouts.idleMs ?? 0, timeouts.idleMs === undefined ? 180_000 : 0),
      heartbeatMs: timeouts.heartbeatMs ?? 10_000,
      drainMs: timeouts.drainMs ?? 30_000,
    },
    logger: safeLogger(logger ?? errorsToConsole),
    clock,
  };
}

/** The limits that every kit has, then those of the options. */
function rulesOf(limits: NonNullable<ServerKitOptions['limits']>): Rule[] {
  const { requestsPerMinute = 60, requestsPerMinutePerAddress = 600, maxInFlight = 8 } = limits;
  const builtIn: LimitRule[] = [
    {
      name: 'address',
      per: 'address',
      unit: 'requests',
      window: 'minute',
      limit: requestsPerMinutePerAddress,
    },
    { name: 'principal', per: 'user', unit: 'requests', window: 'minute', limit: requestsPerMinute },
    { name: 'in-flight', per: 'user', unit: 'inFlight', limit: maxInFlight },
  ];
  const rules = [...builtIn, ...(limits.rules ?? [])]
    .filter(({ limit }) => Number.isFinite(limit))
    .map((rule) => ruleOf(rule, limits.timeZone ?? 'UTC'));
  const names = rules.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) {
    throw new TypeError(
      `createServerKit(): two limits.rules are called "${twice}". Give one of them a name.`,
    );
  }
  return rules;
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}

function isLogger(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const logger = value as Record<string, unknown>;
  return isFunction(logger['info']) && isFunction(logger['warn']) && isFunction(logger['error']);
}

function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && url.origin === text && /^https?:$/.test(url.protocol);
}
