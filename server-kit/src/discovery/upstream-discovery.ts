import type { Clock } from '../clock.ts';
import type { UpstreamOptions } from '../upstreams/upstream-settings.ts';

/** What a discovery tells, and what it looks with. */
export interface DiscoveryListener {
  /** The whole list as it is now. An empty one is taken for a failure of whoever keeps the list: the last one stays. */
  found(list: readonly UpstreamOptions[]): void;
  /** It could not look. `reason` is for the log: an error's code or our own words, no address, no token. */
  failed(reason: string): void;
  /** Its timers, so that tests need not wait. */
  clock: Clock;
}

/**
 * Where model servers are found while the kit runs. `discoverByDns`, `discoverByFile` and `discoverByKubernetes` make one;
 * write your own for another registry.
 */
export interface UpstreamDiscovery {
  /** Looks, now and whenever something may have changed, until what it returns is called. Never throws. */
  watch(listener: DiscoveryListener): () => void;
}

/** Where else than in `upstreams` model servers come from. */
export interface DiscoveryOptions {
  source: UpstreamDiscovery;
  /**
   * Where what is found may be: addresses and CIDRs (`10.0.0.0/8`), host names (`gpu-1`) and everything below a domain
   * (`*.gpu.internal`). A name that is not listed must lead to a listed address at every connection. Default: private
   * networks. Link-local, multicast and unspecified addresses never, loopback only where it is listed.
   */
  allow?: readonly string[] | undefined;
  /** Settings of every server that is found, where the source does not say otherwise. */
  defaults?: Omit<UpstreamOptions, 'url' | 'name'> | undefined;
}
