import { hash } from 'node:crypto';

interface Entry<T> {
  value: T;
  expiresAtMs: number;
}

/**
 * What is known of credentials that were good, so that each is verified once.
 *
 * The key is the SHA-256 of the whole credential: a cache by a part of it let forged tokens inherit sessions (LiteLLM,
 * CVE-2026-35030). An entry dies with its credential. Bounded; the oldest goes first, which costs a verification and
 * nothing else.
 */
export class TokenCache<T> {
  readonly #entries = new Map<string, Entry<T>>();
  readonly #capacity: number;

  constructor(capacity = 10_000) {
    this.#capacity = capacity;
  }

  get(token: string, nowMs: number): T | undefined {
    const key = digest(token);
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.expiresAtMs <= nowMs) {
      this.#entries.delete(key);
      return undefined;
    }
    return entry.value;
  }

  set(token: string, value: T, expiresAtMs: number): void {
    if (this.#entries.size >= this.#capacity) {
      const oldest = this.#entries.keys().next();
      if (!oldest.done) this.#entries.delete(oldest.value);
    }
    this.#entries.set(digest(token), { value, expiresAtMs });
  }

  delete(token: string): void {
    this.#entries.delete(digest(token));
  }

  get size(): number {
    return this.#entries.size;
  }
}

function digest(token: string): string {
  return hash('sha256', token, 'base64');
}
