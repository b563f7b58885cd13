import {
  createHmac,
  generateKeyPairSync,
  type KeyObject,
  type KeyPairKeyObjectResult,
  sign,
} from 'node:crypto';

/** Where the tokens of this corpus come from and for whom, and when it is. */
export const issuer = 'https://issuer.example';
export const audience = 'ziggie';
export const secret = 'corpus secret 0123456789 abcdefghijklmnopqrstuvwxyz';
export const nowSeconds = 1_900_000_000;

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const ed = generateKeyPairSync('ed25519');
const theirs = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ec: generateKeyPairSync('ec', { namedCurve: 'prime256v1' }),
  ed: generateKeyPairSync('ed25519'),
  p384: generateKeyPairSync('ec', { namedCurve: 'secp384r1' }),
  k1: generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
};

/** The verifiers that every attack is tried on: one algorithm and its key each. */
export const verifiers = {
  HS256: { key: undefined, other: undefined },
  RS256: { key: rsa, other: theirs.rsa },
  PS256: { key: rsa, other: theirs.rsa },
  ES256: { key: ec, other: theirs.ec },
  EdDSA: { key: ed, other: theirs.ed },
} as const satisfies Record<
  string,
  { key: KeyPairKeyObjectResult | undefined; other: KeyPairKeyObjectResult | undefined }
>;

/** One of them. */
export type VerifierName = keyof typeof verifiers;

/** One token, for one verifier, and whether it must be accepted. */
export interface TokenCase {
  name: string;
  verifier: VerifierName;
  token: string;
  good: boolean;
  /** Where the attack is told of. */
  source: string;
}

/** The public key of a verifier as PEM; the secret for the symmetric one. */
export function keyText(name: VerifierName): string {
  const { key } = verifiers[name];
  return key ? (key.publicKey.export({ type: 'spki', format: 'pem' }) as string) : secret;
}

type Json = Record<string, unknown>;
const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const claims = (more: Json = {}): Json => ({
  iss: issuer,
  aud: audience,
  sub: 'ada',
  iat: nowSeconds,
  exp: nowSeconds + 300,
  ...more,
});

/** Signs a text with an algorithm, whatever its header says. */
function signature(text: string, algorithm: string, key: string | Buffer | KeyObject): string {
  const hash = algorithm === 'EdDSA' ? null : `sha${algorithm.slice(2)}`;
  if (typeof key === 'string' || Buffer.isBuffer(key)) {
    return createHmac(hash as string, key)
      .update(text)
      .digest('base64url');
  }
  const options = algorithm.startsWith('PS')
    ? { key, padding: 6, saltLength: -1 }
    : algorithm.startsWith('ES')
      ? { key, dsaEncoding: 'ieee-p1363' as const }
      : { key };
  return sign(hash, Buffer.from(text), options).toString('base64url');
}

function privateKeyOf(name: VerifierName, mine = true): string | KeyObject {
  const { key, other } = verifiers[name];
  if (!key || !other) return mine ? secret : `another ${secret}`;
  return mine ? key.privateKey : other.privateKey;
}

/** A token with any header and payload, signed as the verifier expects unless told otherwise. */
function token(
  name: VerifierName,
  payload: unknown,
  header: unknown = { alg: name, typ: 'JWT' },
  how: { algorithm?: string; key?: string | Buffer | KeyObject } = {},
): string {
  const text = `${encode(header)}.${encode(payload)}`;
  return `${text}.${signature(text, how.algorithm ?? name, how.key ?? privateKeyOf(name))}`;
}

type Make = (name: VerifierName) => string;
const rfc = (section: string) => `RFC 8725 §${section}`;

const goodHeaders: [string, Json][] = [
  ['no typ', {}],
  ['typ JWT', { typ: 'JWT' }],
  ['typ jwt in lower case', { typ: 'jwt' }],
  ['typ of an access token (RFC 9068)', { typ: 'at+jwt' }],
  ['typ with its prefix', { typ: 'application/at+jwt' }],
  ['a key id', { kid: 'key-1' }],
];
const goodClaims: [string, Json][] = [
  ['the usual claims', {}],
  ['one of several audiences', { aud: ['other', audience] }],
  ['expired within the leeway', { exp: nowSeconds - 20 }],
  ['valid within the leeway', { nbf: nowSeconds + 20 }],
  ['a fraction of a second', { exp: nowSeconds + 300.5 }],
  ['roles', { roles: ['user'] }],
  ['further claims', { scope: 'a b', nested: { a: [1] } }],
  ['text beyond ASCII', { name: 'Ada Løvelace 🚀' }],
];

