import * as z from 'zod';
import type { Logger } from '../log/logger.ts';
import { upstreamSchema } from '../upstreams/upstream-settings.ts';
import { AllowedHosts, isAllowEntry, privateNetworks } from './allowed-hosts.ts';
import type { DiscoverySettings } from './discovered-list.ts';
import type { UpstreamDiscovery } from './upstream-discovery.ts';

/** The zod schema of `DiscoveryOptions`. */
export const discoverySchema = z.strictObject({
  source: z.custom<UpstreamDiscovery>(
    (value) => typeof (value as UpstreamDiscovery | null | undefined)?.watch === 'function',
    { error: 'must have watch(listener), as discoverByDns() and the others give' },
  ),
  allow: z
    .array(
      z.string().refine(isAllowEntry, {
        error:
          'must be addresses, CIDRs no wider than /8 (IPv6 /7), host names or "*.domain", such as "10.0.0.0/8" or "*.gpu.internal"',
      }),
    )
    .min(1, { error: 'must have an entry, or be left out for private networks' })
    .max(256)
    .optional(),
  defaults: upstreamSchema.omit({ url: true, name: true }).optional(),
});

/** Options that {@link discoverySchema} has accepted, with every default in place. */
export function discoverySettings(
  { source, allow = [...privateNetworks], defaults = {} }: z.infer<typeof discoverySchema>,
  connectMs: number,
  logger: Logger,
): DiscoverySettings {
  return { source, allowed: new AllowedHosts(allow), defaults, connectMs, logger };
}
