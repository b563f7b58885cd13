/**
 * What fits into the memory of an upstream, learned from what is seen there: no endpoint says it. As much as was in at
 * once fits; as much as once made something go does not. In between it is taken to fit, because that can be tried.
 */
export class MemoryBounds {
  #fits = 0;
  #tooMuch = Number.POSITIVE_INFINITY;
  #last: ReadonlyMap<string, number> = new Map();

  /**
   * Takes a look at the models in memory, with their sizes in bytes.
   *
   * @param loading Those on their way, which are not among them: what has gone meanwhile had to make room.
   */
  saw(loaded: ReadonlyMap<string, number>, loading: ReadonlyMap<string, number>): void {
    const before = this.#last;
    this.#last = loaded;
    const sum = sumOf(loaded);
    this.#fits = Math.max(this.#fits, sum);
    const came = [...loaded].filter(([name]) => !before.has(name));
    const hasLost = [...before.keys()].some((name) => !loaded.has(name));
    if (hasLost && came.length + loading.size > 0) {
      // Loads are made one after another: what waits behind the first has not asked for room yet.
      const next = Math.max(0, ...loading.values());
      const wanted = sumOf(before) + sumOf(came) + next;
      // Less than what was in at once says only that something was not seen, such as a load that another one followed.
      if (wanted > this.#fits) this.#tooMuch = Math.min(this.#tooMuch, wanted);
    }
    // It holds more than was thought: a larger card, or other settings.
    if (this.#fits >= this.#tooMuch) this.#tooMuch = Number.POSITIVE_INFINITY;
  }

  /** Whether this many bytes more than what is in memory fit. */
  hasRoom(inMemoryBytes: number, moreBytes: number): boolean {
    const wanted = inMemoryBytes + moreBytes;
    return wanted <= this.#fits || wanted < this.#tooMuch;
  }
}

function sumOf(sizes: Iterable<readonly [string, number]>): number {
  let sum = 0;
  for (const [, bytes] of sizes) sum += bytes;
  return sum;
}