const algorithmAttacks: [string, string, Make][] = [
  ...['none', 'None', 'NONE', 'nOnE', '', 'none '].flatMap((alg): [string, string, Make][] => [
    [
      `alg "${alg}" without signature`,
      rfc('2.1'),
      () => `${encode({ alg, typ: 'JWT' })}.${encode(claims())}.`,
    ],
    [`alg "${alg}" with a signature`, rfc('2.1'), (name) => token(name, claims(), { alg, typ: 'JWT' })],
  ]),
  ['no alg', rfc('3.1'), (name) => token(name, claims(), { typ: 'JWT' })],
  ['alg null', rfc('3.1'), (name) => token(name, claims(), { alg: null })],
  ['alg as a list', rfc('3.1'), (name) => token(name, claims(), { alg: [name] })],
  ['alg as an object', rfc('3.1'), (name) => token(name, claims(), { alg: { toString: name } })],
  ['alg in lower case', rfc('3.1'), (name) => token(name, claims(), { alg: name.toLowerCase() })],
  ['alg with a space', rfc('3.1'), (name) => token(name, claims(), { alg: `${name} ` })],
  ['alg constructor', 'CVE-2022-23540 line', (name) => token(name, claims(), { alg: 'constructor' })],
  ['alg __proto__', 'CVE-2022-23540 line', (name) => token(name, claims(), '{"alg":"__proto__"}')],
];

/** Every text that a public key could be taken for as an HMAC secret. */
function secretsFrom(name: VerifierName): [string, string | Buffer][] {
  const { key } = verifiers[name];
  if (!key) return [];
  const pem = keyText(name);
  const der = key.publicKey.export({ type: 'spki', format: 'der' }) as Buffer;
  return [
    ['its PEM', pem],
    ['its PEM without the last line break', pem.trim()],
    ['its PEM with CRLF', pem.replaceAll('\n', '\r\n')],
    ['its PEM in one line', pem.replaceAll('\n', '')],
    ['its PEM after a blank line', `\n${pem}`],
    ['its DER', der],
    ['its DER in base64', der.toString('base64')],
    ['its JWK', JSON.stringify(key.publicKey.export({ format: 'jwk' }))],
    ['nothing', ''],
  ];
}

function confusionCases(name: VerifierName): TokenCase[] {
  return secretsFrom(name).flatMap(([what, key]) =>
    ['HS256', 'HS384', 'HS512'].flatMap((algorithm): TokenCase[] => [
      {
        name: `${algorithm} with ${what} as secret`,
        verifier: name,
        token: token(name, claims(), { alg: algorithm, typ: 'JWT' }, { algorithm, key }),
        good: false,
        source: 'CVE-2015-9235, CVE-2016-5431, CVE-2023-48223, CVE-2026-34950',
      },
      {
        name: `alg ${name} over an ${algorithm} with ${what}`,
        verifier: name,
        token: token(name, claims(), { alg: name, typ: 'JWT' }, { algorithm, key }),
        good: false,
        source: 'CVE-2015-9235',
      },
    ]),
  );
}

