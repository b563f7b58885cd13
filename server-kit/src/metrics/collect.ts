import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { CacheCounts } from '../cache/cache-counts.ts';
import type { Clock } from '../clock.ts';
import type { DiscoveryState } from '../discovery/discovered-list.ts';
import type { Dispatcher } from '../queue/dispatcher.ts';
import type { Hedging } from '../upstreams/hedging.ts';
import type { Upstreams } from '../upstreams/upstreams.ts';
import { exposition, type Family, type Labels } from './exposition.ts';
import type { RequestMetrics } from './request-metrics.ts';

/** What is looked at when somebody asks for the metrics. */
export interface MetricParts {
  requests: RequestMetrics;
  upstreams: Upstreams;
  queue: Dispatcher;
  hedging: Hedging;
  continued: { count: number };
  cache: CacheCounts;
  discovery: () => DiscoveryState | undefined;
  active: () => number;
  clock: Clock;
}

type Sample = readonly [Labels, number];
const states = { closed: 0, half_open: 1, open: 2 } as const;
let loopDelay: ReturnType<typeof monitorEventLoopDelay> | undefined;

/** Everything as Prometheus reads it: what requests have added up to, and how things are now. */
export function metricsText(parts: MetricParts): string {
  return exposition([
    ...parts.requests.families,
    ...upstreamFamilies(parts),
    ...queueFamilies(parts),
    ...otherFamilies(parts),
    ...processFamilies(),
  ]);
}

const gauge = (name: string, help: string, samples: readonly Sample[]): Family => ({
  name: `ziggie_llm_${name}`,
  help,
  type: 'gauge',
  samples,
});
const counter = (name: string, help: string, samples: readonly Sample[]): Family => ({
  ...gauge(name, help, samples),
  type: 'counter',
});

function upstreamFamilies({ upstreams, clock }: MetricParts): Family[] {
  const now = clock.now();
  const all = [...upstreams.all, ...upstreams.joining];
  const each = (value: (one: (typeof all)[number]) => number): Sample[] =>
    all.map((one) => [{ upstream: one.id }, value(one)]);
  return [
    gauge(
      'upstream_up',
      'Whether a model server is in use: found to answer, not drained, not behind an open breaker.',
      each((one) => Number(!upstreams.joining.has(one) && one.isOpen(now))),
    ),
    gauge(
      'breaker_state',
      'Breaker of a model server: 0 closed, 1 half open, 2 open.',
      each(({ breaker }) => states[breaker.state(now)]),
    ),
    counter(
      'upstream_attempts_total',
      'Requests that a model server was sent, by how they ended.',
      all.flatMap(({ id, ends }) =>
        Object.entries(ends).map(([outcome, count]): Sample => [{ upstream: id, outcome }, count]),
      ),
    ),
    gauge(
      'inflight',
      'Answers that run.',
      all.flatMap((one) =>
        [...one.inFlight()].map(([model, count]): Sample => [{ upstream: one.id, model }, count]),
      ),
    ),
  ];
}

function queueFamilies({ queue }: MetricParts): Family[] {
  const depths = new Map<string, number>();
  for (const { model, priority } of queue.waits()) {
    const key = `${model}\n${priority}`;
    depths.set(key, (depths.get(key) ?? 0) + 1);
  }
  const samples = [...depths].map(([key, count]): Sample => {
    const [model = '', priority = ''] = key.split('\n');
    return [{ model, class: priority }, count];
  });
  return [gauge('queue_depth', 'Requests that wait for a place.', samples)];
}

function otherFamilies({ hedging, continued, cache, discovery, active }: MetricParts): Family[] {
  const state = discovery();
  const found: Family[] = state
    ? [
        gauge('discovery_up', 'Whether the last look for model servers gave a list.', [
          [{}, Number(state.isFresh)],
        ]),
        counter('discovery_looks_total', 'Looks for model servers, by how they ended.', [
          [{ outcome: 'ok' }, state.updates],
          [{ outcome: 'failed' }, state.failures],
        ]),
        counter('discovery_refused_total', 'Servers that were found and may not be used.', [
          [{}, state.refused],
        ]),
      ]
    : [];
  return [
    ...found,
    counter('hedges_total', 'Requests that a second model server was asked for while the first was silent.', [
      [{ winner: 'first' }, hedging.sent - hedging.won],
      [{ winner: 'second' }, hedging.won],
    ]),
    counter('continued_total', 'Answers that another model server went on with.', [[{}, continued.count]]),
    counter(
      'cache_events_total',
      'What happened to requests at the cache.',
      Object.entries(cache.all).map(([kind, count]): Sample => [{ kind }, count]),
    ),
    { name: 'llm_active_requests', help: 'Requests that run.', type: 'gauge', samples: [[{}, active()]] },
  ];
}

/** The process's own. The delay of the event loop is of the time since the last look. */
function processFamilies(): Family[] {
  const { rss, heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  let delay = loopDelay;
  if (delay === undefined) {
    delay = monitorEventLoopDelay({ resolution: 20 });
    delay.enable();
    loopDelay = delay;
  }
  const seconds = (nanoseconds: number) => (Number.isFinite(nanoseconds) ? nanoseconds / 1e9 : 0);
  const quantiles: Sample[] = [
    [{ quantile: '0.5' }, seconds(delay.percentile(50))],
    [{ quantile: '0.99' }, seconds(delay.percentile(99))],
    [{ quantile: '1' }, seconds(delay.max)],
  ];
  delay.reset();
  const own = (name: string, help: string, type: Family['type'], value: number): Family => ({
    name,
    help,
    type,
    samples: [[{}, value]],
  });
  return [
    gauge('event_loop_delay_seconds', 'Delay of the event loop since the last look.', quantiles),
    own('process_cpu_seconds_total', 'CPU time of the process.', 'counter', (user + system) / 1e6),
    own('process_resident_memory_bytes', 'Memory of the process.', 'gauge', rss),
    own('nodejs_heap_size_used_bytes', 'Heap in use.', 'gauge', heapUsed),
    own(
      'process_start_time_seconds',
      'When the process began, since 1970.',
      'gauge',
      performance.timeOrigin / 1000,
    ),
  ];
}
