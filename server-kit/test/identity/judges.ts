import { createPublicKey } from 'node:crypto';
import { createVerifier } from 'fast-jwt';
import { jwtVerify } from 'jose';
import jsonwebtoken from 'jsonwebtoken';
import { createServerKit } from '../../src/index.ts';
import { audience, issuer, keyText, nowSeconds, secret, type VerifierName } from './token-corpus.ts';

/** Whether a verifier accepts a token. */
export type Judge = (verifier: VerifierName, token: string) => Promise<boolean> | boolean;

const none = Number.POSITIVE_INFINITY;

/** The kit, through its front door. */
export function ziggieJudge(): Judge {
  const clock = { now: () => 0, wallNow: () => nowSeconds * 1000, setTimer: () => () => {} };
  const kits = new Map<VerifierName, ReturnType<typeof createServerKit>>();
  const kitOf = (name: VerifierName) => {
    const key = name === 'HS256' ? { secret } : { publicKey: keyText(name) };
    const known =
      kits.get(name) ??
      createServerKit({
        upstreams: [{ url: 'http://127.0.0.1:9' }],
        auth: { jwt: { ...key, issuer, audience, algorithms: [name] } },
        limits: { requestsPerMinute: none, requestsPerMinutePerAddress: none, failedSignInsPerMinute: none },
        logger: { info() {}, warn() {}, error() {} },
        clock,
      });
    kits.set(name, known);
    return known;
  };
  return async (verifier, token) => {
    let headers: Headers;
    try {
      headers = new Headers({ authorization: `Bearer ${token}` });
    } catch {
      // Not a header at all: no host would have let it through.
      return false;
    }
    const response = await kitOf(verifier).handle(new Request('http://ziggie.invalid/', { headers }), {
      remoteAddress: '203.0.113.7',
      encrypted: false,
      target: '/me',
      rawHeaders: [],
    });
    return response?.status === 200;
  };
}

/** jose by itself, told everything that it can be told. */
export const joseJudge: Judge = async (verifier, token) => {
  const key = verifier === 'HS256' ? new TextEncoder().encode(secret) : createPublicKey(keyText(verifier));
  try {
    await jwtVerify(token, key, {
      algorithms: [verifier],
      issuer,
      audience,
      requiredClaims: ['exp', 'sub'],
      clockTolerance: 30,
      currentDate: new Date(nowSeconds * 1000),
    });
    return true;
  } catch {
    return false;
  }
};

/** jsonwebtoken by itself. It knows no EdDSA. */
export const jsonwebtokenJudge: Judge = (verifier, token) => {
  try {
    jsonwebtoken.verify(token, keyText(verifier), {
      algorithms: [verifier as 'HS256'],
      issuer,
      audience,
      clockTolerance: 30,
      clockTimestamp: nowSeconds,
    });
    return true;
  } catch {
    return false;
  }
};

/** fast-jwt by itself. */
export const fastJwtJudge: Judge = (verifier, token) => {
  try {
    createVerifier({
      key: keyText(verifier),
      algorithms: [verifier],
      allowedIss: issuer,
      allowedAud: audience,
      requiredClaims: ['exp', 'sub', 'iss', 'aud'],
      clockTolerance: 30_000,
      clockTimestamp: nowSeconds * 1000,
      cache: false,
    })(token);
    return true;
  } catch {
    return false;
  }
};
