import * as z from 'zod';
import type { Clock } from '../clock.ts';
import type { Connection } from '../connection.ts';
import type { DiscoveryState } from '../discovery/discovered-list.ts';
import { KitFailure } from '../failure.ts';
import { parse } from '../request/parse.ts';
import { readJsonBody } from '../request/read-body.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import type { Upstreams } from '../upstreams/upstreams.ts';
import type { JsonAnswer } from './info-routes.ts';

/** Operations of the routes about upstreams. */
export type UpstreamOperation = 'upstreams' | 'drain-upstream' | 'undrain-upstream' | 'probe-upstream';

/** What they need of the kit. */
export interface UpstreamParts {
  upstreams: Upstreams;
  clock: Clock;
  /** `undefined` when nobody looks for more. */
  discovery: () => DiscoveryState | undefined;
}

const named = z.strictObject({ id: z.string().min(1).max(64) });
const maxBodyBytes = 4096;

/** `/admin/upstreams` and its verbs. @throws {KitFailure} */
export async function upstreamRoute(
  parts: UpstreamParts,
  operation: UpstreamOperation,
  request: Request,
  connection: Connection,
): Promise<JsonAnswer> {
  const { upstreams } = parts;
  if (operation === 'upstreams') {
    const list = [...upstreams.all, ...upstreams.joining].map((one) => shown(one, parts));
    return { status: 200, body: { upstreams: list, discovery: shownDiscovery(parts.discovery()) } };
  }
  const { value } = await readJsonBody(request, connection, maxBodyBytes, request.signal);
  const upstream = upstreams.find(parse(named, value).id);
  if (!upstream) {
    throw new KitFailure('not_found', 'There is no such upstream. GET /admin/upstreams lists them by id.');
  }
  if (operation === 'probe-upstream') await upstreams.probe(upstream);
  else upstreams.setDrained(upstream, operation === 'drain-upstream');
  return { status: 200, body: shown(upstream, parts) };
}

function shownDiscovery(state: DiscoveryState | undefined): unknown {
  if (state === undefined) return null;
  const { isFresh, updatedAtMs, reason, ...counts } = state;
  return {
    fresh: isFresh,
    ...counts,
    updatedAt: updatedAtMs === undefined ? null : new Date(updatedAtMs).toISOString(),
    reason: reason ?? null,
  };
}

/** One upstream as administrators see it. Its key is never shown. */
function shown(upstream: Upstream, { clock, upstreams }: UpstreamParts): Record<string, unknown> {
  const { id, settings, dialect, breaker, isDrained, totalInFlight, attempts, faults, lastFault } = upstream;
  const now = clock.now();
  const { reopensAt } = breaker;
  const asTime = (ms: number) => new Date(ms).toISOString();
  return {
    id,
    url: settings.url.href,
    dialect,
    drained: isDrained,
    joining: upstreams.joining.has(upstream),
    breaker: breaker.state(now),
    retryAt: reopensAt === undefined ? null : asTime(clock.wallNow() + (reopensAt - now)),
    inFlight: totalInFlight,
    attempts,
    faults,
    lastFault: lastFault ? { code: lastFault.code, at: asTime(lastFault.atMs) } : null,
    models: [...(upstream.catalog.knownNames() ?? [])].map(([name, model]) => {
      const { inFlight, serviceMs } = upstream.runs(name);
      const slots = upstream.slots(name, now);
      return {
        name: model.name,
        memory: upstream.memoryOf(name),
        inFlight,
        slots: Number.isFinite(slots) ? slots : null,
        typicalLoadMs: upstream.catalog.typicalLoadMs(name),
        typicalAnswerMs: serviceMs.value === undefined ? null : Math.round(serviceMs.value),
      };
    }),
  };
}
