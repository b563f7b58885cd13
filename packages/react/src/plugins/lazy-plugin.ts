/** A plug-in that is fetched once, when somebody first watches it. A failed fetch leaves it out until the page is opened anew. */
export class LazyPlugin<T> {
  readonly #fetch: () => Promise<T>;
  readonly #listeners = new Set<() => void>();
  #value: T | null = null;
  #asked = false;

  constructor(fetch: () => Promise<T>) {
    this.#fetch = fetch;
  }

  /** `null` until it is there. */
  readonly get = (): T | null => this.#value;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (!this.#asked) {
      this.#asked = true;
      void this.#load();
    }
    return () => {
      this.#listeners.delete(listener);
    };
  };

  async #load(): Promise<void> {
    try {
      this.#value = await this.#fetch();
    } catch {
      // Without it the text is plain, and that is what it was before.
      return;
    }
    for (const listener of [...this.#listeners]) listener();
  }
}
