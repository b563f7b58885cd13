/** The parts of a token that may be looked at before its signature is known to be good. */
export interface TokenShape {
  algorithm: string;
  keyId: string | undefined;
  issuer: string | undefined;
}

const maxTokenLength = 8192;
const compact = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
const maxKeyIdLength = 256;
const tokenTypes = new Set(['jwt', 'at+jwt']);
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * What must hold of a token before a key is looked for (RFC 7515 §4, RFC 8725 §3): three parts of strict base64url, two
 * objects, a type that is an access token's, no critical extension, times that are numbers.
 *
 * @returns Why it is refused, as text for the log, or its shape.
 */
export function shapeOf(token: string): TokenShape | string {
  if (token.length > maxTokenLength) return 'token is too long';
  if (!compact.test(token)) return 'not a compact JWS';
  const [head, body, signature] = token.split('.') as [string, string, string];
  // Bits that mean nothing would give one token several spellings.
  if (![head, body, signature].every(isCanonical)) return 'base64url is not canonical';
  const header = objectIn(head);
  if (header === undefined) return 'header is not an object';
  const payload = objectIn(body);
  if (payload === undefined) return 'payload is not an object';
  return headerFault(header) ?? payloadFault(payload) ?? shapeIn(header, payload);
}

function shapeIn(header: Record<string, unknown>, payload: Record<string, unknown>): TokenShape {
  return {
    algorithm: header['alg'] as string,
    keyId: header['kid'] as string | undefined,
    issuer: payload['iss'] as string | undefined,
  };
}

function headerFault(header: Record<string, unknown>): string | undefined {
  const { alg, kid, typ } = header;
  if (typeof alg !== 'string') return 'alg is not text';
  if (Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64')) return 'crit is not supported';
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > maxKeyIdLength))
    return 'kid is not usable';
  if (typ === undefined) return undefined;
  if (typeof typ !== 'string') return 'typ is not text';
  return tokenTypes.has(typ.toLowerCase().replace(/^application\//, '')) ? undefined : 'typ is not JWT';
}

function payloadFault(payload: Record<string, unknown>): string | undefined {
  const { exp, nbf, iat, iss, aud } = payload;
  if (!isTime(exp)) return 'exp is missing or not a time';
  if (nbf !== undefined && !isTime(nbf)) return 'nbf is not a time';
  if (iat !== undefined && !isTime(iat)) return 'iat is not a time';
  if (iss !== undefined && typeof iss !== 'string') return 'iss is not text';
  if (aud === undefined || typeof aud === 'string') return undefined;
  return Array.isArray(aud) && aud.every((one) => typeof one === 'string') ? undefined : 'aud is not text';
}

/** A NumericDate (RFC 7519 §2) that a double can hold exactly: `1e400` reads as Infinity, which never expires. */
function isTime(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER;
}

function isCanonical(part: string): boolean {
  return Buffer.from(part, 'base64url').toString('base64url') === part;
}

function objectIn(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(utf8.decode(Buffer.from(part, 'base64url')));
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
