/**
 * How long what once made something go is taken not to fit, in ms. What went may have been taken out by somebody, and a
 * bound that is too low would never be found out: the kit makes room before a load that needs none.
 */
const trustMs = 3_600_000;

/**
 * What fits into the memory of an upstream, learned from what is seen there: no endpoint says it. As much as was in at
 * once fits; as much as made something go in the last hour does not. In between it is taken to fit, because that can be tried.
 */
export class MemoryBounds {
  #fits = 0;
  #tooMuch = Number.POSITIVE_INFINITY;
  #tooMuchUntil = Number.NEGATIVE_INFINITY;
  #last: ReadonlyMap<string, number> = new Map();

  /**
   * Takes a look at the models in memory, with their sizes in bytes.
   *
   * @param loading Those on their way, which are not among them: what has gone meanwhile had to make room.
   * @param isExpired Whether a model that was in memory has gone because its time was over.
   */
  saw(
    loaded: ReadonlyMap<string, number>,
    loading: ReadonlyMap<string, number>,
    now: number,
    isExpired: (name: string) => boolean = () => false,
  ): void {
    this.#forget(now);
    const before = this.#last;
    this.#last = loaded;
    const sum = sumOf(loaded);
    this.#fits = Math.max(this.#fits, sum);
    const came = [...loaded].filter(([name]) => !before.has(name));
    const hasLost = [...before.keys()].some((name) => !loaded.has(name) && !isExpired(name));
    if (hasLost && came.length + loading.size > 0) {
      // Loads are made one after another: what waits behind the first has not asked for room yet.
      const next = Math.max(0, ...loading.values());
      const wanted = sumOf(before) + sumOf(came) + next;
      // Less than what was in at once says only that something was not seen, such as a load that another one followed.
      if (wanted > this.#fits && wanted < this.#tooMuch) {
        this.#tooMuch = wanted;
        this.#tooMuchUntil = now + trustMs;
      }
    }
    // It holds more than was thought: a larger card, or other settings.
    if (this.#fits >= this.#tooMuch) this.#tooMuch = Number.POSITIVE_INFINITY;
  }

  /** Whether this many bytes more than what is in memory fit. */
  hasRoom(inMemoryBytes: number, moreBytes: number, now: number): boolean {
    this.#forget(now);
    const wanted = inMemoryBytes + moreBytes;
    return wanted <= this.#fits || wanted < this.#tooMuch;
  }

  #forget(now: number): void {
    if (now >= this.#tooMuchUntil) this.#tooMuch = Number.POSITIVE_INFINITY;
  }
}

function sumOf(sizes: Iterable<readonly [string, number]>): number {
  let sum = 0;
  for (const [, bytes] of sizes) sum += bytes;
  return sum;
}
