import { decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose';
import type { Clock } from '../clock.ts';
import type { Principal } from '../kit-types.ts';
import type { JwtAlgorithm } from './auth-types.ts';
import type { KeySource } from './jwt-keys.ts';
import { shapeOf } from './jwt-shape.ts';

const maxSubjectLength = 256;
const maxRoles = 64;
// A subject stands in log lines, some of which are plain text.
const hasControls = /\p{Cc}/u;

/** How tokens of one issuer are verified. */
export interface JwtSettings {
  keys: KeySource;
  algorithms: readonly JwtAlgorithm[];
  issuer: string | undefined;
  audience: readonly string[] | undefined;
  subjectClaim: string;
  subjectPrefix: string;
  rolesClaim: string;
  tenantClaim: string | undefined;
  leewaySeconds: number;
}

/** A token that is good, and what ends it. */
export interface VerifiedToken {
  principal: Principal;
  expiresAtMs: number;
  /** When it was made, in ms since 1970, if it says so. */
  issuedAtMs: number | undefined;
  issuer: string | undefined;
  tokenId: string | undefined;
}

/** A token that is not. */
export interface RefusedToken {
  /** For the log. */
  reason: string;
  /** Whether it may be a guess. A token with a good signature that has expired or is for somebody else is not. */
  isGuess: boolean;
}

/**
 * Verifies tokens (RFC 7519, RFC 8725). The issuer, which a token names itself, only picks the row of settings; algorithms
 * and keys are that row's. `exp` and the subject are required.
 */
export class JwtVerifier {
  readonly #issuers: ReadonlyMap<string | undefined, JwtSettings>;
  readonly #clock: Clock;
  /** How far ahead of ours the clock was that made a genuine token, in ms. */
  #aheadMs = 0;

  constructor(issuers: readonly JwtSettings[], clock: Clock) {
    this.#issuers = new Map(issuers.map((one) => [one.issuer, one]));
    this.#clock = clock;
  }

  /** How far the clocks of issuers are from ours as far as tokens and key sets tell, in ms. */
  get clockDifferenceMs(): number {
    let most = this.#aheadMs;
    for (const { keys } of this.#issuers.values()) most = Math.max(most, keys.clockDifferenceMs ?? 0);
    return most;
  }

  /** @throws {KeysUnavailable} when the issuer's keys cannot be had. */
  async verify(token: string): Promise<VerifiedToken | RefusedToken> {
    const shape = shapeOf(token);
    if (typeof shape === 'string') return { reason: shape, isGuess: true };
    const settings = this.#issuers.get(shape.issuer) ?? this.#issuers.get(undefined);
    if (!settings) return { reason: 'issuer is not known', isGuess: true };
    const algorithm = settings.algorithms.find((one) => one === shape.algorithm);
    if (algorithm === undefined) return { reason: 'algorithm is not allowed', isGuess: true };
    const keys = await settings.keys.find(algorithm, shape.keyId);
    let refused: RefusedToken = { reason: 'no key for it', isGuess: true };
    for (const key of keys) {
      try {
        const { payload } = await jwtVerify(token, key, {
          algorithms: [algorithm],
          requiredClaims: ['exp', settings.subjectClaim],
          clockTolerance: settings.leewaySeconds,
          currentDate: new Date(this.#clock.wallNow()),
          ...(settings.issuer === undefined ? {} : { issuer: settings.issuer }),
          ...(settings.audience === undefined ? {} : { audience: [...settings.audience] }),
        });
        this.#compareClock(payload.iat);
        return verifiedOf(payload, settings);
      } catch (thrown) {
        refused = refusedBy(thrown);
        // jose looks at claims after the signature: this one is genuine, and not yet good.
        if (thrown instanceof errors.JWTClaimValidationFailed && thrown.claim === 'nbf') {
          this.#compareClock(thrown.payload.nbf);
        }
        if (!refused.isGuess) return refused;
      }
    }
    return refused;
  }

  #compareClock(madeAt: unknown): void {
    if (typeof madeAt !== 'number') return;
    this.#aheadMs = Math.max(this.#aheadMs, madeAt * 1000 - this.#clock.wallNow());
  }
}

function refusedBy(thrown: unknown): RefusedToken {
  // jose looks at claims after the signature, so whoever made this token has the key.
  const isGenuine = thrown instanceof errors.JWTExpired || thrown instanceof errors.JWTClaimValidationFailed;
  return {
    reason: thrown instanceof errors.JOSEError ? thrown.code : 'token could not be read',
    isGuess: !isGenuine,
  };
}

function verifiedOf(payload: JWTPayload, settings: JwtSettings): VerifiedToken | RefusedToken {
  const { subjectClaim, subjectPrefix, rolesClaim, tenantClaim, leewaySeconds } = settings;
  const subject = nameIn(payload[subjectClaim]);
  if (subject === undefined) return { reason: 'subject is not usable', isGuess: false };
  const roles = rolesIn(payload[rolesClaim]);
  if (roles === undefined) return { reason: 'roles are not a list of strings', isGuess: false };
  const expiresAtMs = ((payload.exp as number) + leewaySeconds) * 1000;
  const principal: Principal = { id: `${subjectPrefix}${subject}`, roles, expiresAtMs };
  if (tenantClaim !== undefined && payload[tenantClaim] !== undefined) {
    const tenant = nameIn(payload[tenantClaim]);
    if (tenant === undefined) return { reason: 'tenant is not usable', isGuess: false };
    principal.tenant = tenant;
  }
  return { principal, expiresAtMs, ...originOf(payload) };
}

function originOf({ jti, iat, iss }: JWTPayload): Pick<VerifiedToken, 'issuedAtMs' | 'issuer' | 'tokenId'> {
  return {
    issuedAtMs: iat === undefined ? undefined : iat * 1000,
    issuer: iss,
    tokenId: typeof jti === 'string' ? jti : undefined,
  };
}

/** By what a token can be taken back, of one that was verified when it came and may have expired since. */
export function unverifiedClaims(token: string): ReturnType<typeof originOf> {
  return originOf(decodeJwt(token));
}

function nameIn(claim: unknown): string | undefined {
  const name = typeof claim === 'number' && Number.isSafeInteger(claim) ? String(claim) : claim;
  if (typeof name !== 'string' || name === '' || name.length > maxSubjectLength || hasControls.test(name))
    return undefined;
  return name;
}

function rolesIn(claim: unknown): readonly string[] | undefined {
  if (claim === undefined) return ['user'];
  if (!Array.isArray(claim) || claim.length > maxRoles) return undefined;
  return claim.every((role) => typeof role === 'string') ? claim : undefined;
}
