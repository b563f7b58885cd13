import type { Clock } from '../clock.ts';
import type { UpstreamSettings } from '../upstreams/upstream-settings.ts';
import type { Upstreams } from '../upstreams/upstreams.ts';
import { DiscoveredList, type DiscoverySettings, type DiscoveryState } from './discovered-list.ts';

/** Where the kit's model servers come from: the options name some, a discovery may find more. */
export class UpstreamSources {
  readonly #upstreams: Upstreams;
  readonly #clock: Clock;
  #named: readonly UpstreamSettings[] = [];
  #found: readonly UpstreamSettings[] = [];
  #settings: DiscoverySettings | undefined;
  #discovery: DiscoveredList | undefined;

  constructor(upstreams: Upstreams, clock: Clock) {
    this.#upstreams = upstreams;
    this.#clock = clock;
  }

  /** How looking for more goes; `undefined` when nobody looks. */
  get state(): DiscoveryState | undefined {
    return this.#discovery?.state;
  }

  /** Takes other options. What was found under the ones before is used until there is another list. */
  take(named: readonly UpstreamSettings[], settings: DiscoverySettings | undefined): void {
    this.#named = named;
    if (settings === undefined) {
      this.stop();
      this.#settings = undefined;
      this.#found = [];
      this.#replace();
      return;
    }
    this.#narrow(settings);
    this.#replace();
    if (isSame(settings, this.#settings)) return;
    this.stop();
    this.#settings = settings;
    this.#discovery = new DiscoveredList(settings, this.#clock, (list) => {
      this.#found = list;
      this.#replace();
    });
  }

  stop(): void {
    this.#discovery?.stop();
    this.#discovery = undefined;
  }

  /** What was found is used on only as far as it is allowed now: another list may never come. */
  #narrow({ allowed }: DiscoverySettings): void {
    if (allowed.key === this.#settings?.allowed.key) return;
    this.#found = this.#found
      .filter(({ url }) => allowed.mayHave(url))
      .map((settings) => ({ ...settings, allowed }));
  }

  /** What is named counts more than what is found under the same name or address. */
  #replace(): void {
    const ids = new Set(this.#named.map(({ id }) => id));
    const addresses = new Set(this.#named.map(({ url }) => url.href));
    const more = this.#found.filter(({ id, url }) => !ids.has(id) && !addresses.has(url.href));
    this.#upstreams.replace([...this.#named, ...more]);
  }
}

function isSame(one: DiscoverySettings, other: DiscoverySettings | undefined): boolean {
  return (
    other !== undefined &&
    one.source === other.source &&
    one.allowed.key === other.allowed.key &&
    one.connectMs === other.connectMs &&
    JSON.stringify(one.defaults) === JSON.stringify(other.defaults)
  );
}
