import type { Script, ScriptMatch, Step } from './step-types.ts';

interface Entry {
  steps: Script;
  match: ScriptMatch;
  left: number;
}

/** What a request is matched by. */
export interface Asked {
  /** Canonical name of the model; empty where none was named. */
  model: string;
  /** The last user message, or the prompt. */
  text: string;
  path: string;
}

export type ConnectionStep = Extract<Step, { kind: 'connection' }>;

/** The scripts still to be played, oldest first. */
export class ScriptBook {
  readonly #canonical: (name: string) => string;
  readonly #completionPaths: ReadonlySet<string>;
  #entries: Entry[] = [];
  #watchers = new Set<() => void>();
  #clearers = new Set<() => void>();

  /**
   * @param canonical Makes model names comparable.
   * @param completionPaths The routes that ask for words: a script without a path answers those.
   */
  constructor(canonical: (name: string) => string, completionPaths: readonly string[]) {
    this.#canonical = canonical;
    this.#completionPaths = new Set(completionPaths);
  }

  /** @throws {RangeError} when it could never be played. */
  add(steps: Script, match: ScriptMatch): void {
    const left = match.times ?? 1;
    if (!(left >= 1)) throw new RangeError(`A script for ${left} requests would never be played.`);
    this.#entries.push({ steps, match, left });
    for (const watcher of [...this.#watchers]) watcher();
  }

  /** The first script that fits, counted as played once. */
  take(asked: Asked): Script | undefined {
    return this.#take((entry) => !connectionStep(entry.steps) && this.#fits(entry, asked))?.steps;
  }

  /** The next script if it takes the place of a whole route's answer: a replay, bytes, or one for another kind of route. */
  takeDirect(asked: () => Asked): Script | undefined {
    return this.#take((entry) => this.#isDirect(entry) && this.#fits(entry, asked()))?.steps;
  }

  get hasDirect(): boolean {
    return this.#entries.some((entry) => this.#isDirect(entry));
  }

  /** What the next connection suffers, if the oldest script is about that. */
  takeConnection(hows: readonly ConnectionStep['how'][]): ConnectionStep | undefined {
    const first = this.#entries[0];
    const step = first && connectionStep(first.steps);
    if (!first || !step || !hows.includes(step.how)) return undefined;
    this.#take((entry) => entry === first);
    return step;
  }

  /** What the oldest script does to connections, if that is what it is about. */
  get nextConnection(): ConnectionStep['how'] | undefined {
    const first = this.#entries[0];
    return first && connectionStep(first.steps)?.how;
  }

  /** Calls back when a script is added. */
  watch(watcher: () => void): void {
    this.#watchers.add(watcher);
  }

  /** Calls back when all scripts are dropped. */
  onClear(clearer: () => void): void {
    this.#clearers.add(clearer);
  }

  clear(): void {
    this.#entries = [];
    for (const clearer of [...this.#clearers]) clearer();
  }

  #isDirect({ steps, match }: Entry): boolean {
    return (
      steps.some((step) => step.kind === 'replay' || step.kind === 'wire') ||
      (match.path !== undefined && !this.#completionPaths.has(match.path))
    );
  }

  #fits({ match }: Entry, asked: Asked): boolean {
    const pathFits =
      match.path === undefined ? this.#completionPaths.has(asked.path) : match.path === asked.path;
    return (
      pathFits &&
      (match.model === undefined || this.#canonical(match.model) === asked.model) &&
      (match.contains === undefined || asked.text.includes(match.contains))
    );
  }

  #take(fits: (entry: Entry) => boolean): Entry | undefined {
    const entry = this.#entries.find(fits);
    if (!entry) return undefined;
    entry.left--;
    if (entry.left <= 0) this.#entries = this.#entries.filter((other) => other !== entry);
    return entry;
  }
}

function connectionStep(steps: Script): ConnectionStep | undefined {
  return steps.find((step) => step.kind === 'connection');
}
