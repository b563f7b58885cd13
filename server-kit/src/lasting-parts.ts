import { CredentialWatch } from './auth/credential-watch.ts';
import { MemoryRevocationStore } from './auth/revocation-store.ts';
import { CacheCounts } from './cache/cache-counts.ts';
import { MemoryCacheStore } from './cache/memory-cache-store.ts';
import { VectorIndex } from './cache/vector-index.ts';
import { UpstreamSources } from './discovery/upstream-sources.ts';
import { MemoryKeyStore } from './keys/key-store.ts';
import type { Settings } from './kit-options.ts';
import type { Stores } from './kit-types.ts';
import { LeaseBook } from './lease.ts';
import { MemoryLimitStore } from './limits/memory-limit-store.ts';
import { RequestMetrics } from './metrics/request-metrics.ts';
import { PullJobs } from './models/pull-jobs.ts';
import { Dispatcher } from './queue/dispatcher.ts';
import { LoadShepherd } from './queue/load-shepherd.ts';
import { Streams } from './streams/streams.ts';
import { HttpTransport } from './upstream/http-transport.ts';
import { canonicalName } from './upstream/model-name.ts';
import { Hedging } from './upstreams/hedging.ts';
import { Upstreams } from './upstreams/upstreams.ts';
import { MemoryTicketStore } from './ws/ticket-store.ts';

/** Every port that is needed at once, with what is behind it. */
type AllStores = { [Port in Exclude<keyof Stores, 'streams'>]-?: NonNullable<Stores[Port]> };

/** What stays when the options change: who is being answered, and what has been counted. */
export interface LastingParts {
  leases: LeaseBook;
  watch: CredentialWatch;
  stores: AllStores;
  isDraining: () => boolean;
  upstreams: Upstreams;
  sources: UpstreamSources;
  queue: Dispatcher;
  shepherd: LoadShepherd;
  pulls: PullJobs;
  hedging: Hedging;
  continued: { count: number };
  requestMetrics: RequestMetrics;
  streams: Streams;
  cacheCounts: CacheCounts;
  vectors: VectorIndex;
}

/** Makes them, for the first options of a kit. */
export function lastingParts(settings: Settings, isDraining: () => boolean): LastingParts {
  const { clock } = settings;
  const upstreams = new Upstreams(
    settings.upstreams,
    ({ url, connectMs, apiKey, allowed }) => new HttpTransport(url, connectMs, apiKey, allowed),
    clock,
  );
  const queue = new Dispatcher(settings.queue, upstreams, clock);
  upstreams.waitingFor = (model) => queue.waitingFor(model);
  const leases = new LeaseBook(clock, isDraining);
  const watch = new CredentialWatch(clock, leases);
  leases.onOpen = watch.begin;
  return {
    leases,
    watch,
    streams: new Streams({
      leases,
      clock,
      shared: settings.stores.streams,
      maxBytes: settings.resume?.maxBytes,
    }),
    cacheCounts: new CacheCounts(),
    vectors: new VectorIndex(),
    stores: storesOf(settings),
    isDraining,
    hedging: new Hedging(),
    continued: { count: 0 },
    requestMetrics: new RequestMetrics(),
    upstreams,
    sources: new UpstreamSources(upstreams, clock),
    queue,
    pulls: new PullJobs(clock),
    shepherd: new LoadShepherd(clock, (model) => queue.waitingFor(canonicalName(model)) > 0),
  };
}

/** The stores of the settings, with memory where there is none. `before` are those of the options before. */
export function storesOf({ stores, clock }: Settings, before?: AllStores): AllStores {
  return {
    keys: stores.keys ?? before?.keys ?? new MemoryKeyStore(),
    limits: stores.limits ?? before?.limits ?? new MemoryLimitStore(clock),
    revocations:
      stores.revocations ?? before?.revocations ?? new MemoryRevocationStore(() => clock.wallNow()),
    tickets: stores.tickets ?? before?.tickets ?? new MemoryTicketStore(clock),
    cache: stores.cache ?? before?.cache ?? new MemoryCacheStore(clock),
  };
}