const theirOct = Buffer.alloc(32, 7);
const theirJwk = theirs.rsa.publicKey.export({ format: 'jwk' });
const keyAttacks: [string, string, Make][] = [
  [
    'signed with another key',
    'RFC 7515 §5.2',
    (name) => token(name, claims(), undefined, { key: privateKeyOf(name, false) }),
  ],
  [
    'their key in jwk',
    'CVE-2018-0114',
    () => token('RS256', claims(), { alg: 'RS256', jwk: theirJwk }, { key: theirs.rsa.privateKey }),
  ],
  [
    'their secret in jwk',
    'CVE-2018-0114',
    (name) =>
      token(
        name,
        claims(),
        { alg: name, jwk: { kty: 'oct', k: theirOct.toString('base64url') } },
        { algorithm: 'HS256', key: theirOct },
      ),
  ],
  [
    'their key set at jku',
    rfc('3.10'),
    () =>
      token(
        'RS256',
        claims(),
        { alg: 'RS256', jku: 'http://127.0.0.1:9/jwks.json' },
        { key: theirs.rsa.privateKey },
      ),
  ],
  [
    'their certificate at x5u',
    rfc('3.10'),
    () =>
      token(
        'RS256',
        claims(),
        { alg: 'RS256', x5u: 'http://127.0.0.1:9/a.pem' },
        { key: theirs.rsa.privateKey },
      ),
  ],
  [
    'their certificate in x5c',
    rfc('3.10'),
    () => token('RS256', claims(), { alg: 'RS256', x5c: ['MIIB'] }, { key: theirs.rsa.privateKey }),
  ],
  [
    'a kid that is a path, signed with nothing',
    'PortSwigger JWT labs',
    (name) =>
      token(name, claims(), { alg: name, kid: '../../../../dev/null' }, { algorithm: 'HS256', key: '' }),
  ],
  [
    'a kid that is SQL',
    'PortSwigger JWT labs',
    (name) =>
      token(name, claims(), { alg: name, kid: "x' UNION SELECT 'k" }, { algorithm: 'HS256', key: 'k' }),
  ],
  [
    'a kid that is a command',
    'jwt_tool',
    (name) => token(name, claims(), { alg: name, kid: '|id' }, { algorithm: 'HS256', key: 'k' }),
  ],
  ['a kid that is an object', rfc('3.10'), (name) => token(name, claims(), { alg: name, kid: { a: 1 } })],
  ['a kid that is a number', rfc('3.10'), (name) => token(name, claims(), { alg: name, kid: 1 })],
  [
    'a kid of 4,000 characters',
    rfc('3.10'),
    (name) => token(name, claims(), { alg: name, kid: 'k'.repeat(4000) }),
  ],
];

const critAttacks: [string, string, Make][] = [
  [
    'an unknown extension',
    'RFC 7515 §4.1.11',
    (name) => token(name, claims(), { alg: name, crit: ['mine'], mine: 1 }),
  ],
  [
    'one that is not there',
    'RFC 7515 §4.1.11',
    (name) => token(name, claims(), { alg: name, crit: ['mine'] }),
  ],
  ['an empty list', 'RFC 7515 §4.1.11', (name) => token(name, claims(), { alg: name, crit: [] })],
  ['text', 'RFC 7515 §4.1.11', (name) => token(name, claims(), { alg: name, crit: 'exp', exp: 1 })],
  ['null', 'RFC 7515 §4.1.11', (name) => token(name, claims(), { alg: name, crit: null })],
  ['a registered name', 'RFC 7515 §4.1.11', (name) => token(name, claims(), { alg: name, crit: ['alg'] })],
  [
    'an unencoded payload',
    'RFC 7797',
    (name) => token(name, claims(), { alg: name, crit: ['b64'], b64: false }),
  ],
];

const typeAttacks: [string, string, Make][] = [
  'dpop+jwt',
  'logout+jwt',
  'JWE',
  'secevent+jwt',
  '',
  'jwt ',
].map((typ) => [`typ "${typ}"`, rfc('3.11'), (name) => token(name, claims(), { alg: name, typ })]);
typeAttacks.push([
  'typ as a list',
  rfc('3.11'),
  (name) => token(name, claims(), { alg: name, typ: ['JWT'] }),
]);

