import { hash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { VerifiedToken } from './jwt.ts';
import type { RevocationStore } from './revocation-store.ts';

/** What is to end. */
export type Revocation =
  /** This one token, as it was sent. */
  | { token: string }
  /** The token with this `jti` of this issuer. */
  | { issuer: string; tokenId: string }
  /**
   * Every token of a principal that was made until now, and every one that does not say when (`iat`); sockets that were
   * opened with a ticket of the host app's own check too. API keys end by themselves (`kit.keys.revoke`).
   */
  | { principalId: string };

/**
 * Ends tokens before their `exp`. In force at once here and within 5 s in every process that shares the store: also for
 * what is running, which ends with `unauthorized`. An open socket is closed with 4401, and what runs on it with it, at its
 * next look (5 s) or the one after.
 */
export interface Revocations {
  /** @throws when the store cannot note it. */
  revoke(what: Revocation): Promise<void>;
}

/** How long a note is kept when the token does not tell its end: longer than anybody should make a token live. */
const keepMs = 90 * 86_400_000;

/** {@link Revocations} over a store, and the question whether a token has been ended. */
export class RevocationBook implements Revocations {
  readonly #store: RevocationStore;
  readonly #clock: Clock;
  readonly #onRevoked: () => void;
  /** Changes with every note made here, so that caches ask again at once. */
  generation = 0;

  /** @param onRevoked Called behind every note made here. */
  constructor(store: RevocationStore, clock: Clock, onRevoked: () => void = () => {}) {
    this.#store = store;
    this.#clock = clock;
    this.#onRevoked = onRevoked;
  }

  async revoke(what: Revocation): Promise<void> {
    const now = this.#clock.wallNow();
    await this.#store.revoke(idOf(what), now, now + keepMs);
    this.generation++;
    this.#onRevoked();
  }

  /** @throws when the store cannot say; a token is then not believed. */
  async isRevoked(
    token: string,
    { principal, issuer, tokenId, issuedAtMs }: Omit<VerifiedToken, 'expiresAtMs'>,
  ): Promise<boolean> {
    const ids = [idOf({ token }), idOf({ principalId: principal.id })];
    if (tokenId !== undefined && issuer !== undefined) ids.push(idOf({ issuer, tokenId }));
    const [thisToken, wholePrincipal, thisId] = await this.#store.revokedAt(ids);
    if (thisToken !== undefined || thisId !== undefined) return true;
    // `iat` has whole seconds: a token of the same second may be the old one.
    return wholePrincipal !== undefined && (issuedAtMs === undefined || issuedAtMs <= wholePrincipal);
  }

  /** Whether everything of a principal that was made until `sinceMs` has been ended. @throws when the store cannot say. */
  async hasEnded(principalId: string, sinceMs: number): Promise<boolean> {
    const [endedAt] = await this.#store.revokedAt([idOf({ principalId })]);
    return endedAt !== undefined && sinceMs <= endedAt;
  }
}

function idOf(what: Revocation): string {
  const parts =
    'token' in what
      ? ['token', what.token]
      : 'tokenId' in what
        ? ['id', what.issuer, what.tokenId]
        : ['principal', what.principalId];
  // As JSON no two lists of parts are the same text.
  return hash('sha256', JSON.stringify(parts), 'base64url');
}
