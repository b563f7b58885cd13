/** What to do with a call: run it, tell the model that it repeats itself, or give up. */
export type Verdict = 'run' | 'correct' | 'stop';

/** The call that is one too many. */
const LAST_CALL = 4;

/**
 * Small models call one tool with the same arguments until somebody stops them. The second identical call of a run gets a
 * word instead of a result, the fourth ends the run. A call that failed may be tried again before it is the fourth.
 */
export class RepeatGuard {
  readonly #counts = new Map<string, number>();
  readonly #failed = new Set<string>();

  see(key: string): Verdict {
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    if (count >= LAST_CALL) return 'stop';
    return count === 1 || this.#failed.delete(key) ? 'run' : 'correct';
  }

  /** The last run of this call gave nothing. */
  failed(key: string): void {
    this.#failed.add(key);
  }
}

/** Name and arguments as one text that does not depend on the order of members. */
export function callKey(name: string, args: unknown): string {
  return JSON.stringify([name, args], (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
