import type { RefusedToken } from '../auth/jwt.ts';
import type { Clock } from '../clock.ts';
import type { Principal } from '../kit-types.ts';
import { parseKey } from './key-format.ts';
import type { KeyHasher } from './key-hash.ts';
import type { KeyRecord, KeyStore } from './key-store.ts';
import type { LastUsed } from './last-used.ts';

/** How old a record may be: the longest that a key revoked elsewhere goes on working. */
const freshMs = 5000;
const maxRecords = 10_000;
/** What a key that does not exist is compared with, so that it costs the same. */
const nobodysHash = Buffer.alloc(32).toString('base64url');

interface Known {
  record: KeyRecord;
  roles: readonly string[] | null;
  readAt: number;
}

/** What checking keys needs. */
export interface KeyRingParts {
  store: KeyStore;
  hasher: KeyHasher;
  clock: Clock;
  environment: string;
  lastUsed: LastUsed;
  /** Called when a key was changed here. */
  onChanged?: (() => void) | undefined;
  rolesOf: ((ownerId: string) => Promise<readonly string[] | null> | readonly string[] | null) | undefined;
}

/** Checks API keys: form and checksum first, then the hash, then whether the key is still in force. */
export class KeyRing {
  readonly #parts: KeyRingParts;
  readonly #known = new Map<string, Known>();

  constructor(parts: KeyRingParts) {
    this.#parts = parts;
  }

  /** @throws when the store cannot say. */
  async verify(key: string): Promise<{ principal: Principal } | RefusedToken> {
    const { hasher, clock, environment } = this.#parts;
    const parts = parseKey(key);
    if (!parts) return { reason: 'not the form of a key', isGuess: true };
    if (parts.environment !== environment) return { reason: 'key of another environment', isGuess: true };
    const known = await this.#read(parts.id);
    if (!known) {
      hasher.match(key, [nobodysHash, null]);
      return { reason: 'no such key', isGuess: true };
    }
    const { record, roles } = known;
    const which = hasher.match(key, [record.hash, record.previousHash]);
    if (which === undefined) return { reason: 'secret of the key is wrong', isGuess: true };
    const now = clock.wallNow();
    if (which === 1 && now >= (record.previousUntilMs ?? 0))
      return { reason: 'key was rerolled', isGuess: false };
    if (record.revokedAtMs !== null) return { reason: 'key was revoked', isGuess: false };
    if (now >= record.expiresAtMs) return { reason: 'key has expired', isGuess: false };
    if (roles === null) return { reason: 'owner of the key is gone', isGuess: false };
    this.#parts.lastUsed.note(record.id, now);
    return { principal: principalOf(record, roles) };
  }

  /**
   * Whether a key that was good has been taken back since: revoked, deleted, given a new secret, or without an owner. One
   * that has expired has not. Asks the store, whatever is remembered.
   *
   * @throws when the store cannot say.
   */
  async isTakenBack(key: string): Promise<boolean> {
    const known = await this.#read(parseKey(key)?.id ?? '', 0);
    if (known === undefined || known.record.revokedAtMs !== null || known.roles === null) return true;
    const { hash, previousHash, previousUntilMs } = known.record;
    const which = this.#parts.hasher.match(key, [hash, previousHash]);
    return which === undefined || (which === 1 && this.#parts.clock.wallNow() >= (previousUntilMs ?? 0));
  }

  /** Reads a key anew the next time: it was changed here. */
  forget(id: string): void {
    this.#known.delete(id);
    this.#parts.onChanged?.();
  }

  async #read(id: string, maxAgeMs = freshMs): Promise<Known | undefined> {
    const { store, clock, rolesOf } = this.#parts;
    const now = clock.now();
    const known = this.#known.get(id);
    if (known && now - known.readAt < maxAgeMs) return known;
    const record = await store.get(id);
    if (!record) {
      this.#known.delete(id);
      return undefined;
    }
    // Never more than the maker had: both what the host says now and what the maker had then must allow it.
    const current = rolesOf ? await rolesOf(record.ownerId) : record.roles;
    const roles = current === null ? null : record.roles.filter((role) => current.includes(role));
    const fresh = { record, roles, readAt: now };
    if (this.#known.size >= maxRecords) {
      const oldest = this.#known.keys().next();
      if (!oldest.done) this.#known.delete(oldest.value);
    }
    this.#known.set(id, fresh);
    return fresh;
  }
}

function principalOf(record: KeyRecord, roles: readonly string[]): Principal {
  return {
    id: record.ownerId,
    roles,
    keyId: record.id,
    expiresAtMs: record.expiresAtMs,
    ...(record.tenant === null ? {} : { tenant: record.tenant }),
    ...(record.scopes === null ? {} : { scopes: record.scopes }),
    ...(record.models === null ? {} : { models: record.models }),
  };
}
