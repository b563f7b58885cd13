import { createHash } from 'node:crypto';
import type { Principal } from '../kit-types.ts';

interface Entry {
  principal: Principal;
  expiresAtMs: number;
}

/**
 * Tokens that were verified, so that each is verified once.
 *
 * The key is the SHA-256 of the whole token: a cache by a part of it let forged tokens inherit sessions (LiteLLM,
 * CVE-2026-35030). An entry dies with its token. Bounded; the oldest goes first, which costs a verification and nothing
 * else.
 */
export class TokenCache {
  readonly #entries = new Map<string, Entry>();
  readonly #capacity: number;

  constructor(capacity = 10_000) {
    this.#capacity = capacity;
  }

  get(token: string, nowMs: number): Principal | undefined {
    const key = digest(token);
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.expiresAtMs <= nowMs) {
      this.#entries.delete(key);
      return undefined;
    }
    return entry.principal;
  }

  set(token: string, principal: Principal, expiresAtMs: number): void {
    if (this.#entries.size >= this.#capacity) {
      const oldest = this.#entries.keys().next();
      if (!oldest.done) this.#entries.delete(oldest.value);
    }
    this.#entries.set(digest(token), { principal, expiresAtMs });
  }

  get size(): number {
    return this.#entries.size;
  }
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}
