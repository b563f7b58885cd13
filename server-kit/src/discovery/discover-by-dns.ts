import { Resolver } from 'node:dns/promises';
import type { UpstreamOptions } from '../upstreams/upstream-settings.ts';
import { NotFound, polling } from './polling.ts';
import type { UpstreamDiscovery } from './upstream-discovery.ts';

/** One record of a service (RFC 2782). */
export interface ServiceRecord {
  /** Host name of the server. */
  name: string;
  port: number;
  /** The lowest is to be used as long as it is there. */
  priority: number;
  /** Share of the requests among records of one priority. */
  weight: number;
}

/** Settings of {@link discoverByDns}. */
export interface DnsDiscoveryOptions {
  /** Name of the service, such as `_ollama._tcp.gpu.internal`. */
  name: string;
  /** How its servers are spoken to. Default `http`. */
  scheme?: 'http' | 'https' | undefined;
  /** Time between two looks, in ms. Default 30 s. */
  everyMs?: number | undefined;
  /** Name servers, as `address:port`. Default: the machine's. */
  servers?: readonly string[] | undefined;
  /** Gives the records of a name. Default: asks the name servers, 2 s and 2 tries each. */
  resolve?: ((name: string) => Promise<readonly ServiceRecord[]>) | undefined;
}

/**
 * Finds model servers by the SRV records of a service. Those of the lowest priority are used; their weights become
 * `weight`, the largest being 1.
 *
 * @throws {TypeError} for a name that cannot be one.
 */
export function discoverByDns({
  name,
  scheme = 'http',
  everyMs = 30_000,
  servers,
  resolve = resolverOf(servers),
}: DnsDiscoveryOptions): UpstreamDiscovery {
  if (!/^[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252})$/.test(name)) {
    throw new TypeError(
      'discoverByDns(): name must be that of a service, such as "_ollama._tcp.gpu.internal".',
    );
  }
  return polling(async () => upstreamsOf(await resolve(name), scheme), everyMs);
}

function resolverOf(servers: readonly string[] | undefined) {
  const resolver = new Resolver({ timeout: 2000, tries: 2 });
  if (servers) resolver.setServers(servers);
  return (name: string) => resolver.resolveSrv(name);
}

function upstreamsOf(records: readonly ServiceRecord[], scheme: string): UpstreamOptions[] {
  // A lone record for "." says that the service is decidedly not there (RFC 2782).
  const there = records.filter(({ name }) => name !== '' && name !== '.');
  if (there.length === 0) throw new NotFound('the service has no servers');
  const first = Math.min(...there.map(({ priority }) => priority));
  const used = there.filter(({ priority }) => priority === first);
  const heaviest = Math.max(...used.map(({ weight }) => weight));
  return used.map(({ name, port, weight }) => ({
    url: `${scheme}://${name.replace(/\.$/, '')}:${port}`,
    // A weight of 0 is "hardly ever" and not "never".
    ...(heaviest > 0 ? { weight: Math.max(weight / heaviest, 0.01) } : {}),
  }));
}
