import type { Clock } from '../clock.ts';
import type { Principal } from '../kit-types.ts';
import type { JwtVerifier, RefusedToken, VerifiedToken } from './jwt.ts';
import type { RevocationBook } from './revocations.ts';
import { TokenCache } from './token-cache.ts';

/** How long the answer that a token was not revoked is good for, in ms. */
const recheckMs = 5000;

interface Known {
  verified: VerifiedToken;
  checkedAt: number;
  generation: number;
}

/** Tokens: verified once, asked about every few seconds whether they were revoked. */
export class TokenCheck {
  readonly #verifier: JwtVerifier;
  readonly #revocations: RevocationBook;
  readonly #clock: Clock;
  readonly #cache = new TokenCache<Known>();

  constructor(verifier: JwtVerifier, revocations: RevocationBook, clock: Clock) {
    this.#verifier = verifier;
    this.#revocations = revocations;
    this.#clock = clock;
  }

  /** The principal of a token that was verified before and needs no question now. */
  known(token: string): Principal | undefined {
    const known = this.#cache.get(token, this.#clock.wallNow());
    return known && this.#isFresh(known) ? known.verified.principal : undefined;
  }

  /** @throws when the issuer's keys or the store of revocations cannot say. */
  async verify(token: string): Promise<{ principal: Principal } | RefusedToken> {
    const known = this.#cache.get(token, this.#clock.wallNow());
    const verified = known?.verified ?? (await this.#verifier.verify(token));
    if ('reason' in verified) return verified;
    // Noted before the question: a note made while it is asked must be asked about again.
    const { generation } = this.#revocations;
    const checkedAt = this.#clock.now();
    if (await this.#revocations.isRevoked(token, verified)) {
      this.#cache.delete(token);
      return { reason: 'token was revoked', isGuess: false };
    }
    this.#cache.set(token, { verified, checkedAt, generation }, verified.expiresAtMs);
    return { principal: verified.principal };
  }

  #isFresh({ checkedAt, generation }: Known): boolean {
    return this.#clock.now() - checkedAt < recheckMs && generation === this.#revocations.generation;
  }
}
