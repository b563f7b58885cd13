import type { Script, ScriptMatch } from '../types.ts';

interface Entry {
  steps: Script;
  match: ScriptMatch;
  left: number;
}

/** What a request is matched by. */
export interface Asked {
  /** Canonical name of the model. */
  model: string;
  /** The last user message, or the prompt. */
  text: string;
}

/** The scripts still to be played, oldest first. */
export class ScriptBook {
  readonly #canonical: (name: string) => string;
  #entries: Entry[] = [];

  /** @param canonical Makes model names comparable. */
  constructor(canonical: (name: string) => string) {
    this.#canonical = canonical;
  }

  /** @throws {RangeError} when it could never be played. */
  add(steps: Script, match: ScriptMatch): void {
    const left = match.times ?? 1;
    if (!(left >= 1)) throw new RangeError(`A script for ${left} requests would never be played.`);
    this.#entries.push({ steps, match, left });
  }

  /** The first script that fits, counted as played once. */
  take(asked: Asked): Script | undefined {
    const entry = this.#entries.find(
      ({ match }) =>
        (match.model === undefined || this.#canonical(match.model) === asked.model) &&
        (match.contains === undefined || asked.text.includes(match.contains)),
    );
    if (!entry) return undefined;
    entry.left--;
    if (entry.left <= 0) this.#entries = this.#entries.filter((other) => other !== entry);
    return entry.steps;
  }

  clear(): void {
    this.#entries = [];
  }
}