const good: Make = (name) => token(name, claims());
const shapeAttacks: [string, string, Make][] = [
  ['an empty token', 'RFC 7515 §7.1', () => ''],
  ['two dots', 'RFC 7515 §7.1', () => '..'],
  ['no signature', 'RFC 7515 §7.1', (name) => good(name).split('.').slice(0, 2).join('.')],
  ['an empty signature', 'RFC 7515 §7.1', (name) => `${good(name).split('.').slice(0, 2).join('.')}.`],
  ['a fourth part', 'RFC 7515 §7.1', (name) => `${good(name)}.${encode('more')}`],
  [
    'an encrypted token',
    'RFC 7516',
    () => [encode({ alg: 'dir', enc: 'A256GCM' }), '', encode('iv'), encode('text'), encode('tag')].join('.'),
  ],
  [
    'the JSON form',
    'RFC 7515 §7.2',
    (name) => {
      const [protectedHeader, payload, signed] = good(name).split('.');
      return JSON.stringify({ protected: protectedHeader, payload, signature: signed });
    },
  ],
  ['padding', 'RFC 7515 §2', (name) => `${good(name)}=`],
  ['a space within', 'RFC 7515 §2', (name) => good(name).replace('.', ' .')],
  ['a line break within', 'RFC 7515 §2', (name) => good(name).replace('.', '\n.')],
  ['a zero byte at the end', 'RFC 7515 §2', (name) => `${good(name)}\0`],
  ['a letter beyond ASCII', 'RFC 7515 §2', (name) => `${good(name)}é`],
  [
    'base64 instead of base64url',
    'RFC 7515 §2',
    (name) => {
      const [head, body, signed] = good(name).split('.') as [string, string, string];
      const plain = Buffer.from(signed, 'base64url').toString('base64');
      // A signature without either character says nothing; the header then gets one.
      return `${head}.${body}.${/[+/]/.test(plain) ? plain : `${plain}+`}`;
    },
  ],
  ['bits at the end that mean nothing', 'RFC 4648 §3.5', (name) => withLooseBits(good(name))],
  ['a header that is a list', 'RFC 7515 §4', (name) => token(name, claims(), [{ alg: name }])],
  ['a header that is not JSON', 'RFC 7515 §4', (name) => token(name, claims(), '{alg}')],
  [
    'a header after a BOM',
    'RFC 8259 §8.1',
    (name) => token(name, claims(), `\uFEFF${JSON.stringify({ alg: name })}`),
  ],
  ['a payload that is a list', 'RFC 7519 §7.2', (name) => token(name, [claims()])],
  ['a payload that is null', 'RFC 7519 §7.2', (name) => token(name, 'null')],
  ['a payload that is text', 'RFC 7519 §7.2', (name) => token(name, '"ada"')],
  ['a payload that is not JSON', 'RFC 7519 §7.2', (name) => token(name, 'ada')],
  [
    'a payload that is not UTF-8',
    'RFC 7519 §7.2',
    (name) => {
      const body = Buffer.concat([
        Buffer.from(JSON.stringify(claims()).slice(0, -1)),
        Buffer.from(',"x":"'),
        Buffer.from([0xff]),
        Buffer.from('"}'),
      ]);
      const text = `${encode({ alg: name })}.${body.toString('base64url')}`;
      return `${text}.${signature(text, name, privateKeyOf(name))}`;
    },
  ],
  ['a token in a token', rfc('2.4'), (name) => token(name, good(name), { alg: name, cty: 'JWT' })],
  [
    'a token of 9,000 characters',
    'CVE-2024-21319 line',
    (name) => token(name, claims({ filler: 'x'.repeat(7000) })),
  ],
];

/** The same bytes in a spelling that a strict reader refuses. */
function withLooseBits(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet.indexOf(text.at(-1) as string);
  return `${text.slice(0, -1)}${alphabet[last ^ 1]}`;
}

