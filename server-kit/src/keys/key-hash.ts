import { timingSafeEqual } from 'node:crypto';
import { type HmacKey, hmacKey, hmacSha256 } from './hmac-sha256.ts';

/**
 * Makes and compares the hashes that are kept of keys. A plain fast hash under a secret: a key has 256 random bits, which no
 * slow hash has to protect from guessing.
 */
export class KeyHasher {
  readonly #peppers: readonly HmacKey[];

  /** @param peppers The first makes new hashes; all are good for comparing. */
  constructor(peppers: readonly Uint8Array[]) {
    this.#peppers = peppers.map(hmacKey);
  }

  /** What is kept of a key. */
  hash(key: string): string {
    return hmacSha256(this.#peppers[0] as HmacKey, key).toString('base64url');
  }

  /** Which of the kept hashes a key has, `undefined` for none. Takes as long for a wrong key as for a right one. */
  match(key: string, kept: readonly (string | null)[]): number | undefined {
    const bytes = kept.map((hash) => Buffer.from(hash ?? '', 'base64url'));
    let found: number | undefined;
    for (const pepper of this.#peppers) {
      const made = hmacSha256(pepper, key);
      bytes.forEach((hash, at) => {
        if (hash.byteLength === made.byteLength && timingSafeEqual(hash, made)) found ??= at;
      });
    }
    return found;
  }
}
