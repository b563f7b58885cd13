import * as z from 'zod';
import type { Clock } from '../clock.ts';
import { fetchKeySet } from '../upstream/fetch-key-set.ts';
import { modelPattern } from '../upstream/model-pattern.ts';
import {
  algorithms,
  type JwtAlgorithm,
  type JwtOptions,
  type KeyOptions,
  type PublicKey,
} from './auth-types.ts';
import type { JwtSettings } from './jwt.ts';
import { algorithmsFor, FixedKeys, fits, isSymmetric, minSecretBytes, publicKeyOf } from './jwt-keys.ts';
import { permissions } from './permissions.ts';
import { RemoteKeys } from './remote-keys.ts';

const minBytes = 32;
const fewestDifferentBytes = 8;
const howToMake = 'make one with: openssl rand -base64 48';

const secret = z.union([z.string(), z.instanceof(Uint8Array)]);
const publicKey = z.union([z.string(), z.record(z.string(), z.unknown())]);
const listOf = <T extends z.ZodType>(one: T) => z.union([one, z.array(one).min(1)]);

const jwtSchema = z
  .strictObject({
    secret: listOf(secret).optional(),
    publicKey: listOf(publicKey).optional(),
    jwksUrl: z
      .string()
      .refine(isKeySetUrl, {
        error: 'must be an https address without credentials (http on this machine only)',
      })
      .optional(),
    algorithms: z.array(z.enum(algorithms)).min(1).optional(),
    issuer: z.union([z.string().min(1), z.literal(false)], {
      error: 'must be the expected "iss", or false to accept any in so many words',
    }),
    audience: z.union([z.string().min(1), z.array(z.string().min(1)).min(1), z.literal(false)], {
      error: 'must be the expected "aud", or false to accept any in so many words',
    }),
    subjectClaim: z.string().min(1).optional(),
    subjectPrefix: z.string().max(256).optional(),
    rolesClaim: z.string().min(1).optional(),
    tenantClaim: z.string().min(1).optional(),
    leewaySeconds: z.number().min(0).max(60).optional(),
  })
  .superRefine((jwt, context) => {
    const fault = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    const given = [jwt.secret, jwt.publicKey, jwt.jwksUrl].filter((one) => one !== undefined).length;
    if (given === 0) {
      fault(
        'secret',
        `is missing: a string or bytes of at least ${minBytes} bytes, or give publicKey or jwksUrl; ${howToMake}`,
      );
    }
    if (given > 1) fault('secret', 'give one of secret, publicKey and jwksUrl: one of them decides');
    const wanted = jwt.algorithms ?? [];
    if (jwt.secret !== undefined) {
      const least = Math.max(minBytes, ...wanted.map(minSecretBytes));
      for (const one of [jwt.secret].flat()) {
        const message = secretFault(one, least);
        if (message !== undefined) fault('secret', message);
      }
      if (!wanted.every(isSymmetric)) fault('algorithms', 'must be HS256, HS384 or HS512 with a secret');
    } else if (wanted.some(isSymmetric)) {
      fault(
        'algorithms',
        'must not be HS256, HS384 or HS512 with public keys: whoever has the key could sign',
      );
    }
    for (const one of jwt.publicKey === undefined ? [] : [jwt.publicKey].flat()) {
      try {
        const key = publicKeyOf(one);
        const usable =
          wanted.length > 0 ? wanted.filter((algorithm) => fits(key, algorithm)) : algorithmsFor(key);
        if (usable.length === 0)
          fault('publicKey', 'is not of a kind, curve and size (RSA from 2048 bits) for the algorithms');
      } catch (thrown) {
        fault('publicKey', thrown instanceof TypeError ? thrown.message : 'cannot be read');
      }
    }
  });

