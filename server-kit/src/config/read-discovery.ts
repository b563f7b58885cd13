import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { isAllowEntry } from '../discovery/allowed-hosts.ts';
import { discoverByDns } from '../discovery/discover-by-dns.ts';
import { discoverByFile } from '../discovery/discover-by-file.ts';
import { discoverByKubernetes } from '../discovery/discover-by-kubernetes.ts';
import type { DiscoveryOptions } from '../discovery/upstream-discovery.ts';
import { upstreamSchema } from '../upstreams/upstream-settings.ts';

const form =
  'must be dns+srv://_ollama._tcp.gpu.internal, file:/path/to/list.json or kubernetes://namespace/service:port';
const settings = z.strictObject({
  scheme: z.enum(['http', 'https']).optional(),
  everySeconds: z.number().min(1).max(86_400).optional(),
  ...upstreamSchema.pick({ dialect: true, cacheSalt: true, slots: true, maxInFlight: true, weight: true })
    .shape,
});
const numbers: ReadonlySet<string> = new Set(['everySeconds', 'slots', 'maxInFlight', 'weight']);

/** Where more model servers are looked for: an address with settings as its query. @throws {Error} that repeats no value. */
export function discovery(text: string): Pick<DiscoveryOptions, 'source' | 'defaults'> {
  const [address = '', query = '', ...more] = text.split('?');
  if (more.length > 0 || text.includes('#')) throw new Error(form);
  const { scheme, everySeconds, ...defaults } = settingsOf(query);
  const everyMs = everySeconds === undefined ? undefined : everySeconds * 1000;
  return { source: sourceOf(address, scheme, everyMs), defaults };
}

function settingsOf(query: string): z.infer<typeof settings> {
  const given: Record<string, unknown> = {};
  for (const [name, value] of new URLSearchParams(query)) {
    if (Object.hasOwn(given, name)) throw new Error('must have each setting of its query once');
    given[name] = numbers.has(name) ? Number(value === '' ? Number.NaN : value) : value;
    if (name === 'cacheSalt' && value === 'false') given[name] = false;
  }
  const parsed = settings.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new Error(
    `must have nothing but ${Object.keys(settings.shape).join(', ')} as its query, each with a value it can have`,
  );
}

function sourceOf(
  address: string,
  scheme: 'http' | 'https' | undefined,
  everyMs: number | undefined,
): DiscoveryOptions['source'] {
  const dns = /^dns\+srv:\/\/([^/@:]+)$/.exec(address)?.[1];
  const kubernetes = /^kubernetes:\/\/([^/@:]+)\/([^/@:]+)(?::([^/@:]+))?$/.exec(address);
  try {
    if (dns !== undefined) return discoverByDns({ name: dns, scheme, everyMs });
    if (kubernetes) {
      const [, namespace = '', service = '', port] = kubernetes;
      return discoverByKubernetes({ namespace, service, port, scheme });
    }
    if (/^file:./.test(address)) {
      const path = address.startsWith('file://') ? fileURLToPath(address) : address.slice(5);
      return discoverByFile({ path, everyMs });
    }
  } catch {
    // Its own words are about an option that nobody here has named.
  }
  throw new Error(form);
}

/** One entry of the list of hosts and networks. */
export function allowed(text: string): string {
  if (!isAllowEntry(text)) {
    throw new Error('must be addresses, CIDRs no wider than /8, host names or *.domains, such as 10.0.0.0/8');
  }
  return text;
}
