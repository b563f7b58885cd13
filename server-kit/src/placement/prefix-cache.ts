/** Entries in a row of the table; the oldest of a full row goes. */
const ways = 4;
/** Where more than this many prompts went different ways after a block, it is a common beginning: warm anywhere soon. */
const commonAfter = 2;

/**
 * Remembers where which beginnings of prompts were read last, so that a conversation goes back to the cache that has it.
 * A table of fixed size (26 bytes an entry, 1.7 MB for the default 65,536), whatever comes: the oldest entries of a full
 * row make room, which costs a cache hit and nothing else.
 */
export class PrefixCache {
  readonly #rows: number;
  readonly #keys: Float64Array;
  readonly #stamps: Float64Array;
  readonly #upstreams: Uint16Array;
  readonly #forks: Uint8Array;
  #stamp = 0;

  /** @param entries Rounded up to a power of two. */
  constructor(entries: number = 65_536) {
    this.#rows = 2 ** Math.ceil(Math.log2(Math.max(ways, entries) / ways));
    const size = this.#rows * ways;
    this.#keys = new Float64Array(size);
    this.#stamps = new Float64Array(size);
    this.#upstreams = new Uint16Array(size);
    this.#forks = new Uint8Array(size);
  }

  /** Bytes it takes, always the same. */
  get bytes(): number {
    return (
      this.#keys.byteLength + this.#stamps.byteLength + this.#upstreams.byteLength + this.#forks.byteLength
    );
  }

  /**
   * The longest known beginning of a prompt: how many of its blocks, and on which upstream (by number). `undefined` when
   * none is known, or when the known part is a beginning that many prompts share.
   */
  find(hashes: readonly number[]): { blocks: number; upstream: number } | undefined {
    for (let at = hashes.length - 1; at >= 0; at--) {
      const entry = this.#entryOf(hashes[at] as number);
      if (entry === -1) continue;
      if ((this.#forks[entry] as number) > commonAfter) return undefined;
      return { blocks: at + 1, upstream: this.#upstreams[entry] as number };
    }
    return undefined;
  }

  /** A prompt was read on an upstream. */
  learn(hashes: readonly number[], upstream: number): void {
    let longest = -1;
    for (let at = hashes.length - 1; at >= 0 && longest === -1; at--) {
      longest = this.#entryOf(hashes[at] as number);
    }
    if (longest !== -1 && (this.#forks[longest] as number) < 255) (this.#forks[longest] as number)++;
    for (const hash of hashes) this.#put(hash, upstream);
  }

  #put(hash: number, upstream: number): void {
    let entry = this.#entryOf(hash);
    if (entry === -1) {
      const first = this.#rowOf(hash);
      entry = first;
      for (let at = first; at < first + ways; at++) {
        if ((this.#stamps[at] as number) < (this.#stamps[entry] as number)) entry = at;
      }
      this.#keys[entry] = hash;
      this.#forks[entry] = 0;
    }
    this.#stamps[entry] = ++this.#stamp;
    this.#upstreams[entry] = upstream;
  }

  #entryOf(hash: number): number {
    const first = this.#rowOf(hash);
    for (let at = first; at < first + ways; at++) {
      if (this.#keys[at] === hash && (this.#stamps[at] as number) > 0) return at;
    }
    return -1;
  }

  #rowOf(hash: number): number {
    return (hash % this.#rows) * ways;
  }
}
