import { errors, type JWTPayload, jwtVerify } from 'jose';
import type { Clock } from '../clock.ts';
import { KitFailure } from '../failure.ts';
import type { JwtSettings } from '../kit-options.ts';
import type { Principal } from '../kit-types.ts';
import { TokenCache } from './token-cache.ts';

const maxSubjectLength = 256;
const maxRoles = 64;
// A subject stands in log lines, some of which are plain text.
const hasControls = /\p{Cc}/u;

/**
 * Verifies HS256 tokens (RFC 7519, RFC 8725): the algorithm is ours to choose, `exp` and the subject are required, and
 * every failure looks the same to the caller.
 */
export class JwtVerifier {
  readonly #settings: JwtSettings;
  readonly #clock: Clock;
  readonly #cache = new TokenCache();

  constructor(settings: JwtSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  /** @throws {KitFailure} `unauthorized`; the cause is in `reason`, for the log. */
  async verify(token: string): Promise<Principal> {
    const nowMs = this.#clock.wallNow();
    const known = this.#cache.get(token, nowMs);
    if (known) return known;
    const { secret, issuer, audience, subjectClaim, rolesClaim, leewaySeconds } = this.#settings;
    let payload: JWTPayload;
    try {
      ({ payload } = await jwtVerify(token, secret, {
        algorithms: ['HS256'],
        requiredClaims: ['exp', subjectClaim],
        clockTolerance: leewaySeconds,
        currentDate: new Date(nowMs),
        ...(issuer === undefined ? {} : { issuer }),
        ...(audience === undefined ? {} : { audience }),
      }));
    } catch (thrown) {
      throw unauthorized(thrown instanceof errors.JOSEError ? thrown.code : 'token could not be read');
    }
    const expiresAtMs = ((payload.exp as number) + leewaySeconds) * 1000;
    const principal = { ...principalOf(payload, subjectClaim, rolesClaim), expiresAtMs };
    this.#cache.set(token, principal, expiresAtMs);
    return principal;
  }
}

function principalOf(payload: JWTPayload, subjectClaim: string, rolesClaim: string): Principal {
  const subject = payload[subjectClaim];
  const id = typeof subject === 'number' && Number.isSafeInteger(subject) ? String(subject) : subject;
  if (typeof id !== 'string' || id === '' || id.length > maxSubjectLength || hasControls.test(id)) {
    throw unauthorized('subject is not usable');
  }
  const roles = payload[rolesClaim];
  if (roles === undefined) return { id, roles: ['user'] };
  if (!Array.isArray(roles) || roles.length > maxRoles || !roles.every((role) => typeof role === 'string')) {
    throw unauthorized('roles are not a list of strings');
  }
  return { id, roles };
}

/** The one answer for every credential that is missing or wrong (RFC 6750 §3). */
export function unauthorized(reason: string): KitFailure {
  return new KitFailure(
    'unauthorized',
    'The request carries no valid credential. Send a current token as "Authorization: Bearer …".',
    { reason, headers: { 'www-authenticate': 'Bearer' } },
  );
}
