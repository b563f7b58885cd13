import type { DiscoveryListener, UpstreamDiscovery, UpstreamOptions } from '../../src/index.ts';

/** A discovery that says what the test says, when it says it. */
export class ToldSource implements UpstreamDiscovery {
  #listener: DiscoveryListener | undefined;
  #last: readonly UpstreamOptions[] | undefined;
  watches = 0;

  constructor(first?: readonly UpstreamOptions[]) {
    this.#last = first;
  }

  get isWatched(): boolean {
    return this.#listener !== undefined;
  }

  watch(listener: DiscoveryListener): () => void {
    this.watches++;
    this.#listener = listener;
    if (this.#last) listener.found(this.#last);
    return () => {
      this.#listener = undefined;
    };
  }

  found(list: readonly UpstreamOptions[]): void {
    this.#last = list;
    this.#listener?.found(list);
  }

  failed(reason: string): void {
    this.#listener?.failed(reason);
  }
}