const claimAttacks: [string, string, Json | string][] = [
  ['no exp', rfc('3.9'), { exp: undefined }],
  ['exp in the past', 'RFC 7519 §4.1.4', { exp: nowSeconds - 31 }],
  ['exp as text', 'RFC 7519 §4.1.4', { exp: String(nowSeconds + 300) }],
  ['exp null', 'RFC 7519 §4.1.4', { exp: null }],
  ['exp true', 'RFC 7519 §4.1.4', { exp: true }],
  ['exp as a list', 'RFC 7519 §4.1.4', { exp: [nowSeconds + 300] }],
  ['exp beyond all numbers', 'RFC 7519 §4.1.4', JSON.stringify(claims()).replace(/"exp":\d+/, '"exp":1e400')],
  [
    'exp beyond exact numbers',
    'RFC 7519 §4.1.4',
    JSON.stringify(claims()).replace(/"exp":\d+/, '"exp":1e300'),
  ],
  ['exp negative', 'RFC 7519 §4.1.4', { exp: -1 }],
  ['not valid yet', 'RFC 7519 §4.1.5', { nbf: nowSeconds + 31 }],
  ['nbf as text', 'RFC 7519 §4.1.5', { nbf: '0' }],
  ['nbf null', 'RFC 7519 §4.1.5', { nbf: null }],
  ['iat as text', 'RFC 7519 §4.1.6', { iat: 'now' }],
  ['no iss', rfc('3.8'), { iss: undefined }],
  ['another iss', rfc('3.8'), { iss: 'https://evil.example' }],
  ['iss as a list with the right one', 'CVE-2025-30144', { iss: ['https://evil.example', issuer] }],
  ['iss in another case', rfc('3.8'), { iss: issuer.toUpperCase() }],
  ['iss with a slash more', rfc('3.8'), { iss: `${issuer}/` }],
  ['iss that only begins right', rfc('3.8'), { iss: `${issuer}.evil.example` }],
  ['no aud', rfc('3.9'), { aud: undefined }],
  ['another aud', rfc('3.9'), { aud: 'other' }],
  ['aud that only holds the right one', rfc('3.9'), { aud: `not-${audience}` }],
  ['an empty list of aud', rfc('3.9'), { aud: [] }],
  ['aud as an object', rfc('3.9'), { aud: { 0: audience } }],
  ['aud in a list in a list', rfc('3.9'), { aud: [[audience]] }],
  ['aud with a number in the list', rfc('3.9'), { aud: [audience, 1] }],
  ['no sub', rfc('3.8'), { sub: undefined }],
  ['an empty sub', rfc('3.8'), { sub: '' }],
  ['sub null', rfc('3.8'), { sub: null }],
  ['sub as an object', rfc('3.8'), { sub: { id: 'ada' } }],
  ['sub as a list', rfc('3.8'), { sub: ['ada'] }],
  ['sub with a line break', rfc('3.8'), { sub: 'ada\nroot' }],
];

const signatureAttacks: [string, string, Make][] = [
  ['cut by one character', 'RFC 7515 §5.2', (name) => good(name).slice(0, -2)],
  [
    'a first bit flipped',
    'RFC 7515 §5.2',
    (name) =>
      withSignature(good(name), (bytes) => {
        bytes[0] = (bytes[0] as number) ^ 1;
        return bytes;
      }),
  ],
  [
    'a last bit flipped',
    'RFC 7515 §5.2',
    (name) =>
      withSignature(good(name), (bytes) => {
        const at = bytes.length - 1;
        bytes[at] = (bytes[at] as number) ^ 1;
        return bytes;
      }),
  ],
  ['all zero', 'CVE-2022-21449', (name) => withSignature(good(name), (bytes) => bytes.fill(0))],
  ['all ones', 'CVE-2022-21449', (name) => withSignature(good(name), (bytes) => bytes.fill(255))],
  [
    'a byte more',
    'RFC 7515 §5.2',
    (name) => withSignature(good(name), (bytes) => Buffer.concat([bytes, Buffer.from([0])])),
  ],
  [
    'of another token',
    'RFC 7515 §5.2',
    (name) =>
      [
        ...token(name, claims({ sub: 'eve' }))
          .split('.')
          .slice(0, 2),
        good(name).split('.')[2],
      ].join('.'),
  ],
  [
    'a changed header',
    'RFC 7515 §5.2',
    (name) => [encode({ alg: name, typ: 'JWT', kid: 'x' }), ...good(name).split('.').slice(1)].join('.'),
  ],
];

function withSignature(text: string, change: (bytes: Buffer) => Buffer): string {
  const [head, body, signed] = text.split('.') as [string, string, string];
  return `${head}.${body}.${change(Buffer.from(signed, 'base64url')).toString('base64url')}`;
}

