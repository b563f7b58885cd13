import { createPublicKey, type KeyObject } from 'node:crypto';
import type { JwtAlgorithm, PublicKey } from './auth-types.ts';

/** A key that a signature is checked with. */
export type VerificationKey = Uint8Array | KeyObject;

/** Where the keys of an issuer come from. */
export interface KeySource {
  /** The keys that may have signed a token with this header, most of the time one. Throws `KeysUnavailable`. */
  find(algorithm: JwtAlgorithm, keyId: string | undefined): Promise<readonly VerificationKey[]>;
  /** How far the clock of who publishes them is from ours, in ms; left out where nobody says. */
  readonly clockDifferenceMs?: number | undefined;
}

/** The keys of an issuer cannot be had right now: nobody's fault who asks. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable';
}

const curves: Partial<Record<JwtAlgorithm, string>> = {
  ES256: 'prime256v1',
  ES384: 'secp384r1',
  ES512: 'secp521r1',
};
const minRsaBits = 2048;
const secretBytes: Partial<Record<JwtAlgorithm, number>> = { HS256: 32, HS384: 48, HS512: 64 };

/** Fewest bytes a secret must have for an algorithm (RFC 7518 §3.2); 0 for asymmetric ones. */
export function minSecretBytes(algorithm: JwtAlgorithm): number {
  return secretBytes[algorithm] ?? 0;
}

/** Whether it is an HMAC, for which the verifier could also sign. */
export function isSymmetric(algorithm: JwtAlgorithm): boolean {
  return algorithm.startsWith('HS');
}

/** Whether a key is of the kind, curve and size that an algorithm needs. One key never serves two kinds. */
export function fits(key: VerificationKey, algorithm: JwtAlgorithm): boolean {
  if (key instanceof Uint8Array) return isSymmetric(algorithm) && key.byteLength >= minSecretBytes(algorithm);
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (key.type !== 'public') return false;
  if (algorithm === 'EdDSA' || algorithm === 'Ed25519') return type === 'ed25519';
  if (algorithm.startsWith('ES')) return type === 'ec' && details?.namedCurve === curves[algorithm];
  return /^[RP]S/.test(algorithm) && type === 'rsa' && (details?.modulusLength ?? 0) >= minRsaBits;
}

/** Algorithms that a public key may be used with when the options name none. */
export function algorithmsFor(key: KeyObject): readonly JwtAlgorithm[] {
  if (fits(key, 'RS256')) return ['RS256'];
  if (fits(key, 'EdDSA')) return ['EdDSA', 'Ed25519'];
  return (['ES256', 'ES384', 'ES512'] as const).filter((algorithm) => fits(key, algorithm));
}

/**
 * A public key from PEM text or a JWK.
 *
 * @throws {TypeError} for a private key, which has no business in a verifier, and for what is no key.
 */
export function publicKeyOf(key: PublicKey): KeyObject {
  const isPrivate =
    typeof key === 'string' ? /PRIVATE KEY/.test(key) : Object.hasOwn(key, 'd') || key['kty'] === 'oct';
  if (isPrivate) throw new TypeError('is a private or secret key; give the public half');
  try {
    return typeof key === 'string'
      ? createPublicKey(key)
      : createPublicKey({ key: { ...key }, format: 'jwk' });
  } catch {
    throw new TypeError('is not a public key in PEM or JWK form');
  }
}

/** Keys that stand in the options. All that fit are tried, so that one can replace another. */
export class FixedKeys implements KeySource {
  readonly #keys: readonly VerificationKey[];

  constructor(keys: readonly VerificationKey[]) {
    this.#keys = keys;
  }

  async find(algorithm: JwtAlgorithm): Promise<readonly VerificationKey[]> {
    return this.#keys.filter((key) => fits(key, algorithm));
  }
}
