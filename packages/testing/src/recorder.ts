import type { SeenRequest } from './types.ts';

/** A stand-in may run for weeks: older requests are forgotten. */
const MOST_REQUESTS = 1000;

/** Keeps what the stand-in saw, and tells those who wait for a change. */
export class Recorder {
  readonly #now: () => number;
  #requests: SeenRequest[] = [];
  #watchers = new Set<() => void>();
  #nextId = 1;

  constructor(now: () => number) {
    this.#now = now;
  }

  get requests(): readonly SeenRequest[] {
    return this.#requests.map((request) => ({ ...request }));
  }

  begin(method: string, path: string, headers: Readonly<Record<string, string>>): Seen {
    const request: SeenRequest = {
      id: this.#nextId++,
      method,
      path,
      headers,
      body: undefined,
      startedAt: this.#now(),
      firstByteAt: undefined,
      endedAt: undefined,
      disconnectedAt: undefined,
      records: 0,
    };
    this.#requests.push(request);
    if (this.#requests.length > MOST_REQUESTS) this.#requests.shift();
    this.changed();
    return new Seen(request, this.#now, () => this.changed());
  }

  /** The stand-in ended every open request itself: none of them is a disconnect. */
  endOpen(): void {
    for (const request of this.#requests) request.endedAt ??= this.#now();
    this.changed();
  }

  clear(): void {
    this.#requests = [];
    this.#nextId = 1;
    this.changed();
  }

  /** Calls back on each change until the returned function is called. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  changed(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}

/** Writes down what happens to one request. Only the first end counts. */
export class Seen {
  readonly #request: SeenRequest;
  readonly #now: () => number;
  readonly #changed: () => void;

  constructor(request: SeenRequest, now: () => number, changed: () => void) {
    this.#request = request;
    this.#now = now;
    this.#changed = changed;
  }

  get ended(): boolean {
    return this.#request.endedAt !== undefined;
  }

  body(text: string): void {
    try {
      this.#request.body = JSON.parse(text);
    } catch {
      this.#request.body = undefined;
    }
    this.#changed();
  }

  firstByte(): void {
    this.#request.firstByteAt ??= this.#now();
    this.#changed();
  }

  record(): void {
    this.#request.records++;
    this.#changed();
  }

  end(): void {
    this.#request.endedAt ??= this.#now();
    this.#changed();
  }

  disconnect(): void {
    if (this.ended) return;
    this.#request.disconnectedAt = this.#now();
    this.end();
  }
}
