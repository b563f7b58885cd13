import { createHmac, timingSafeEqual } from 'node:crypto';

/** Makes and compares the hashes that are kept of keys. */
export class KeyHasher {
  readonly #peppers: readonly Uint8Array[];

  /** @param peppers The first makes new hashes; all are good for comparing. */
  constructor(peppers: readonly Uint8Array[]) {
    this.#peppers = peppers;
  }

  /** What is kept of a key. */
  hash(key: string): string {
    return hmac(key, this.#peppers[0] as Uint8Array).toString('base64url');
  }

  /** Which of the kept hashes a key has, `undefined` for none. Takes as long for a wrong key as for a right one. */
  match(key: string, kept: readonly (string | null)[]): number | undefined {
    const bytes = kept.map((hash) => Buffer.from(hash ?? '', 'base64url'));
    let found: number | undefined;
    for (const pepper of this.#peppers) {
      const made = hmac(key, pepper);
      bytes.forEach((hash, at) => {
        if (hash.byteLength === made.byteLength && timingSafeEqual(hash, made)) found ??= at;
      });
    }
    return found;
  }
}

// A plain fast hash under a secret: a key has 256 random bits, which no slow hash has to protect from guessing.
function hmac(key: string, pepper: Uint8Array): Buffer {
  return createHmac('sha256', pepper).update(key).digest();
}
