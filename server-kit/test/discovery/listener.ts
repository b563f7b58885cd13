import { expect } from 'vitest';
import type { Clock, UpstreamDiscovery, UpstreamOptions } from '../../src/index.ts';
import { systemClock } from '../../src/index.ts';

/** What a discovery has told so far. */
export class Told {
  readonly lists: (readonly UpstreamOptions[])[] = [];
  readonly failures: string[] = [];
  readonly stop: () => void;

  constructor(discovery: UpstreamDiscovery, clock: Clock = systemClock) {
    this.stop = discovery.watch({
      found: (list) => void this.lists.push(list),
      failed: (reason) => void this.failures.push(reason),
      clock,
    });
  }

  /** Waits until the last list has these addresses. */
  async untilUrls(urls: readonly string[]): Promise<void> {
    await expect
      .poll(() =>
        this.lists
          .at(-1)
          ?.map(({ url }) => url)
          .sort(),
      )
      .toEqual([...urls].sort());
  }
}
