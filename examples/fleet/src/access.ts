import { randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';

const issuer = 'ziggie-fleet';
const audience = 'ziggie-llm';

/** The secrets of one run, and who is let in with them. Nothing of it outlives the process. */
export interface Access {
  redisPassword: string;
  /** How the kits judge tokens. */
  kitEnvironment: Readonly<Record<string, string>>;
  /** A token for somebody, good for an hour. */
  tokenFor(subject: string, role: 'user' | 'admin'): Promise<string>;
}

/** New secrets. */
export function createAccess(): Access {
  const secret = randomBytes(32).toString('base64url');
  const key = new TextEncoder().encode(secret);
  return {
    redisPassword: randomBytes(24).toString('hex'),
    kitEnvironment: { JWT_SECRET: secret, JWT_ISSUER: issuer, JWT_AUDIENCE: audience },
    tokenFor: (subject, role) =>
      new SignJWT({ roles: [role] })
        .setProtectedHeader({ alg: 'HS256' })
        .setSubject(subject)
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime('1 h')
        .sign(key),
  };
}
