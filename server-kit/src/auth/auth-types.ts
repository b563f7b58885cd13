/** Algorithms of RFC 7518 §3.1, RFC 8037 and RFC 9864 that a token may be signed with. `none` is not one. */
export const algorithms = [
  'HS256',
  'HS384',
  'HS512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

/** One of them. */
export type JwtAlgorithm = (typeof algorithms)[number];

/** A public key: PEM text (`BEGIN PUBLIC KEY`) or a JWK object. */
export type PublicKey = string | Readonly<Record<string, unknown>>;

/** How tokens of one issuer are verified. Exactly one of `secret`, `publicKey` and `jwksUrl` is given. */
export interface JwtOptions {
  /** For HS256 at least 32 bytes, HS384 48, HS512 64 (RFC 7518 §3.2). A list while one replaces another. */
  secret?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined;
  /** A list while one replaces another. RSA from 2048 bits. */
  publicKey?: PublicKey | readonly PublicKey[] | undefined;
  /**
   * Where the issuer publishes its keys (RFC 7517); https, or http on this machine. Fetched when first needed, again
   * after 10 min, and for an unknown `kid` at most every 30 s. No redirect is followed, 64 KiB and 2 s at most. While the
   * address does not answer, known keys stay good for 24 h.
   */
  jwksUrl?: string | undefined;
  /**
   * The only algorithms accepted from this issuer, whatever a token says. Default HS256 for a secret, RS256 for a key set,
   * the key's own for a public key. Symmetric and asymmetric ones never mix.
   */
  algorithms?: readonly JwtAlgorithm[] | undefined;
  /** Expected `iss`; `false` to accept any, in words, which only a single issuer can. */
  issuer: string | false;
  /** Expected `aud`, or several of which a token needs one; `false` to accept any. */
  audience: string | readonly string[] | false;
  /** Claim that names the subject. Default `sub`. */
  subjectClaim?: string | undefined;
  /**
   * Put before the subject to make the principal's id. Default nothing for a single issuer and `<issuer>#` when there are
   * several, since two issuers may give one subject to two people.
   */
  subjectPrefix?: string | undefined;
  /** Claim with a list of roles. Default `roles`; a token without it is role `user`. */
  rolesClaim?: string | undefined;
  /** Claim that names the tenant. Default none. */
  tenantClaim?: string | undefined;
  /** Leeway for clocks that differ, in seconds. Default 30, at most 60. */
  leewaySeconds?: number | undefined;
}

/** API keys that the kit makes and checks. */
export interface KeyOptions {
  /**
   * Secret that key hashes are made with, at least 32 bytes: a stolen store without it cannot be searched for keys. With
   * a list the first makes new hashes and the others are still good.
   */
  pepper: string | Uint8Array | readonly (string | Uint8Array)[];
  /** Second part of new keys, `zk_live_…`; keys of another environment are refused. Default `live`. */
  environment?: string | undefined;
  /** How long a new key lives unless its maker says otherwise, in days. Default 90. */
  lifetimeDays?: number | undefined;
  /**
   * The roles that a key's owner has now; `null` when the owner is gone, and the key with it. Asked at most every 5 s per
   * key. Default: the roles that the owner had when the key was made.
   */
  rolesOf?: ((ownerId: string) => Promise<readonly string[] | null> | readonly string[] | null) | undefined;
}
