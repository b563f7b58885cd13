/**
 * Finds stop strings in text that arrives in pieces. Text that might be the beginning of one is held back until it is
 * known, so a stop string never reaches the client in part.
 */
export class StopFilter {
  readonly #stops: readonly string[];
  #held = '';

  constructor(stops: readonly string[]) {
    this.#stops = stops.filter((stop) => stop !== '');
  }

  /** The text that may go out now, and whether a stop string followed it. */
  push(piece: string): { text: string; stopped: boolean } {
    const all = this.#held + piece;
    const found = Math.min(...this.#stops.map((stop) => all.indexOf(stop)).filter((at) => at !== -1));
    if (Number.isFinite(found)) {
      this.#held = '';
      return { text: all.slice(0, found), stopped: true };
    }
    const keep = Math.max(0, ...this.#stops.map((stop) => overlap(all, stop)));
    this.#held = all.slice(all.length - keep);
    return { text: all.slice(0, all.length - keep), stopped: false };
  }

  /** What was held back, when no more text comes. */
  end(): string {
    const held = this.#held;
    this.#held = '';
    return held;
  }
}

/** How many characters at the end of `text` begin `stop`. */
function overlap(text: string, stop: string): number {
  for (let length = Math.min(stop.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(stop.slice(0, length))) return length;
  }
  return 0;
}
