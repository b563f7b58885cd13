import type { Clock } from '../clock.ts';
import { findings, tell } from '../doctor/findings.ts';
import type { Logger } from '../log/logger.ts';
import { type UpstreamSettings, upstreamSchema, upstreamSettings } from '../upstreams/upstream-settings.ts';
import type { AllowedHosts } from './allowed-hosts.ts';
import type { DiscoveryOptions } from './upstream-discovery.ts';

/** {@link DiscoveryOptions} after their check. */
export interface DiscoverySettings {
  source: DiscoveryOptions['source'];
  allowed: AllowedHosts;
  defaults: NonNullable<DiscoveryOptions['defaults']>;
  connectMs: number;
  logger: Logger;
}

/** How looking for model servers goes, for administrators and metrics. */
export interface DiscoveryState {
  /** Whether the last look gave a list. */
  isFresh: boolean;
  /** Servers of the last good list. */
  found: number;
  /** Lists that were taken, looks that failed or gave nothing, and servers that were left out, since the start. */
  updates: number;
  failures: number;
  refused: number;
  /** Wall time of the last good list. */
  updatedAtMs: number | undefined;
  /** Why the last look failed. */
  reason: string | undefined;
}

/** Most servers that a list may have. */
const mostUpstreams = 256;

/**
 * The last good list of a discovery. One that fails, gives nothing, or nothing that may be used, changes nothing: a registry
 * that has lost its memory must not take the model servers along.
 */
export class DiscoveredList {
  readonly #settings: DiscoverySettings;
  readonly #clock: Clock;
  readonly #onList: (list: readonly UpstreamSettings[]) => void;
  readonly #stop: () => void;
  #said: string | undefined;
  #refusedLast = 0;
  #isOver = false;
  readonly state: DiscoveryState = {
    isFresh: false,
    found: 0,
    updates: 0,
    failures: 0,
    refused: 0,
    updatedAtMs: undefined,
    reason: undefined,
  };

  constructor(
    settings: DiscoverySettings,
    clock: Clock,
    onList: (list: readonly UpstreamSettings[]) => void,
  ) {
    this.#settings = settings;
    this.#clock = clock;
    this.#onList = onList;
    this.#stop = settings.source.watch({
      found: (list) => this.#found(list),
      failed: (reason) => this.#failed(reason),
      clock,
    });
  }

  stop(): void {
    this.#isOver = true;
    this.#stop();
  }

  #found(given: unknown): void {
    if (this.#isOver) return;
    const list = this.#usable(Array.isArray(given) ? given : []);
    if (list.length === 0) {
      this.#failed(
        Array.isArray(given) && given.length > 0 ? 'nothing that was found may be used' : 'nothing was found',
      );
      return;
    }
    const { state } = this;
    state.isFresh = true;
    state.found = list.length;
    state.updates++;
    state.updatedAtMs = this.#clock.wallNow();
    state.reason = undefined;
    this.#say(undefined);
    this.#onList(list);
  }

  /** What is well formed, allowed and there only once. */
  #usable(given: readonly unknown[]): UpstreamSettings[] {
    const { allowed, defaults, connectMs, logger } = this.#settings;
    const list = new Map<string, UpstreamSettings>();
    let refused = 0;
    for (const one of given) {
      const settings = settingsIn(
        typeof one === 'object' && one !== null ? { ...defaults, ...one } : one,
        connectMs,
      );
      if (!settings || !allowed.mayHave(settings.url) || list.size >= mostUpstreams) refused++;
      else if (!list.has(settings.id)) list.set(settings.id, { ...settings, allowed });
    }
    if (refused > 0 && refused !== this.#refusedLast) {
      tell(logger, findings.upstreamsRefused, { refused });
    }
    this.#refusedLast = refused;
    this.state.refused += refused;
    return [...list.values()];
  }

  #failed(reason: string): void {
    if (this.#isOver) return;
    this.state.isFresh = false;
    this.state.failures++;
    this.state.reason = reason;
    this.#say(reason);
  }

  /** Once for each change of how it goes: a registry that is away for an hour is not news every second. */
  #say(reason: string | undefined): void {
    if (reason === this.#said) return;
    const wasFailing = this.#said !== undefined;
    this.#said = reason;
    const { logger } = this.#settings;
    if (reason !== undefined) tell(logger, findings.discoveryStale, { reason });
    else if (wasFailing) logger.info({ found: this.state.found }, 'Model servers are found again.');
  }
}

/** The settings of one entry; `undefined` for one that cannot be. */
function settingsIn(entry: unknown, connectMs: number): UpstreamSettings | undefined {
  const parsed = upstreamSchema.safeParse(entry);
  if (!parsed.success) return undefined;
  try {
    return upstreamSettings([parsed.data], connectMs)[0];
  } catch {
    return undefined;
  }
}
