import type { UpstreamOptions } from '../upstreams/upstream-settings.ts';

/** What is read of an EndpointSlice (discovery.k8s.io/v1). */
export interface EndpointSlice {
  metadata?: { name?: unknown; resourceVersion?: unknown } | undefined;
  addressType?: unknown;
  ports?: unknown;
  endpoints?: unknown;
}

interface Endpoint {
  addresses?: unknown;
  conditions?: { ready?: unknown; terminating?: unknown } | undefined;
  targetRef?: { name?: unknown } | undefined;
}

/** The port of a slice: by its name or number, or its only one. `undefined`: it has no such port. */
function portOf({ ports }: EndpointSlice, wanted: string | undefined): number | undefined {
  const known = (Array.isArray(ports) ? ports : []).flatMap(
    (one: { name?: unknown; port?: unknown } | null) =>
      typeof one?.port === 'number' && Number.isInteger(one.port) && one.port > 0 && one.port < 65_536
        ? [{ name: one.name, port: one.port }]
        : [],
  );
  if (wanted === undefined) return known.length === 1 ? known[0]?.port : undefined;
  return known.find(({ name, port }) => name === wanted || String(port) === wanted)?.port;
}

/**
 * The servers of a service's slices: endpoints that are ready and not terminating (no word about it is ready, as the API
 * says), each address once however many slices have it; named by their pods.
 */
export function upstreamsOf(
  slices: Iterable<EndpointSlice>,
  port: string | undefined,
  scheme: string,
): UpstreamOptions[] {
  const found = new Map<string, UpstreamOptions>();
  const names = new Set<string>();
  for (const slice of slices) {
    const number = portOf(slice, port);
    if (number === undefined || (slice.addressType !== 'IPv4' && slice.addressType !== 'IPv6')) continue;
    for (const endpoint of (Array.isArray(slice.endpoints) ? slice.endpoints : []) as (Endpoint | null)[]) {
      const { conditions, targetRef, addresses } = endpoint ?? {};
      if (conditions?.ready === false || conditions?.terminating === true) continue;
      // All addresses of one endpoint are the same pod.
      const address = Array.isArray(addresses) ? addresses[0] : undefined;
      if (typeof address !== 'string') continue;
      const url = `${scheme}://${slice.addressType === 'IPv6' ? `[${address}]` : address}:${number}`;
      if (found.has(url)) continue;
      const name = podName(targetRef?.name);
      found.set(url, name === undefined || names.has(name) ? { url } : { url, name });
      if (name !== undefined) names.add(name);
    }
  }
  return [...found.values()];
}

function podName(name: unknown): string | undefined {
  return typeof name === 'string' && /^[a-z0-9][a-z0-9.-]{0,63}$/.test(name) ? name : undefined;
}