const crossAttacks: [string, VerifierName, string, Make][] = [
  [
    'RS384 by the same key',
    'RS256',
    rfc('3.1'),
    () => token('RS256', claims(), { alg: 'RS384' }, { algorithm: 'RS384' }),
  ],
  [
    'RS512 by the same key',
    'RS256',
    rfc('3.1'),
    () => token('RS256', claims(), { alg: 'RS512' }, { algorithm: 'RS512' }),
  ],
  [
    'PS256 by the same key',
    'RS256',
    rfc('3.1'),
    () => token('RS256', claims(), { alg: 'PS256' }, { algorithm: 'PS256' }),
  ],
  [
    'RS256 by the same key',
    'PS256',
    rfc('3.1'),
    () => token('PS256', claims(), { alg: 'RS256' }, { algorithm: 'RS256' }),
  ],
  [
    'alg PS256 over RS256',
    'PS256',
    rfc('3.1'),
    () => token('PS256', claims(), { alg: 'PS256' }, { algorithm: 'RS256' }),
  ],
  [
    'HS384 with the right secret',
    'HS256',
    rfc('3.1'),
    () => token('HS256', claims(), { alg: 'HS384' }, { algorithm: 'HS384' }),
  ],
  [
    'HS512 with the right secret',
    'HS256',
    rfc('3.1'),
    () => token('HS256', claims(), { alg: 'HS512' }, { algorithm: 'HS512' }),
  ],
  [
    'HS256 with an empty secret',
    'HS256',
    'CVE-2026-34950 line',
    () => token('HS256', claims(), undefined, { key: '' }),
  ],
  [
    'RS256 by their key',
    'HS256',
    'CVE-2015-9235',
    () => token('HS256', claims(), { alg: 'RS256' }, { algorithm: 'RS256', key: theirs.rsa.privateKey }),
  ],
  [
    'the signature in DER',
    'ES256',
    'RFC 7518 §3.4',
    () => {
      const text = `${encode({ alg: 'ES256' })}.${encode(claims())}`;
      return `${text}.${sign('sha256', Buffer.from(text), { key: ec.privateKey, dsaEncoding: 'der' }).toString('base64url')}`;
    },
  ],
  [
    'ES384 of another curve',
    'ES256',
    rfc('3.1'),
    () => token('ES256', claims(), { alg: 'ES384' }, { algorithm: 'ES384', key: theirs.p384.privateKey }),
  ],
  [
    'ES256K of another curve',
    'ES256',
    rfc('3.1'),
    () => token('ES256', claims(), { alg: 'ES256K' }, { algorithm: 'ES256', key: theirs.k1.privateKey }),
  ],
  [
    'alg ES256 of another curve',
    'ES256',
    rfc('3.1'),
    () => token('ES256', claims(), undefined, { algorithm: 'ES256', key: theirs.k1.privateKey }),
  ],
  ['alg Ed448', 'EdDSA', rfc('3.1'), () => token('EdDSA', claims(), { alg: 'Ed448' })],
];

/** Every token of the corpus. */
export function tokenCorpus(): TokenCase[] {
  const names = Object.keys(verifiers) as VerifierName[];
  const cases: TokenCase[] = [];
  for (const verifier of names) {
    const add = (group: string, isGood: boolean, list: readonly (readonly [string, string, Make])[]) => {
      for (const [name, source, make] of list) {
        cases.push({ name: `${group}: ${name}`, verifier, token: make(verifier), good: isGood, source });
      }
    };
    add(
      'good header',
      true,
      goodHeaders.map(([name, more]) => [
        name,
        'RFC 7515',
        (of) => token(of, claims(), { alg: of, ...more }),
      ]),
    );
    add(
      'good claims',
      true,
      goodClaims.map(([name, more]) => [name, 'RFC 7519', (of) => token(of, claims(more))]),
    );
    add('algorithm', false, algorithmAttacks);
    add('key', false, keyAttacks);
    add('crit', false, critAttacks);
    add('type', false, typeAttacks);
    add('shape', false, shapeAttacks);
    add(
      'claims',
      false,
      claimAttacks.map(([name, source, more]) => [
        name,
        source,
        (of) => token(of, typeof more === 'string' ? more : claims(more)),
      ]),
    );
    add('signature', false, signatureAttacks);
    for (const one of confusionCases(verifier)) cases.push({ ...one, name: `confusion: ${one.name}` });
  }
  for (const [name, verifier, source, make] of crossAttacks) {
    cases.push({ name: `algorithm: ${name}`, verifier, token: make(verifier), good: false, source });
  }
  return cases;
}
