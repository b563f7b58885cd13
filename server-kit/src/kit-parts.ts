import { createIdentity, type Identity } from './auth/identity.ts';
import { AnswerCache } from './cache/answer-cache.ts';
import type { CacheStore } from './cache/cache-store.ts';
import { Meaning } from './cache/meaning.ts';
import type { Settings } from './kit-options.ts';
import type { LastingParts } from './lasting-parts.ts';
import { Limits } from './limits/limits.ts';
import { Settler } from './limits/settler.ts';
import { TokenEstimate } from './limits/token-estimate.ts';
import type { MetricParts } from './metrics/collect.ts';
import type { PipelineParts } from './pipeline.ts';
import { waitInLine } from './queue/wait-in-line.ts';
import { Waiting } from './queue/waiting.ts';
import type { AnswerParts } from './routes/answer-with.ts';
import type { CacheParts } from './routes/cache-routes.ts';
import type { InfoParts } from './routes/info-routes.ts';
import type { KeyParts } from './routes/key-routes.ts';
import type { MeParts } from './routes/me-routes.ts';
import type { ModelAdminRouteParts } from './routes/model-admin-routes.ts';
import type { QueueParts } from './routes/queue-routes.ts';
import type { UpstreamParts } from './routes/upstream-routes.ts';
import { whyNotNow } from './routing/why-not.ts';
import { CacheSalts } from './upstreams/cache-salt.ts';
import { FleetCatalog } from './upstreams/fleet-catalog.ts';
import { RetryBudget } from './upstreams/retry-budget.ts';
import type { Upstreams } from './upstreams/upstreams.ts';
import type { TicketStore } from './ws/ticket-store.ts';

/** Everything that follows from the options. New options make new ones; a running answer keeps those it began with. */
export interface KitParts {
  settings: Settings;
  upstreams: Upstreams;
  identity: Identity;
  settler: Settler;
  pipeline: PipelineParts;
  answering: AnswerParts;
  info: InfoParts;
  me: MeParts;
  keyParts: KeyParts;
  queueParts: QueueParts;
  upstreamParts: UpstreamParts;
  metricParts: MetricParts;
  modelAdmin: ModelAdminRouteParts;
  cacheParts: CacheParts;
  ticketStore: TicketStore;
}

/** Puts the parts together. */
export function kitParts(given: Settings, lasting: LastingParts, before?: KitParts): KitParts {
  const { leases, stores, isDraining, upstreams, sources, queue, shepherd, pulls, streams } = lasting;
  const requestMetrics = given.metrics ? lasting.requestMetrics : undefined;
  const settings: Settings = { ...given, stores, requestMetrics };
  const { clock, logger } = settings;
  const catalog = before?.answering.catalog ?? new FleetCatalog(upstreams, clock);
  const budget = before?.answering.budget ?? new RetryBudget();
  if (settings.hedging) lasting.hedging.options = settings.hedging;
  const identity = createIdentity(settings, lasting.watch.lookNow);
  const limits = new Limits(settings.limits.rules, settings.prices, identity.limitStore, clock);
  const settler =
    before?.identity.limitStore === identity.limitStore
      ? before.settler
      : new Settler(identity.limitStore, clock, logger);
  const estimate = before?.answering.metering.estimate ?? new TokenEstimate();
  const metering = { limits, settler, estimate, clock };
  const { roles, content } = settings;
  const cache = cacheOf(settings, stores.cache, lasting);
  return {
    settings,
    upstreams,
    identity,
    settler,
    pipeline: { authenticate: identity.authenticate, roles, limits, isDraining },
    answering: {
      settings,
      catalog,
      leases,
      metering,
      content,
      streams,
      cache,
      budget,
      salts: new CacheSalts(settings.keys?.peppers[0]),
      hedging: settings.hedging && lasting.hedging,
      continued: lasting.continued,
      takeExtra: (ask) => queue.takeExtra(ask),
      prove: (avoid) => upstreams.prove(avoid),
      routing: settings.routing,
      whyNotNow: (model) => whyNotNow(upstreams.all, model, clock.now()),
      takePlace(ask, lease, onMove) {
        const taken = queue.take(ask);
        return taken instanceof Waiting ? waitInLine(queue, taken, lease, onMove) : taken;
      },
      load: (place, lease) => shepherd.bring(place, lease, settings.timeouts.loadMs),
    },
    info: { catalog, clock, isDraining, routing: settings.routing },
    me: { limits, now: () => clock.wallNow() },
    ticketStore: stores.tickets,
    queueParts: { queue },
    cacheParts: { cache, store: stores.cache, counts: lasting.cacheCounts, logger },
    metricParts: {
      requests: lasting.requestMetrics,
      upstreams,
      queue,
      hedging: lasting.hedging,
      continued: lasting.continued,
      cache: lasting.cacheCounts,
      discovery: () => sources.state,
      active: () => leases.active,
      clock,
    },
    upstreamParts: { upstreams, clock, discovery: () => sources.state },
    modelAdmin: {
      upstreams,
      shepherd,
      pulls,
      clock,
      logger,
      loadMs: settings.timeouts.loadMs,
      verbMs: settings.timeouts.firstTokenMs,
      heartbeatMs: settings.timeouts.heartbeatMs,
      rules: settings.modelAdmin,
      watch: lasting.watch,
    },
    keyParts: { keys: identity.keys, revocations: identity.revocations, roles, clock },
  };
}

/** The cache of these settings. What was compared before stays: it is found under the same model and the same rest only. */
function cacheOf(
  { cache: settings }: Settings,
  store: CacheStore,
  { cacheCounts: counts, vectors }: LastingParts,
): AnswerCache | undefined {
  if (settings === undefined) return undefined;
  const { semantic } = settings;
  const meaning = semantic && new Meaning(semantic, vectors, counts);
  return new AnswerCache({ settings, store, counts, meaning });
}
