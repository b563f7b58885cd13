/** Where it is kept that tokens end before their time. Ids are opaque and say nothing of a person. */
export interface RevocationStore {
  /**
   * Notes that what the id stands for ended at `atMs`. The note may be forgotten at `untilMs`. Later notes of one id win.
   * Times are milliseconds since 1970.
   */
  revoke(id: string, atMs: number, untilMs: number): Promise<void>;
  /** When each id ended, `undefined` where it did not, in the order asked. */
  revokedAt(ids: readonly string[]): Promise<readonly (number | undefined)[]>;
  /** Gives back what it holds. */
  close?(): Promise<void>;
}

/** How many notes may come before the old ones are looked through. */
const sweepEvery = 1000;

/** Revocations in the memory of this process: gone with it, and unknown to others. */
export class MemoryRevocationStore implements RevocationStore {
  readonly #notes = new Map<string, { atMs: number; untilMs: number }>();
  readonly #now: () => number;
  #untilSweep = sweepEvery;

  /** @param now Milliseconds since 1970. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  async revoke(id: string, atMs: number, untilMs: number): Promise<void> {
    if (--this.#untilSweep <= 0) this.#sweep();
    const known = this.#notes.get(id);
    this.#notes.set(id, {
      atMs: Math.max(atMs, known?.atMs ?? atMs),
      untilMs: Math.max(untilMs, known?.untilMs ?? untilMs),
    });
  }

  async revokedAt(ids: readonly string[]): Promise<readonly (number | undefined)[]> {
    return ids.map((id) => {
      const note = this.#notes.get(id);
      return note && note.untilMs > this.#now() ? note.atMs : undefined;
    });
  }

  #sweep(): void {
    this.#untilSweep = sweepEvery;
    for (const [id, note] of this.#notes) if (note.untilMs <= this.#now()) this.#notes.delete(id);
  }
}