/** `auth` of the kit's options. */
export const authSchema = z.strictObject({
  jwt: z
    .unknown()
    .superRefine((jwt, context) => {
      if (jwt === undefined) return;
      // Not a union: that would say "invalid input" where one of the two forms knows what is wrong.
      const parsed = (Array.isArray(jwt) ? z.array(jwtSchema).min(1) : jwtSchema).safeParse(jwt);
      for (const { path, message } of parsed.error?.issues ?? []) {
        context.addIssue({ code: 'custom', path: [...path], message });
      }
      if (!Array.isArray(parsed.data) || parsed.data.length < 2) return;
      const issuers = parsed.data.map(({ issuer }) => issuer);
      if (issuers.includes(false) || new Set(issuers).size < issuers.length) {
        context.addIssue({ code: 'custom', message: 'several issuers must each be named, and each once' });
      }
    })
    .optional(),
  keys: z
    .strictObject({
      pepper: listOf(secret).refine(
        (pepper) => [pepper].flat().every((one) => secretFault(one, minBytes) === undefined),
        {
          error: `must be at least ${minBytes} bytes and not a word; ${howToMake}`,
        },
      ),
      environment: z
        .string()
        .regex(/^[a-z0-9]{1,16}$/, { error: 'must be 1 to 16 lower-case letters or digits' })
        .optional(),
      lifetimeDays: z.number().positive().max(3650).optional(),
      rolesOf: z
        .custom<NonNullable<KeyOptions['rolesOf']>>((value) => typeof value === 'function')
        .optional(),
    })
    .optional(),
});

/** `roles` of the kit's options. */
export const rolesSchema = z.record(
  z.string().min(1).max(256),
  z.strictObject({
    permissions: z.array(z.enum(permissions)),
    models: z.array(modelPattern).optional(),
    priority: z.enum(['interactive', 'batch']).optional(),
    weight: z.number().min(0.01).max(100).optional(),
  }),
);

/** API keys with every default in place. */
export interface KeySettings {
  peppers: readonly Uint8Array[];
  environment: string;
  lifetimeDays: number;
  rolesOf: KeyOptions['rolesOf'];
}

/** Settings of checked options. */
export function keySettingsOf({
  pepper,
  environment = 'live',
  lifetimeDays = 90,
  rolesOf,
}: KeyOptions): KeySettings {
  return { peppers: listed(pepper).map(bytesOf), environment, lifetimeDays, rolesOf };
}

/** Settings of checked options, one per issuer. */
export function jwtSettingsOf(options: JwtOptions | readonly JwtOptions[], clock: Clock): JwtSettings[] {
  const all: readonly JwtOptions[] = Array.isArray(options) ? options : [options as JwtOptions];
  return all.map((jwt) => ({
    ...keysOf(jwt, clock),
    issuer: jwt.issuer === false ? undefined : jwt.issuer,
    audience: jwt.audience === false ? undefined : listed(jwt.audience),
    subjectClaim: jwt.subjectClaim ?? 'sub',
    subjectPrefix: jwt.subjectPrefix ?? (all.length > 1 ? `${jwt.issuer}#` : ''),
    rolesClaim: jwt.rolesClaim ?? 'roles',
    tenantClaim: jwt.tenantClaim,
    leewaySeconds: jwt.leewaySeconds ?? 30,
  }));
}

function keysOf(jwt: JwtOptions, clock: Clock): Pick<JwtSettings, 'keys' | 'algorithms'> {
  if (jwt.secret !== undefined) {
    return { keys: new FixedKeys(listed(jwt.secret).map(bytesOf)), algorithms: jwt.algorithms ?? ['HS256'] };
  }
  if (jwt.publicKey !== undefined) {
    const keys = listed<PublicKey>(jwt.publicKey).map(publicKeyOf);
    const own: JwtAlgorithm[] = keys.flatMap(algorithmsFor);
    return { keys: new FixedKeys(keys), algorithms: jwt.algorithms ?? own };
  }
  const keys = new RemoteKeys(new URL(jwt.jwksUrl as string), clock, (url) => fetchKeySet(url, clock));
  return { keys, algorithms: jwt.algorithms ?? ['RS256'] };
}

function listed<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value as T];
}

function bytesOf(value: string | Uint8Array): Uint8Array {
  return typeof value === 'string' ? new TextEncoder().encode(value) : value;
}

/** What is wrong with a secret; never a word of it. */
function secretFault(value: string | Uint8Array, least: number): string | undefined {
  const bytes = bytesOf(value);
  if (bytes.byteLength < least) return `must be at least ${least} bytes (RFC 7518 §3.2); ${howToMake}`;
  if (new Set(bytes).size < fewestDifferentBytes)
    return `must not be a few characters repeated; ${howToMake}`;
  const text = typeof value === 'string' ? value : new TextDecoder().decode(value);
  if (/-----BEGIN |"kty"\s*:/.test(text)) return 'is a key in PEM or JWK form; give it as publicKey';
  return undefined;
}

function isKeySetUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '') return false;
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLocal);
}
